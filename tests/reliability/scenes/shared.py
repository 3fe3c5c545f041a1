"""Redis stops under load, and returns."""

from __future__ import annotations

import asyncio

from tests.reliability.scenes.others import others
from tests.reliability.scenes.scene import PATIENCE, Found, Ground, Scene
from tests.support.redis_server import RedisServer

_CLIENTS = 8
_PHASE = 3.0  # seconds with Redis, without it, and with it again


def scenes(redis: RedisServer) -> tuple[Scene, ...]:
    """The scene with this Redis."""

    async def play(ground: Ground) -> Found:
        async with others(ground, _CLIENTS) as met:
            await asyncio.sleep(_PHASE)
            await asyncio.to_thread(redis.stop)
            await asyncio.sleep(_PHASE)
            await asyncio.to_thread(redis.start)
            await asyncio.sleep(_PHASE)
        return Found("every request answered", met.broken(PATIENCE))

    return (Scene("Redis stops under load, and returns empty", "nobody notices", play),)
