"""Time that passes when a test says so."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Clock:
    """A clock that stands still until `now` is set: seconds, from any beginning."""

    now: float = 1000.0

    def __call__(self) -> float:
        """The time."""
        return self.now

    def tick(self) -> None:
        """A second passes."""
        self.now += 1
