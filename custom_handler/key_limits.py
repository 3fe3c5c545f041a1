"""How many requests a minute each key may send: as many in any 60 seconds as its entry says."""

from __future__ import annotations

import math
import time
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from typing import cast
from uuid import uuid4

from redis.asyncio import Redis

from custom_handler.errors import RateLimitedError
from custom_handler.key_list import Key
from custom_handler.redis_link import RedisGoneError, RedisLink

_WINDOW = 60.0
#: In Redis's own time, as the clocks of several machines differ. A request that is sent twice counts once.
#: KEYS: the requests of one key, by their times. ARGV: the window and the number in it, the id of the request.
#: Gives the milliseconds to wait; 0 when the request was counted.
_COUNT = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[1])
if redis.call('ZSCORE', KEYS[1], ARGV[3]) then return 0 end
if redis.call('ZCARD', KEYS[1]) < tonumber(ARGV[2]) then
    redis.call('ZADD', KEYS[1], now, ARGV[3])
    redis.call('PEXPIRE', KEYS[1], ARGV[1])
    return 0
end
return redis.call('ZRANGE', KEYS[1], -ARGV[2], -ARGV[2], 'WITHSCORES')[2] + ARGV[1] - now
"""


class KeyLimits:
    """The requests of the last minute.

    Args:
        redis: counts those of all workers and machines; without it, or while it is gone, each worker counts its own.
        clock: seconds that never go back; a test brings its own.
    """

    def __init__(self, redis: RedisLink | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._redis = redis
        self._clock = clock
        self._times: defaultdict[str, deque[float]] = defaultdict(deque)

    async def count(self, key: Key) -> None:
        """Count one request of `key`.

        Raises:
            RateLimitedError: it has no more; this one was not counted.
        """
        if key.rpm is None:
            return
        wait = await self._count(key, key.rpm)
        if wait > 0:
            raise RateLimitedError(
                f"This key ({key.name}) may send {key.rpm} requests a minute, and has done so.",
                retry_after=math.ceil(wait),
            )

    async def _count(self, key: Key, rpm: int) -> float:
        if self._redis is not None:
            try:
                return await _count_in(self._redis, key, rpm)
            except RedisGoneError:
                pass  # the link has said so
        return self._count_here(key, rpm)

    def _count_here(self, key: Key, rpm: int) -> float:
        times, now = self._times[key.hash], self._clock()
        while times and times[0] + _WINDOW <= now:
            times.popleft()
        if len(times) >= rpm:
            return times[-rpm] + _WINDOW - now
        times.append(now)
        return 0.0


async def _count_in(redis: RedisLink, key: Key, rpm: int) -> float:
    request = uuid4().hex

    def script(server: Redis) -> Awaitable[int]:
        of_key = f"agent-proxy:key:{key.hash}"
        return cast("Awaitable[int]", server.eval(_COUNT, 1, of_key, int(_WINDOW * 1000), rpm, request))

    return await redis.run(script) / 1000
