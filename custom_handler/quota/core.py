"""The quota of one account: who may ask now, who waits, and until when. Pure: it is told the time, and never waits."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, count

from custom_handler.quota.allowance import Allowance
from custom_handler.quota.fair_queue import FairQueue
from custom_handler.quota.places import Places
from custom_handler.quota.tickets import Group, Limits, Ticket


class Core:
    """All tickets of one account. Those that wait have asked and not been let go; those that run have.

    Args:
        limits: the account's.
        window: a minute of the service, in the unit of the clock.
        name: begins the keys of tickets.

    Attributes:
        limits, window: as given.
        waiting, running: tickets by their keys.
        allowance: the part of the account's budget that may be used.
    """

    def __init__(self, limits: Limits, window: float = 60.0, name: str = "") -> None:
        self.limits = limits
        self.window = window
        self.waiting: dict[str, Ticket] = {}
        self.running: dict[str, Ticket] = {}
        self.allowance = Allowance(window)
        self._name = name
        self._share = 1
        self._account = Places(limits, window)
        self._groups: dict[str, Places] = {}
        self._queue = FairQueue()
        self._numbers = count(1)

    def limit(self, limits: Limits, share: int) -> None:
        """From now on the account has these limits, and this process that share of them: one of so many."""
        if (limits, share) != (self.limits, self._share):
            self.limits, self._share = limits, share
            self._account.resize(limits, share)
            for places in self._groups.values():
                places.resize(places.whole, share)

    def ask(self, ticket: Ticket, now: float) -> None:
        """`ticket` queues up; once more, it goes first."""
        number = next(self._numbers)
        if ticket.number:
            ticket.first = True
        else:
            ticket.number, ticket.arrived = number, now
        ticket.key = f"{self._name}{number}"
        if ticket.group:
            self._meet(ticket.group)
        self.waiting[ticket.key] = ticket
        self._queue.add(ticket)

    def leave(self, ticket: Ticket) -> None:
        """`ticket` is of no use any more, and nothing was sent for it."""
        if self.waiting.pop(ticket.key, None):
            self._queue.remove(ticket)
        elif ticket.key in self.running:
            for places in self._places(ticket):
                places.forget(ticket.key, ticket.granted)
            self.release(ticket)

    def release(self, ticket: Ticket) -> None:
        """What was sent for `ticket` has ended."""
        del self.running[ticket.key]
        for places in self._places(ticket):
            places.end()

    def refused(self, ticket: Ticket, pause: float, now: float) -> bool:
        """The service refused what was sent for `ticket`, and wants a pause. Whether an episode begins."""
        self.release(ticket)
        return self.allowance.refused(ticket.granted, pause, now)

    def grants(self, now: float) -> list[Ticket]:
        """Those that may go now; they run from now on."""
        granted = []
        while self.waiting and (ticket := self._next(now)):
            self.grant(ticket, now)
            granted.append(ticket)
        return granted

    def grant(self, ticket: Ticket, now: float) -> None:
        """Let `ticket` go, whether or not it is its turn."""
        del self.waiting[ticket.key]
        self._queue.take(ticket)
        ticket.granted = now
        self.running[ticket.key] = ticket
        for places in self._places(ticket):
            places.begin(ticket.key, now)

    def wake_at(self, now: float) -> float | None:
        """When to ask for `grants` again, even if nothing happens until then; None for never."""
        if not self.waiting:
            return None
        if now < self.allowance.paused_until:
            return self.allowance.paused_until
        fraction = self.allowance.fraction(now)
        account = self._account.opens_at(now, fraction)
        times = [account, *(places.opens_at(now) for places in self._groups.values())]
        if account is not None and fraction < 1:
            times.append(now + self.window / 60)  # it recovers
        return min((time for time in times if time is not None), default=None)

    def wait(self, ticket: Ticket, now: float) -> float:
        """How long `ticket` will wait, by its place, the budgets and the pause, if no answer takes long."""
        earliest = max(now, self.allowance.paused_until)
        fraction = self.allowance.fraction(now)
        turn = self._account.turn_at(self._queue.ahead(ticket), now, earliest, fraction)
        if ticket.group:
            ahead = self._queue.ahead(ticket, ticket.group.name)
            turn = max(turn, self._groups[ticket.group.name].turn_at(ahead, now, earliest))
        return turn - now

    def budget(self, now: float) -> int:
        """Requests a minute that may begin."""
        return self._account.allowed(self.allowance.fraction(now))

    def starts(self) -> Iterator[tuple[str, str, float]]:
        """Key, group (empty for the account) and time of every start that may still count."""
        for name, places in chain([("", self._account)], self._groups.items()):
            yield from ((key, name, began) for began, key in places.starts)

    def group_limits(self) -> Iterator[tuple[str, Limits]]:
        """The groups that were met, and what each may use."""
        return ((name, places.whole) for name, places in self._groups.items())

    def _meet(self, group: Group) -> None:
        """Know the budget of `group`, as it is now."""
        if group.name not in self._groups:
            self._groups[group.name] = Places(group.limits, self.window)
        self._groups[group.name].resize(group.limits, self._share)

    def _next(self, now: float) -> Ticket | None:
        if now < self.allowance.paused_until or not self._account.free(now, self.allowance.fraction(now)):
            return None
        closed = {name for name, places in self._groups.items() if not places.free(now)}
        return self._queue.next(closed)

    def _places(self, ticket: Ticket) -> Iterator[Places]:
        yield self._account
        if ticket.group:
            yield self._groups[ticket.group.name]
