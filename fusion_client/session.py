"""What stands around a call: the cache, new tries, and the rate limit."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeVar

from fusion_client import calls
from fusion_client.calls import Call
from fusion_client.channel import Channel
from fusion_client.errors import ValidationError
from fusion_client.models import ChatResponse
from fusion_client.rate_limit import RateLimit
from fusion_client.read_cache import ReadCache
from fusion_client.retrying import Retries
from fusion_client.stream import TokenStream
from fusion_client.stream_answer import StreamAnswer

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Session:
    """How all calls of one client are made. limit, cache: None for none."""

    channel: Channel
    retries: Retries
    limit: RateLimit | None
    cache: ReadCache | None

    async def ask(self, call: Call[Answer]) -> Answer:
        """The answer of `call`. Raises FusionError."""
        if self.cache is None:
            return await self._fetch(call)
        if call.reads:
            return await self.cache.read(call, lambda: self._fetch(call))
        try:
            return await self._fetch(call)
        finally:
            self.cache.written(call)

    async def stream(self, call: Call[ChatResponse], answer: StreamAnswer) -> TokenStream:
        """The answer of `call` as it comes. Where the service knows no streams, all of it at once."""

        async def begin() -> AsyncGenerator[str, None]:
            await self._turn()
            tokens = self._tokens(calls.streamed(call), answer)
            await anext(tokens)
            return tokens

        try:
            return TokenStream(await self.retries.run(begin, reads=False), answer)
        except ValidationError as error:
            if not _refuses_streams(error):
                raise
            return TokenStream(_at_once(answer.whole(await self.ask(call))), answer)

    async def _fetch(self, call: Call[Answer]) -> Answer:
        async def attempt() -> Answer:
            await self._turn()
            return await self.channel.send(call)

        return await self.retries.run(attempt, reads=call.reads)

    async def _turn(self) -> None:
        if self.limit is not None:
            await self.limit.wait()

    async def _tokens(self, call: Call[ChatResponse], answer: StreamAnswer) -> AsyncGenerator[str, None]:
        try:
            async with aclosing(self.channel.tokens(call, answer)) as tokens:
                async for token in tokens:
                    yield token
        finally:
            if self.cache is not None:
                self.cache.written(call)


async def _at_once(text: str) -> AsyncGenerator[str, None]:
    if text:
        yield text


def _refuses_streams(error: ValidationError) -> bool:
    """Whether the service refused the field `stream`: it says so, or nothing at all. Then nothing was said twice."""
    said = str(error.details or "").lower()
    return error.status in (400, 422) and ("stream" in said or not said)
