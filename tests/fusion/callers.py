"""Both forms of the client behind one face, so that a test is written once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Protocol, Self

from fusion_client import ChatResponse, FusionClient, SyncFusionClient, SyncTokenStream, TokenStream

AGENT = "00000000-0000-4000-8000-000000000000"
UNKNOWN = "99999999-9999-4999-8999-999999999999"
KEY = "sk-very-secret"


class Stream(Protocol):
    """A streamed answer."""

    @property
    def chat_id(self) -> str | None: ...
    @property
    def ended(self) -> bool: ...
    def first(self) -> str: ...
    def tokens(self) -> list[str]: ...
    def whole(self) -> ChatResponse: ...
    def close(self) -> None: ...


class Caller(Protocol):
    """A client."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *about: object) -> None: ...
    def ask(self, method: str, *arguments: Any, **options: Any) -> Any: ...
    def stream(self, message: str = "hello", **options: Any) -> Stream: ...
    def pause(self) -> None: ...
    @property
    def client(self) -> FusionClient | SyncFusionClient: ...


class AsyncCaller:
    """`FusionClient` on a loop that stands still between two calls."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._runner = asyncio.Runner()
        self.client = FusionClient(**options)

    def __enter__(self) -> Self:
        self._runner.run(self.client.__aenter__())
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.run(self.client.__aexit__(None, None, None))
        self._runner.close()

    def ask(self, method: str, *arguments: Any, **options: Any) -> Any:
        return self._runner.run(getattr(self.client, method)(*arguments, **options))

    def stream(self, message: str = "hello", **options: Any) -> Stream:
        sent = self.client.send_message(AGENT, message, stream=True, **options)
        return AsyncStream(self._runner, self._runner.run(sent))

    def pause(self) -> None:
        """Let the loop do what waits to be done."""
        self._runner.run(asyncio.sleep(0.01))


class AsyncStream:
    def __init__(self, runner: asyncio.Runner, stream: TokenStream) -> None:
        self._runner = runner
        self._stream = stream

    @property
    def chat_id(self) -> str | None:
        return self._stream.chat_id

    @property
    def ended(self) -> bool:
        return self._stream.ended

    def first(self) -> str:
        async def first() -> str:
            return await anext(aiter(self._stream))

        return self._runner.run(first())

    def tokens(self) -> list[str]:
        async def tokens() -> list[str]:
            async with self._stream as stream:
                return [token async for token in stream]

        return self._runner.run(tokens())

    def whole(self) -> ChatResponse:
        async def whole() -> ChatResponse:
            return await self._stream

        return self._runner.run(whole())

    def close(self) -> None:
        self._runner.run(self._stream.aclose())


class SyncCaller:
    """`SyncFusionClient`."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.client = SyncFusionClient(**options)

    def __enter__(self) -> Self:
        self.client.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.client.__exit__(None, None, None)

    def ask(self, method: str, *arguments: Any, **options: Any) -> Any:
        return getattr(self.client, method)(*arguments, **options)

    def stream(self, message: str = "hello", **options: Any) -> Stream:
        return SyncStream(self.client.send_message(AGENT, message, stream=True, **options))

    def pause(self) -> None:
        """Its loop runs on its own."""


class SyncStream:
    def __init__(self, stream: SyncTokenStream) -> None:
        self._stream = stream

    @property
    def chat_id(self) -> str | None:
        return self._stream.chat_id

    @property
    def ended(self) -> bool:
        return self._stream.ended

    def first(self) -> str:
        return next(iter(self._stream))

    def tokens(self) -> list[str]:
        with self._stream as stream:
            return list(stream)

    def whole(self) -> ChatResponse:
        return self._stream.response()

    def close(self) -> None:
        self._stream.close()
