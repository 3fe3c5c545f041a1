"""How a call travels, once: the only place that speaks HTTP with the service."""

from __future__ import annotations

import asyncio
import builtins
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from fusion_client.bearer import BearerAuth, secret_of
from fusion_client.calls import Call
from fusion_client.errors import FusionError, ServerError, TimeoutError
from fusion_client.events import EventReader
from fusion_client.failures import as_failure, as_network_failure
from fusion_client.models import ChatResponse
from fusion_client.per_loop import PerLoop
from fusion_client.stream_answer import StreamAnswer

Answer = TypeVar("Answer")

_LONGEST_FAILURE = 65_536  # bytes of an error's body that are worth reading
_DRAIN_TIME = 0.05  # seconds


@dataclass(frozen=True, slots=True)
class Connections:
    """What requests are sent with.

    places: one for each connection that may be open; who waits for one waits here, since httpx's pool looks through all
        that wait whenever anything happens: a thousand calls at once take it five times as long.
    """

    http: httpx.AsyncClient
    places: AbstractAsyncContextManager[None]


@dataclass(frozen=True, slots=True)
class Channel:
    """The way to one service with one account."""

    connections: PerLoop[Connections]
    base_url: str
    auth: BearerAuth
    timeout: httpx.Timeout

    async def send(self, call: Call[Answer]) -> Answer:
        """The answer of `call`. Raises FusionError."""
        async with self._answer(call) as response:
            return call.read(await response.aread())

    async def tokens(self, call: Call[ChatResponse], answer: StreamAnswer) -> AsyncGenerator[str, None]:
        """The tokens of a streamed answer; "" first, as soon as it has begun. Raises FusionError."""
        async with self._answer(call) as response:
            answer.chat_id = response.headers.get("x-chat-id") or answer.chat_id
            answer.secret = secret_of(response.request)
            yield ""
            if _media_type(response) == "application/json":
                if text := answer.whole(call.read(await response.aread())):
                    yield text
                return
            _refuse_web_page(response)
            patience = _Patience(self.timeout.read)
            async with aclosing(_texts(response, answer)) as texts:
                async for text in texts:
                    patience.hear(text)
                    if text:
                        yield text
                        patience.renew()

    @asynccontextmanager
    async def _answer(self, call: Call[Any]) -> AsyncIterator[httpx.Response]:
        """A good answer, of which only the head has come."""
        connections, request_id = self.connections.get(), None
        url, headers, query = self.base_url + call.path, {"Accept": call.accept}, dict(call.query) or None
        form = call.upload.form if call.upload else None
        request = connections.http.build_request(
            call.method, url, params=query, json=call.body, files=form, headers=headers, timeout=self.timeout
        )
        try:
            async with connections.places, aclosing(await self._head(connections.http, request)) as response:
                request_id = response.headers.get("x-request-id")
                if not response.is_success:
                    raise await _failure(call, response)
                yield response
        except httpx.HTTPError as exc:
            raise as_network_failure(exc, request.url.host, request_id) from exc
        except FusionError as error:
            error.request_id = error.request_id or request_id
            raise

    async def _head(self, http: httpx.AsyncClient, request: httpx.Request) -> httpx.Response:
        return await http.send(request, auth=self.auth, stream=True)


async def _texts(response: httpx.Response, answer: StreamAnswer) -> AsyncGenerator[str, None]:
    """The text of each event, often "", and "" for all else that comes, such as comments."""
    reader, data = EventReader(), response.aiter_bytes()
    async for read in data:
        for event in reader.feed(read):
            yield answer.read(event)
        yield ""
        if answer.complete:
            await _drain(data)
            break
    for event in reader.flush():
        yield answer.read(event)
    yield answer.end()


class _Patience:
    """Ends with a stream that goes on for long and says nothing. limit: seconds; None waits for ever."""

    def __init__(self, limit: float | None) -> None:
        self._limit = limit
        self.renew()

    def renew(self) -> None:
        """From now on."""
        self._since = time.monotonic()

    def hear(self, text: str) -> None:
        """Raises TimeoutError."""
        if not text and self._limit is not None and time.monotonic() - self._since > self._limit:
            raise TimeoutError("Fusion sends a stream without text; `timeout` sets how long it may be silent.")


async def _drain(data: AsyncIterator[bytes]) -> None:
    """Read what follows the end, so that the connection can be used again. As a rule it is there already."""
    with suppress(builtins.TimeoutError, httpx.HTTPError):
        async with asyncio.timeout(_DRAIN_TIME):
            async for _ in data:
                pass


async def _failure(call: Call[Any], response: httpx.Response) -> FusionError:
    body = b""
    with suppress(httpx.HTTPError):  # what went wrong is known by its status, even if the reason is cut
        async for piece in response.aiter_bytes():
            body += piece
            if len(body) > _LONGEST_FAILURE:
                break
    secret = secret_of(response.request)
    return as_failure(response.status_code, response.headers, body, secret=secret, missing=call.missing)


def _media_type(response: httpx.Response) -> str:
    kind: str = response.headers.get("content-type", "")
    return kind.partition(";")[0].strip().lower()


def _refuse_web_page(response: httpx.Response) -> None:
    if _media_type(response) == "text/html":
        raise ServerError("Fusion answered with a web page; a login page of a proxy in between would look like this.")
