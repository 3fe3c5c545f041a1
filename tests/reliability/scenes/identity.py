"""The identity service is down for 30 seconds."""

from __future__ import annotations

import asyncio
import time

from tests.reliability.answer import Answer
from tests.reliability.eventually import eventually
from tests.reliability.scenes.scene import Found, Ground, Scene, unless
from tests.reliability.stage import Lane

_OUTAGE = 30.0
#: Seconds. Four tries with pauses of 1, 2 and 4 seconds between them, on a busy machine.
_ERROR_WITHIN = 12.0
#: Seconds. After failures in a row, the identity service is left alone for half a minute at most.
_BACK_WITHIN = 31.0
_REFUSALS = 500


async def _with_token(ground: Ground) -> Found:
    lane = ground.lanes[0]
    await ground.say(lane)
    answers = await _during_outage(ground, lane, signed_out=False)
    failed = [answer for answer, right in answers if not right]
    return Found("every request answered", unless(not failed, f"{len(failed)} of {len(answers)} requests failed"))


async def _without_token(ground: Ground) -> Found:
    lane = ground.lanes[0]
    answers = await _during_outage(ground, lane, signed_out=True)
    unclear = [answer.told.error for answer, _ in answers if answer.told.error != "upstream_unavailable"]
    slowest = max(answer.seconds for answer, _ in answers)
    comes_back = await _is_answered_again(ground, lane)
    broken = (
        *unless(not unclear, f"other errors: {unclear}"),
        *unless(slowest <= _ERROR_WITHIN, f"an error took {slowest:.0f} s"),
        *unless(comes_back, f"no answer {_BACK_WITHIN:g} s after its return"),
    )
    return Found("`upstream_unavailable` after 7 s of trying; answers again soon after", broken)


async def _during_outage(ground: Ground, lane: Lane, *, signed_out: bool) -> list[tuple[Answer, bool]]:
    down = [{"fault": "identity_down"}] * _REFUSALS
    await ground.service.prepare(lane, *down, signed_out=signed_out)
    answers, end = [], time.monotonic() + _OUTAGE
    while time.monotonic() < end:
        answers.append(await ground.say(lane))
        await asyncio.sleep(0.2)
    await ground.service.prepare(lane)
    return answers


async def _is_answered_again(ground: Ground, lane: Lane) -> bool:
    async def answered() -> bool:
        return (await ground.say(lane))[1]

    return await eventually(answered, _BACK_WITHIN)


SCENES = (
    Scene("The identity service is down for 30 s; a token is there", "nobody notices", _with_token),
    Scene(
        "The identity service is down for 30 s; no token is there",
        "a clear error, and answers again within 30 s of its return",
        _without_token,
    ),
)
