"""What stands around a call: the observer, the cache, new tries, and the rate limit."""

from __future__ import annotations

import re
import weakref
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import TypeVar

from fusion_client import calls
from fusion_client.calls import Call
from fusion_client.channel import Channel
from fusion_client.errors import ValidationError
from fusion_client.models import ChatResponse
from fusion_client.observing import Observation, Observer, Unobserved, ending
from fusion_client.rate_limit import RateLimit
from fusion_client.read_cache import ReadCache
from fusion_client.retrying import Retries
from fusion_client.stream import TokenStream
from fusion_client.stream_answer import StreamAnswer

Answer = TypeVar("Answer")

_STREAM = re.compile(r"\bstream", re.IGNORECASE)


@dataclass(slots=True)
class Session:
    """How all calls of one client are made.

    limit, cache: None for none. streams: whether the service may know them.
    """

    channel: Channel
    retries: Retries
    limit: RateLimit | None = None
    cache: ReadCache | None = None
    observer: Observer = field(default_factory=Unobserved)
    streams: bool = True
    _open: weakref.WeakSet[TokenStream] = field(default_factory=weakref.WeakSet)

    async def ask(self, call: Call[Answer]) -> Answer:
        """The answer of `call`. Raises FusionError."""
        observation = self.observer.begin(call.operation, call.about)
        with ending(observation):
            if self.cache is not None and call.reads and call.kept:
                return await self.cache.read(call, lambda: self._fetch(call, observation))
            return await self._fetch(call, observation)

    async def stream(self, call: Call[ChatResponse], answer: StreamAnswer) -> TokenStream:
        """The answer of `call` as it comes; where the service knows no streams, all at once. Raises FusionError."""
        refused = False
        if self.streams:
            try:
                stream = TokenStream(await self._opened(calls.streamed(call), answer), answer)
                self._open.add(stream)
                return stream
            except ValidationError as error:
                if not _may_refuse_streams(error):
                    raise
                refused = _refuses_streams(error)
        whole = answer.whole(await self.ask(call))
        self.streams = self.streams and not refused  # a body that is wrong otherwise may be quoted, with `stream`
        return TokenStream(_at_once(whole), answer)

    async def close_streams(self) -> None:
        """Close the streams that are not read to their end."""
        for stream in list(self._open):
            with suppress(RuntimeError):  # somebody waits for its next token, and will hear that the connection is gone
                await stream.aclose()

    async def _fetch(self, call: Call[Answer], observation: Observation) -> Answer:
        async def attempt() -> Answer:
            await self._turn(observation)
            return await self.channel.send(call)

        try:
            return await self.retries.run(attempt, reads=call.reads)
        finally:
            self._written(call)

    async def _opened(self, call: Call[ChatResponse], answer: StreamAnswer) -> AsyncGenerator[str, None]:
        """The tokens of a stream that has begun."""
        tokens = self._tokens(call, answer)
        await anext(tokens)
        return tokens

    async def _tokens(self, call: Call[ChatResponse], answer: StreamAnswer) -> AsyncGenerator[str, None]:
        """The tokens, and "" before the first."""
        observation = self.observer.begin(call.operation, call.about)
        with ending(observation):
            try:
                async with aclosing(await self._begun(call, answer, observation)) as tokens:
                    self._written(call)  # its question is
                    yield ""
                    async for token in tokens:
                        observation.token()
                        yield token
            finally:
                self._written(call)

    async def _begun(
        self, call: Call[ChatResponse], answer: StreamAnswer, observation: Observation
    ) -> AsyncGenerator[str, None]:
        async def attempt() -> AsyncGenerator[str, None]:
            await self._turn(observation)
            tokens = self.channel.tokens(call, answer)
            await anext(tokens)
            return tokens

        return await self.retries.run(attempt, reads=False)

    async def _turn(self, observation: Observation) -> None:
        if self.limit is not None:
            await self.limit.wait()
        observation.attempt()

    def _written(self, call: Call[Answer]) -> None:
        if self.cache is not None and not call.reads:
            self.cache.written(call)


async def _at_once(text: str) -> AsyncGenerator[str, None]:
    if text:
        yield text


def _may_refuse_streams(error: ValidationError) -> bool:
    """Whether the service refused the field `stream`: it says so, or nothing at all. Then nothing is said twice."""
    return error.status in (400, 422) and (not error.details or _refuses_streams(error))


def _refuses_streams(error: ValidationError) -> bool:
    return bool(_STREAM.search(str(error.details)))
