"""Those who wait for their turn, each in an event loop that need not be the running one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from custom_handler.errors import RateLimitedError


@dataclass(slots=True, eq=False)
class Waiter:
    """Somebody who waits.

    Attributes:
        patience: seconds that it waits at most.
        until: clock time at which they are over.
        turn: done when it may go; fails when that will be too late.
    """

    patience: float
    until: float
    turn: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def wake(self, error: RateLimitedError | None = None) -> bool:
        """Let it go, or fail. False when its loop was closed, and nobody waits there any more."""
        return call(self.turn.get_loop(), self._wake, error)

    def _wake(self, error: RateLimitedError | None) -> None:
        if self.turn.done():
            return
        if error is None:
            self.turn.set_result(None)
        else:
            self.turn.set_exception(error)


def call(loop: asyncio.AbstractEventLoop, function: Callable[..., object], *given: object) -> bool:
    """Have `loop` call `function`. False when it was closed."""
    try:
        loop.call_soon_threadsafe(function, *given)
    except RuntimeError:
        return False
    return True
