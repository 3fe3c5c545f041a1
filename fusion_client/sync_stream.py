"""A streamed answer, for whoever asked in a program without an event loop."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Self

from fusion_client.loop_thread import LoopThread
from fusion_client.models import ChatResponse
from fusion_client.stream import TokenStream


class SyncTokenStream:
    """The tokens of an answer as they come; see `TokenStream`.

    with client.send_message(agent_id, "Hi", stream=True) as stream:
        for token in stream:
            print(token, end="")
    response = stream.response()  # the whole answer
    """

    def __init__(self, loop: LoopThread, stream: TokenStream) -> None:
        self._loop = loop
        self._stream = stream

    @property
    def chat_id(self) -> str | None:
        """The chat; None until the service has told it, which it may never do."""
        return self._stream.chat_id

    @property
    def ended(self) -> bool:
        """See `TokenStream.ended`."""
        return self._stream.ended

    def __iter__(self) -> Iterator[str]:
        aiter(self._stream)  # which raises the second time
        return iter(self._token, None)

    def __next__(self) -> str:
        token = self._token()
        if token is None:
            raise StopIteration
        return token

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def response(self) -> ChatResponse:
        """The whole answer; what has not come yet is waited for. Raises as `TokenStream` does."""
        return self._stream.response() if self._loop.closed else self._loop.wait(self._whole)

    def close(self) -> None:
        """Close the connection; what has not come yet is lost."""
        if not self._loop.closed:
            self._loop.wait(self._stream.aclose)

    def _token(self) -> str | None:
        return self._loop.wait(self._next)

    async def _next(self) -> str | None:
        return await anext(self._stream, None)

    async def _whole(self) -> ChatResponse:
        return await self._stream
