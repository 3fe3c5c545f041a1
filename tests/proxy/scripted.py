"""A provider that does what the model's name says, in the place of ours behind a real proxy.

| model | what it does |
|---|---|
| `echo` | answers with JSON: what has reached it |
| `raise-NAME` | raises the error NAME of `custom_handler.errors` |
| `break-NAME` | the same, after a first chunk when streaming |
| `raise-fault`, `break-fault` | raises an exception that nobody has foreseen |
| `hang`, `hang-midway` | waits for ever, at once or after a first chunk |

Each call and each end of one is a line in the proxy's log: `scripted: asked ID` and `scripted: left ID`, ID being the
correlation id.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from litellm.llms.custom_llm import CustomLLM
from litellm.types.utils import (
    Choices,
    Delta,
    Message,
    ModelResponse,
    ModelResponseStream,
    StreamingChoices,
    Usage,
)

from custom_handler import errors
from custom_handler.litellm_errors import to_litellm

#: What an unforeseen exception says; nothing of it may reach a client.
SECRET = "secret at /srv/app/secret.py"
ERRORS = tuple(
    error.__name__
    for error in vars(errors).values()
    if isinstance(error, type) and issubclass(error, errors.BridgeError)
)
MODELS = (
    "echo",
    *(f"{verb}-{name}" for verb in ("raise", "break") for name in (*ERRORS, "fault")),
    "hang",
    "hang-midway",
)


def error_of(name: str) -> errors.BridgeError:
    """The error that `raise-NAME` raises."""
    error: errors.BridgeError = getattr(errors, name)(f"{name} happened.", param="field", retry_after=7)
    return error


class ScriptedLLM(CustomLLM):
    """See the module."""

    async def acompletion(self, *_: Any, **given: Any) -> ModelResponse:
        text = "".join([chunk.choices[0].delta.content or "" async for chunk in self.astreaming(**given)])
        message = Message(role="assistant", content=text)
        return ModelResponse(choices=[Choices(message=message, finish_reason="stop")], usage=_usage())

    async def astreaming(  # type: ignore[override]
        self, *_: Any, **given: Any
    ) -> AsyncIterator[ModelResponseStream]:
        correlation_id = _headers(given)["correlation-id"]
        print(f"scripted: asked {correlation_id}", flush=True)  # noqa: T201 - the proxy's log
        try:
            async for chunk in _play(given):
                yield chunk
        finally:
            print(f"scripted: left {correlation_id}", flush=True)  # noqa: T201


async def _play(given: dict[str, Any]) -> AsyncIterator[ModelResponseStream]:
    verb, _, name = given["model"].partition("-")
    if verb == "raise":
        _fail(given["model"])
    if given["model"] == "hang":
        await asyncio.Event().wait()
    yield _chunk(content=json.dumps(_reached(given)) if verb == "echo" else "first", role="assistant")
    if verb == "break":
        _fail(given["model"])
    if name == "midway":
        await asyncio.Event().wait()
    yield _chunk(usage=_usage())
    yield _chunk(finish_reason="stop")


def _fail(model: str) -> None:
    name = model.partition("-")[2]
    if name == "fault":
        raise KeyError(SECRET)
    raise to_litellm(error_of(name), model)


def _reached(given: dict[str, Any]) -> dict[str, Any]:
    return {
        "messages": given["messages"],
        "parameters": given["optional_params"],
        "model_info": given["litellm_params"]["model_info"],
        "headers": _headers(given),
        "key_hash": given["litellm_params"]["metadata"]["user_api_key_hash"],
    }


def _headers(given: dict[str, Any]) -> dict[str, str]:
    return dict(given["litellm_params"]["proxy_server_request"]["headers"])


def _usage() -> Usage:
    return Usage(prompt_tokens=3, completion_tokens=2, total_tokens=5)


def _chunk(
    content: str | None = None, role: str | None = None, finish_reason: str | None = None, usage: Usage | None = None
) -> ModelResponseStream:
    choice = StreamingChoices(delta=Delta(content=content, role=role), finish_reason=finish_reason)
    return ModelResponseStream(model="scripted", choices=[choice], usage=usage)


scripted_llm = ScriptedLLM()
