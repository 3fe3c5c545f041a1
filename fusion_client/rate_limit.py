"""A limit that waits."""

from __future__ import annotations

import asyncio
from collections import deque

from fusion_client.per_loop import PerLoop

MINUTE = 60.0  # seconds


class RateLimit:
    """Lets at most so many calls pass in any `period` (seconds); the others wait, first come, first served.

    A leaky bucket would let nearly twice as many pass in its first period.
    """

    def __init__(self, calls: int, period: float = MINUTE) -> None:
        self._passed: deque[float] = deque(maxlen=calls)
        self._period = period
        self._queue = PerLoop(asyncio.Lock)

    async def wait(self) -> None:
        """Wait for a turn."""
        async with self._queue.get():
            clock = asyncio.get_running_loop().time
            if len(self._passed) == self._passed.maxlen:
                await asyncio.sleep(self._passed[0] + self._period - clock())
            self._passed.append(clock())
