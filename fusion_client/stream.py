"""A streamed answer, for whoever asked."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from fusion_client.errors import StreamConsumedError
from fusion_client.models import ChatResponse
from fusion_client.stream_answer import StreamAnswer


class TokenStream:
    """The tokens of an answer as they come. Made by `send_message(…, stream=True)`.

        stream = await client.send_message(agent_id, "Hi", stream=True)
        async for token in stream:
            print(token, end="")
        response = await stream  # the whole answer, also after the loop, or in place of it

    It can be iterated once. Leave a loop early with `async with stream:` around it, or call `aclose`: the connection
    is closed at once. A stream that is dropped is closed when it is collected.

    Raises, while it is read:
        FusionError: the answer was cut, cannot be read, or the service reported an error. Tokens that came count.
        StreamConsumedError: it was iterated before, or closed before its end.
    """

    def __init__(self, tokens: AsyncGenerator[str, None], answer: StreamAnswer) -> None:
        self._tokens = tokens
        self._answer = answer
        self._iterated = False
        # It holds the generators, so that a collector that finds the stream in a cycle does not end each by itself.
        self._drop = weakref.finalize(self, _close_soon, asyncio.get_running_loop(), tokens)
        self._drop.atexit = False

    @property
    def chat_id(self) -> str | None:
        """The chat; None until the service has told it, which it may never do."""
        return self._answer.chat_id

    @property
    def ended(self) -> bool:
        """Whether the service said that the answer is complete. Where it only closed the connection, nobody knows."""
        return self._answer.ended

    def __aiter__(self) -> AsyncIterator[str]:
        if self._iterated:
            raise StreamConsumedError("This stream was read before; `await` it for the whole answer.")
        self._iterated = True
        return _Tokens(self)

    async def __anext__(self) -> str:
        try:
            return await anext(self._tokens)
        except BaseException:  # which ends them
            self._drop.detach()
            raise

    def __await__(self) -> Generator[Any, None, ChatResponse]:
        return self._whole().__await__()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connection; what has not come yet is lost."""
        self._drop.detach()
        await self._tokens.aclose()

    async def _whole(self) -> ChatResponse:
        self._iterated = True
        while await anext(self, None) is not None:
            pass
        return self.response()

    def response(self) -> ChatResponse:
        """The whole answer, once all of it has come. Raises StreamConsumedError before, and where it never will."""
        if not self._answer.complete:
            raise StreamConsumedError("This stream was closed, or broke, before its end: there is no whole answer.")
        return self._answer.response()


class _Tokens:
    """The one iterator of a stream, which gives itself when it is iterated."""

    def __init__(self, stream: TokenStream) -> None:
        self._stream = stream

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        return await anext(self._stream)


def _close_soon(loop: asyncio.AbstractEventLoop, tokens: AsyncGenerator[str, None]) -> None:
    """Nobody reads them any more. The collector may say so in any thread."""
    with suppress(RuntimeError):  # the loop is gone, and with it they are
        loop.call_soon_threadsafe(lambda: loop.create_task(tokens.aclose()))
