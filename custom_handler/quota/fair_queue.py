"""The order of those that wait. Pure.

Clients take turns; a client's own requests go as they came. Before all clients go those marked `first`. Whoever waits
for a group without a free place lets others by and keeps its turn.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Collection
from itertools import chain

from custom_handler.quota.tickets import Ticket


class _Lane:
    """The requests of one client, those of each group by age."""

    __slots__ = ("_of_group",)

    def __init__(self) -> None:
        self._of_group: dict[str, list[Ticket]] = {}

    def add(self, ticket: Ticket) -> None:
        insort(self._of_group.setdefault(ticket.group_name, []), ticket, key=_age)

    def remove(self, ticket: Ticket) -> None:
        tickets = self._of_group[ticket.group_name]
        del tickets[bisect_left(tickets, ticket.number, key=_age)]
        if not tickets:
            del self._of_group[ticket.group_name]

    def oldest(self, closed: Collection[str]) -> Ticket | None:
        """The oldest one of a group that is not closed."""
        oldest = [tickets[0] for name, tickets in self._of_group.items() if name not in closed]
        return min(oldest, key=_age, default=None)

    def count(self, group: str | None) -> int:
        """How many wait, of all groups or of one."""
        return sum(map(len, self._chosen(group)))

    def older(self, ticket: Ticket, group: str | None) -> int:
        """How many of them came before `ticket`."""
        return sum(bisect_left(tickets, ticket.number, key=_age) for tickets in self._chosen(group))

    def _chosen(self, group: str | None) -> Collection[list[Ticket]]:
        return self._of_group.values() if group is None else [self._of_group.get(group, [])]


class FairQueue:
    """Those that wait, each once."""

    def __init__(self) -> None:
        self._first = _Lane()
        self._lanes: OrderedDict[str, _Lane] = OrderedDict()  # whose turn it is comes first

    def add(self, ticket: Ticket) -> None:
        """`ticket` comes; a client that had none waits for a whole round."""
        lane = self._first if ticket.first else self._lanes.setdefault(ticket.client, _Lane())
        lane.add(ticket)

    def remove(self, ticket: Ticket) -> None:
        """`ticket` goes away."""
        self._lane(ticket).remove(ticket)
        if not ticket.first and not self._lanes[ticket.client].count(None):
            del self._lanes[ticket.client]

    def take(self, ticket: Ticket) -> None:
        """`ticket` had its turn."""
        self.remove(ticket)
        if not ticket.first and ticket.client in self._lanes:
            self._lanes.move_to_end(ticket.client)

    def next(self, closed: Collection[str]) -> Ticket | None:
        """Whose turn it is, when the groups in `closed` have no place."""
        lanes = chain([self._first], self._lanes.values())
        return next((ticket for lane in lanes if (ticket := lane.oldest(closed))), None)

    def ahead(self, ticket: Ticket, group: str | None = None) -> int:
        """How many go before `ticket` if no others come: of all groups, or of one. Never too few."""
        own = self._lane(ticket).older(ticket, group)
        if ticket.first:
            return own
        others = (lane for client, lane in self._lanes.items() if client != ticket.client)
        return self._first.count(group) + own + sum(min(lane.count(group), own + 1) for lane in others)

    def _lane(self, ticket: Ticket) -> _Lane:
        return self._first if ticket.first else self._lanes[ticket.client]


def _age(ticket: Ticket) -> int:
    return ticket.number
