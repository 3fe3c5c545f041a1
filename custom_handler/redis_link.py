"""Redis, where one is set: what all workers and machines know together.

It is never needed. While it is gone, whoever asks learns that at once and goes on with what this process knows alone;
it is tried again once a second.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar
from urllib.parse import urlsplit

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

log = logging.getLogger("custom_handler.redis")

T = TypeVar("T")

#: Seconds. Redis answers within milliseconds; a request must not wait long for one that does not.
_TIMEOUT = 1.0
_TRY_AGAIN_AFTER = 1.0
#: Commands; more wait for one another. Redis's client refuses the 101st, which would count as a Redis that is gone.
_AT_ONCE = 50


class RedisGoneError(Exception):
    """Redis cannot be used now. No error of a request: whoever asked goes on alone."""


class RedisLink:
    """One Redis, and whether it answers. It belongs to the event loop that uses it first.

    Args:
        url: such as `redis://:password@host:6379/0`; `rediss://` for TLS.
        clock: seconds that never go back; a test brings its own.
    """

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        # One try more, on a new connection: those in the pool are dead when Redis was started again.
        self._redis: Redis = Redis.from_url(
            url,
            decode_responses=True,
            socket_timeout=_TIMEOUT,
            socket_connect_timeout=_TIMEOUT,
            retry=Retry(NoBackoff(), 1),
        )
        self._free = asyncio.Semaphore(_AT_ONCE)
        self._where = f"Redis at {urlsplit(url).hostname}:{urlsplit(url).port or 6379}"
        self._clock = clock
        self._gone_until: float | None = None

    @property
    def gone(self) -> bool:
        """Whether it did not answer the last time."""
        return self._gone_until is not None

    async def run(self, command: Callable[[Redis], Awaitable[T]]) -> T:
        """What `command` gives. It may be sent twice, so a second time must do no harm.

        Raises:
            RedisGoneError: Redis did not answer, or not with what was asked for.
        """
        async with self._free:
            self._refuse_while_gone()
            try:
                result = await command(self._redis)
            except (RedisError, OSError) as exc:
                self._lose(exc)
                raise RedisGoneError(self._where) from exc
            self._find()
            return result

    async def aclose(self) -> None:
        """Close its connections."""
        await self._redis.aclose()

    def _refuse_while_gone(self) -> None:
        """Raise until it is time to try again; then let one find out whether it is back, and nobody wait with it."""
        if self._gone_until is None:
            return
        now = self._clock()
        if now < self._gone_until:
            raise RedisGoneError(self._where)
        self._gone_until = now + _TRY_AGAIN_AFTER

    def _lose(self, exc: Exception) -> None:
        if self._gone_until is None:
            log.error(
                "%s is gone (%s): each worker goes on alone, with its share of the quota and its own memory of "
                "conversations, until it is back",
                self._where,
                type(exc).__name__,
            )
        self._gone_until = self._clock() + _TRY_AGAIN_AFTER

    def _find(self) -> None:
        if self._gone_until is not None:
            log.warning("%s is back: workers share quota and conversations again", self._where)
        self._gone_until = None
