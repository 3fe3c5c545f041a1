"""One answer on its way to the client: it carries the correlation id, and its errors have OpenAI's form.

LiteLLM's own error answers differ from endpoint to endpoint: the word `None` for a missing field, the status in place
of the code, no Retry-After on some, the names of its exceptions and advice about its config in the message, and the
traceback of an unforeseen exception.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import AsyncGeneratorType
from typing import Any

import orjson
from starlette.datastructures import MutableHeaders
from starlette.types import Message, Send

from custom_handler import correlation
from custom_handler.errors import (
    BridgeError,
    KeyRefusedError,
    ModelNotAllowedError,
    NotAllowedError,
    RateLimitedError,
    RequestError,
)

_STREAMED_ERROR = b'data: {"error"'
#: How LiteLLM wraps what it has not foreseen: a Python error, which the Responses API tells with status 400.
_UNFORESEEN = b"litellm.APIConnectionError"
#: What LiteLLM puts before and after the message of an error.
_CLASS_NAMES = re.compile(r"^(litellm\.\w+: )+")
#: What LiteLLM's refusals are among ours; it has a type for each reason, and the status for a code.
_REFUSALS: Mapping[int, type[BridgeError]] = {401: KeyRefusedError, 403: NotAllowedError, 429: RateLimitedError}
_ADVICE = re.compile(r"\n+(LiteLLM: |Traceback \(most recent|This looks like a bug in LiteLLM).*", re.DOTALL)


class Answer:
    """The ASGI `send` of one request.

    Args:
        send: the server's.
        anthropic: whether the client speaks Anthropic's API, whose errors have one more field.

    Attributes:
        correlation_id: goes out as a header.
        failure: why the request failed, once that is known; it is told instead of what LiteLLM makes of it.
        provider_answered: whether the provider gave anything; what fails before is the fault of the request.
        stream: what the provider gives, piece by piece.
    """

    def __init__(self, send: Send, *, anthropic: bool = False) -> None:
        self.correlation_id = correlation.new()
        self.failure: BridgeError | None = None
        self.provider_answered = False
        self.stream: AsyncGenerator[Any, None] | None = None
        self._send = send
        self._anthropic = anthropic
        self._error_start: Message | None = None  # held back until the error's body is known
        self._error_body = b""

    async def __call__(self, message: Message) -> None:
        """Pass on what LiteLLM sends, with errors rewritten."""
        if message["type"] == "http.response.start" and message["status"] >= 400:
            self._error_start = message
        elif self._error_start is not None:
            self._error_body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._rewrite_error(self._error_start)
        elif message.get("body", b"").startswith(_STREAMED_ERROR):
            error = _fields(self.failure or unforeseen())
            await self._send({**message, "body": b"data: %b\n\n" % self._dump(error)})
        else:
            await self.unchanged(message)

    async def unchanged(self, message: Message) -> None:
        """Pass on what LiteLLM sends, errors included."""
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message)[correlation.HEADER] = self.correlation_id
        await self._send(message)

    async def close(self) -> None:
        """End the provider's stream, if its client left before it had all of it.

        LiteLLM drops such a stream. Left to Python's garbage collection, the generators inside of it would be closed at
        some later time, in any order, each in the middle of another.
        """
        # A stream that runs is not left behind: whoever awaits its next piece is being cancelled, and so is the stream.
        if isinstance(self.stream, AsyncGeneratorType) and not self.stream.ag_running:
            await self.stream.aclose()

    async def refuse(self, error: BridgeError) -> None:
        """Answer with `error`."""
        retry = {} if error.retry_after is None else {"retry-after": str(error.retry_after)}
        await self.send_json(error.status, self._dump(_fields(error)), retry)

    async def send_json(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        """Send a whole answer."""
        start: Message = {"type": "http.response.start", "status": status, "headers": []}
        sent = {"content-type": "application/json", "content-length": str(len(body)), **(headers or {})}
        MutableHeaders(scope=start).update(sent)
        await self.unchanged(start)
        await self._send({"type": "http.response.body", "body": body})

    async def _rewrite_error(self, start: Message) -> None:
        status = start["status"]
        if self.failure is not None:
            await self.refuse(self.failure)
        elif status >= 500 or _UNFORESEEN in self._error_body:
            await self.refuse(unforeseen())
        else:
            wait = MutableHeaders(scope=start).get("retry-after")
            retry = {} if wait is None else {"retry-after": wait}
            await self.send_json(status, self._dump(_told_by_litellm(status, self._error_body)), retry)

    def _dump(self, error: dict[str, Any]) -> bytes:
        return orjson.dumps({"type": "error", "error": error} if self._anthropic else {"error": error})


#: The answer of the running request; None in work that no client waits for, such as a health check in the background.
current: ContextVar[Answer | None] = ContextVar("answer", default=None)


@contextmanager
def use(answer: Answer) -> Iterator[None]:
    """Make `answer` the current one inside the block."""
    token = current.set(answer)
    try:
        yield
    finally:
        current.reset(token)


def unforeseen() -> BridgeError:
    """What a client reads about a failure that is none of ours: nothing of the reason, but where to find it."""
    reply = current.get()
    where = f"The proxy's log says why, at {correlation.HEADER} {correlation.current()}."
    if reply is None or reply.provider_answered:
        return BridgeError(f"The proxy failed on this request. {where}")
    return RequestError(
        f"This request could not be read. Check the types of its fields, also inside messages, input and tools. {where}"
    )


def _fields(error: BridgeError) -> dict[str, Any]:
    return {"message": error.message, "type": error.type, "param": error.param, "code": error.code}


def _told_by_litellm(status: int, body: bytes) -> dict[str, Any]:
    """OpenAI's fields out of an error answer of LiteLLM: `{"error": {…}}`, `{"detail": …}` or plain text."""
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        told = body.decode(errors="replace")
    error = told.get("error", told) if isinstance(told, dict) else told
    fields = error if isinstance(error, dict) else {"message": error}
    message = str(fields.get("message") or fields.get("detail") or "The request could not be read.")
    param = _word(fields.get("param"))
    refusal = ModelNotAllowedError if (status, param) == (403, "model") else _REFUSALS.get(status)
    return {
        "message": _ADVICE.sub("", _CLASS_NAMES.sub("", message)),
        "type": refusal.type if refusal else _word(fields.get("type")) or RequestError.type,
        "param": None if refusal and param != "model" else param,  # LiteLLM has the end of the key there
        "code": (refusal or RequestError).code,
    }


def _word(value: object) -> str | None:
    return value if isinstance(value, str) and value != "None" else None
