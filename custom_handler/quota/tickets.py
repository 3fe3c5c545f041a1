"""Who asks, and how much may be asked."""

from __future__ import annotations

from dataclasses import dataclass

#: Stands for "as many as you like".
NO_LIMIT = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """How many requests may begin in any minute, and how many may run at once; both at least 1."""

    per_minute: int = NO_LIMIT
    at_once: int = NO_LIMIT

    def shared_by(self, workers: int) -> Limits:
        """What each of so many has of it; never nothing."""
        return Limits(max(1, self.per_minute // workers), max(1, self.at_once // workers))


@dataclass(frozen=True, slots=True)
class Group:
    """Models with a budget of their own, inside that of the account."""

    name: str
    limits: Limits


@dataclass(slots=True, eq=False)
class Ticket:
    """One question to the service on its way through the queue. It stays the same when the question is asked again.

    Attributes:
        client: whose question it is; clients take turns.
        group: whose budget it needs beside that of the account.
        first: it goes before all that have not begun: it belongs to an answer that has, or it had its turn before.
        key: names this try, in all the world.
        number: counts arrivals; 0 before the first.
        arrived: clock time of the first arrival.
        waited: seconds in the queue, of all tries together.
        granted: clock time at which it was let go the last time.
    """

    client: str
    group: Group | None = None
    first: bool = False
    key: str = ""
    number: int = 0
    arrived: float = 0.0
    waited: float = 0.0
    granted: float = 0.0

    @property
    def group_name(self) -> str:
        """The name of its group; empty without one."""
        return self.group.name if self.group else ""
