"""The rate limit: so many requests in any window of a minute, counted per account."""

from collections import deque
from collections.abc import Callable, Hashable

WINDOW_SECONDS = 60.0


class SlidingWindow:
    """At most `limit` admissions per key in any 60 s. `limit=None` admits everything."""

    def __init__(self, limit: int | None, clock: Callable[[], float]) -> None:
        self._limit = limit
        self._clock = clock
        self._admitted: dict[Hashable, deque[float]] = {}

    def admit(self, key: Hashable) -> bool:
        """Count one request of `key`; False when the window is full (a refused request is not counted)."""
        if self._limit is None:
            return True
        now, times = self._clock(), self._recent(key)
        if len(times) >= self._limit:
            return False
        times.append(now)
        return True

    def wait(self, key: Hashable) -> float:
        """Seconds until the next one of `key` is admitted."""
        times = self._recent(key)
        return times[0] + WINDOW_SECONDS - self._clock() if times and len(times) == self._limit else 0.0

    def _recent(self, key: Hashable) -> deque[float]:
        times = self._admitted.setdefault(key, deque())
        while times and times[0] <= self._clock() - WINDOW_SECONDS:
            times.popleft()
        return times

    def clear(self) -> None:
        """Forget every request counted so far."""
        self._admitted.clear()
