"""Places that requests take: one in the last minute, counted by when they began, and one among those that run. Pure."""

from __future__ import annotations

from collections import deque
from contextlib import suppress

from custom_handler.quota.tickets import Limits

_ROUNDING = 1e-6  # so that 0.7 of 90 is 63


class Places:
    """The places of an account or of a group.

    The window slides: at any time, those that began within the last `window` count. So the budget is used up fully, and
    no minute, wherever the service lets it begin, has more of them than the limit.

    Args:
        limits: how many places there are.
        window: how long a start counts, in the unit of the clock; a minute of the service.
        share: how many processes share them.

    Attributes:
        whole: how many places there are.
        limits: what this process has of them.
        starts: clock time and key of those that count, oldest first.
        running: how many run.
    """

    def __init__(self, limits: Limits, window: float, share: int = 1) -> None:
        self.starts: deque[tuple[float, str]] = deque()
        self.running = 0
        self._window = window
        self.resize(limits, share)

    def resize(self, limits: Limits, share: int) -> None:
        """From now on there are so many places, and so many processes share them."""
        self.whole, self.limits = limits, limits.shared_by(share)

    def allowed(self, fraction: float = 1.0) -> int:
        """How many starts the window may have, when only a `fraction` of the limit may be used; never none."""
        return max(1, int(self.limits.per_minute * fraction + _ROUNDING))

    def free(self, now: float, fraction: float = 1.0) -> bool:
        """Whether one more may begin."""
        return self.running < self.limits.at_once and len(self._current(now)) < self.allowed(fraction)

    def begin(self, key: str, now: float) -> None:
        """One begins."""
        self._current(now).append((now, key))
        self.running += 1

    def end(self) -> None:
        """One has ended; its start still counts."""
        self.running -= 1

    def forget(self, key: str, began: float) -> None:
        """One has not begun after all."""
        with suppress(ValueError):  # a minute ago it did
            self.starts.remove((began, key))

    def opens_at(self, now: float, fraction: float = 1.0) -> float | None:
        """When a start leaves the window that is full; None where time alone changes nothing."""
        if self.running >= self.limits.at_once or self.free(now, fraction):
            return None
        return self.starts[0][0] + self._window

    def turn_at(self, ahead: int, now: float, earliest: float, fraction: float = 1.0) -> float:
        """When one begins that has so many ahead of it: as if none took long, and none began before `earliest`."""
        count, allowed = len(self._current(now)), self.allowed(fraction)
        rounds, index = 0, count + ahead - allowed  # of the start that must have left the window by then
        if index >= count:  # it is one of those ahead
            rounds = (index - count) // allowed + 1
            index -= rounds * allowed
        if index >= 0:
            earliest = max(earliest, self.starts[index][0] + self._window)
        return earliest + rounds * self._window

    def _current(self, now: float) -> deque[tuple[float, str]]:
        while self.starts and self.starts[0][0] + self._window <= now:
            self.starts.popleft()
        return self.starts
