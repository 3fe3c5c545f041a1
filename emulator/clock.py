"""The emulator's clock: wall time that a test may move forward, or let pass faster."""

import time


class Clock:
    """Seconds since the epoch; `advance` lets an hour pass at once, so that no test has to wait for it.

    Its seconds last a `speed`th of a second.
    """

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = speed
        self._start = time.time()
        self._offset = 0.0

    def __call__(self) -> float:
        return self._start + (time.time() - self._start) * self._speed + self._offset

    def advance(self, seconds: float) -> None:
        """Move the clock `seconds` forward. Negative values are refused: tokens would come back to life."""
        if seconds < 0:
            raise ValueError(f"the clock only moves forward, not by {seconds} s")
        self._offset += seconds
