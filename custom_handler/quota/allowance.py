"""What is left of the budget when the service refuses requests, which is how other users of the account show. Pure."""

from __future__ import annotations

import math

#: Minutes in which a budget grows from nothing to the whole.
_RECOVERY = 5


class Allowance:
    """The part of the budget that may be used: halved when the service refuses, growing steadily afterwards.

    Requests that are on their way together are refused together. That is one episode, and it halves once.

    Args:
        window: a minute of the service, in the unit of the clock.

    Attributes:
        low: the fraction that was left when the pause of the last episode began.
        paused_until: clock time at which that pause ends.
    """

    def __init__(self, window: float) -> None:
        self.low = 1.0
        self.paused_until = -math.inf
        self.recovery = _RECOVERY * window

    def fraction(self, now: float) -> float:
        """The part that may be used, above 0 and up to 1."""
        return min(1.0, self.low + max(0.0, now - self.paused_until) / self.recovery)

    def refused(self, granted: float, pause: float, now: float) -> bool:
        """The service refused a request that was let go at `granted`, and wants a pause. Whether an episode begins."""
        if granted < self.paused_until:
            if now < self.paused_until:
                self.paused_until = max(self.paused_until, now + pause)
            return False
        self.low = self.fraction(now) / 2
        self.paused_until = now + pause
        return True
