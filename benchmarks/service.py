"""`python -m benchmarks.service PORT`: what stands behind the measured proxies, and costs next to nothing.

It speaks as much of StackSpot's API and of OpenAI's as the measurements need. The question says what is wanted: "200
words", at most 200, in as many frames, each written by itself as a model's tokens are, or "200 words every 10 ms".
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Sequence
from typing import Any

from aiohttp import web

_WANTED = re.compile(rb"(\d+) words(?: every (\d+) ms)?")
_OPENAI: dict[str, Any] = {"id": "chatcmpl-0", "created": 1, "model": "lean"}
_USAGE = {"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6}


def _event(**fields: Any) -> bytes:
    return b"data: " + json.dumps(fields, separators=(",", ":")).encode() + b"\r\n\r\n"


def _openai_event(delta: dict[str, str], finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return _event(**_OPENAI, object="chat.completion.chunk", choices=[choice])


#: Each word differs from the one before it: LiteLLM ends a stream of 100 chunks that are all the same.
_WORDS = [f"word{number % 10} " for number in range(200)]
_STACKSPOT_WORDS = [_event(message=word) for word in _WORDS]
_STACKSPOT_END = _event(stop_reason="stop", tokens={"input": 5, "output": 1}, message_id="01KJJB4T9SP5V1SYDEYHTZ5N6Y")
_OPENAI_WORDS = [_openai_event({"role": "assistant", "content": word}) for word in _WORDS]
_OPENAI_END = _openai_event({}, "stop") + _event(**_OPENAI, choices=[], usage=_USAGE) + b"data: [DONE]\r\n\r\n"


async def _token(_: web.Request) -> web.Response:
    return web.json_response({"access_token": "bench", "expires_in": 1200, "token_type": "Bearer"})


async def _stackspot(request: web.Request) -> web.StreamResponse:
    """An agent's answer; the connection is closed behind it, as the real service does."""
    answer = web.StreamResponse()
    answer.force_close()
    return await _streamed(request, answer, _STACKSPOT_WORDS, _STACKSPOT_END)


async def _openai(request: web.Request) -> web.StreamResponse:
    body = await request.read()
    if json.loads(body).get("stream"):
        return await _streamed(request, web.StreamResponse(), _OPENAI_WORDS, _OPENAI_END)
    words, _ = _wanted(body)
    choice = {"index": 0, "message": {"role": "assistant", "content": "".join(_WORDS[:words])}, "finish_reason": "stop"}
    return web.json_response({**_OPENAI, "object": "chat.completion", "choices": [choice], "usage": _USAGE})


async def _streamed(
    request: web.Request, answer: web.StreamResponse, events: Sequence[bytes], end: bytes
) -> web.StreamResponse:
    words, pause = _wanted(await request.read())
    answer.content_type = "text/event-stream"
    await answer.prepare(request)
    for event in events[:words]:
        await answer.write(event)
        if pause:
            await asyncio.sleep(pause)
    await answer.write(end)
    return answer


def _wanted(body: bytes) -> tuple[int, float]:
    """How many words, and the seconds behind each."""
    wanted = _WANTED.search(body)
    if wanted is None:
        raise web.HTTPBadRequest(text="The question does not say how many words.")
    return int(wanted[1]), int(wanted[2] or 0) / 1000


def main() -> None:
    """Serve until the process is ended."""
    app = web.Application()
    app.router.add_post("/{realm}/oidc/oauth/token", _token)
    app.router.add_post("/v1/agent/{agent}/chat", _stackspot)
    app.router.add_post("/v1/chat/completions", _openai)
    app.router.add_get("/health/liveliness", _alive)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)


async def _alive(_: web.Request) -> web.Response:
    return web.Response()


if __name__ == "__main__":
    main()
