"""Waiting for what another process does, which cannot be awaited but only asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

_EVERY = 0.05  # seconds


async def eventually(condition: Callable[[], Awaitable[bool]], within: float) -> bool:
    """Whether `condition()` was true once, at the latest after `within` seconds."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + within
    while not await condition():
        if clock() > deadline:
            return False
        await asyncio.sleep(_EVERY)
    return True
