"""Bodies of 10 MB."""

from __future__ import annotations

from tests.reliability.apis import APIS, Api
from tests.reliability.apis.api import Json
from tests.reliability.client import ask
from tests.reliability.scenes.others import others
from tests.reliability.scenes.scene import LIMIT, PATIENCE, Found, Ground, Scene, unless

_SIZE = 10_000_000
_TURN = "The quick brown fox jumps over the lazy dog. Tudo bem? " * 200


async def _one_message(ground: Ground) -> Found:
    async with others(ground) as met:
        broken = [await _answer(ground, api, _message(ground, api), "400 context_length_exceeded") for api in APIS]
    return Found("400 `context_length_exceeded`; others are answered", (*met.broken(PATIENCE), *sum(broken, ())))


async def _conversation(ground: Ground) -> Found:
    async with others(ground) as met:
        broken = [await _answer(ground, api, _turns(ground, api), "fine") for api in APIS]
    return Found("an answer to the end of it; others are answered", (*met.broken(PATIENCE), *sum(broken, ())))


async def _answer(ground: Ground, api: Api, body: Json, expected: str) -> tuple[str, ...]:
    """What is wrong with the answer to `body`: its text, or its status and error, should be `expected`."""
    answer = await ask(ground.client, api, body, LIMIT)
    told = answer.told.text if answer.told.complete else f"{answer.status} {answer.told.error}"
    return unless(told == expected, f"{api.name}: {told:.100}")


def _message(ground: Ground, api: Api) -> Json:
    return api.body(ground.lanes[1].model, "word " * (_SIZE // 5), stream=False)


def _turns(ground: Ground, api: Api) -> Json:
    body = api.body(ground.lanes[1].model, "", stream=False)
    spoken = [{"role": role, "content": _TURN} for role in ("user", "assistant")] * (_SIZE // len(_TURN) // 2)
    field = "input" if "input" in body else "messages"
    return {**body, field: [*spoken, *api.body("", "Say fine", stream=False)[field]]}


SCENES = (
    Scene("One message of 10 MB", "a clear refusal", _one_message),
    Scene("A conversation of 10 MB", "what does not fit is left out", _conversation),
)
