"""Where it is kept how far conversations have come: in this process, or in Redis for all workers.

What is kept is taken out to be used, and put back under another key when the answer is there. So of two requests that
go on from the same place, one gets it, and what went wrong in between leaves nothing behind.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from redis.asyncio import Redis

from custom_handler.redis_link import RedisGoneError, RedisLink

#: Each takes about half a kilobyte.
MOST = 20_000
#: The number says how the values are written; workers of different versions do not read each other's.
_PREFIX = "agent-proxy:conversation:1:"


class OwnStore:
    """Texts by key, in this process, for all of its threads and event loops; the oldest are dropped when it is full.

    Args:
        clock: seconds that never go back; a test brings its own.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[str, float]] = OrderedDict()

    def take(self, key: str) -> str | None:
        """What was put under `key`, at most once."""
        with self._lock:
            text, until = self._kept.pop(key, (None, 0.0))
        return text if self._clock() < until else None

    def put(self, key: str, text: str, seconds: float) -> None:
        """Keep `text` for so long."""
        now = self._clock()
        with self._lock:
            self._kept.pop(key, None)
            self._kept[key] = text, now + seconds
            while len(self._kept) > MOST or next(iter(self._kept.values()))[1] <= now:
                self._kept.popitem(last=False)


@dataclass(frozen=True, slots=True)
class SharedStore:
    """The same in Redis, where one is set; while that is gone, in this process alone.

    A text is never in both: two workers could otherwise take it.
    """

    own: OwnStore
    redis: RedisLink | None

    async def take(self, key: str) -> str | bytes | None:
        """What was put under `key`, at most once by all workers together."""
        text = self.own.take(key)
        if text is not None or self.redis is None:
            return text

        async def fetch(redis: Redis) -> str | bytes | None:
            return await redis.getdel(_PREFIX + key)

        try:
            return await self.redis.run(fetch)
        except RedisGoneError:
            return None

    async def put(self, key: str, text: str, seconds: float) -> None:
        """Keep `text` for so long."""
        if self.redis is None:
            self.own.put(key, text, seconds)
            return
        sent = False

        async def send(redis: Redis) -> None:
            nonlocal sent
            await redis.ping()
            sent = True
            await redis.set(_PREFIX + key, text, px=max(1, round(seconds * 1000)))

        try:
            await self.redis.run(send)
        except RedisGoneError:
            if not sent:  # else Redis may have it
                self.own.put(key, text, seconds)
