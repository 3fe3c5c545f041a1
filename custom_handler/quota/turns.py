"""A question's turn: waited for before it is asked, and given back when its answer has ended."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from custom_handler import tracing
from custom_handler.errors import ServiceQuotaError
from custom_handler.quota.account import AccountQuota
from custom_handler.quota.shared import SharedQuota
from custom_handler.quota.tickets import Group, Ticket
from custom_handler.quota.waiters import Waiter

#: Seconds that Redis may take to decide, even about one that may not wait at all. Two go by until a Redis that hangs is
#: given up, and three until all workers have come back to one that was started again.
_LEAST = 4.0


@dataclass(frozen=True, slots=True)
class Turns:
    """The turns of one client's questions.

    Attributes:
        quota: whose turn it is, as this process knows.
        shared: the same, as Redis knows; None without Redis.
        client: whose questions they are; empty is a client, too.
        group: the group of the model, if that has a budget of its own.
        max_wait: seconds that a question may wait, all its tries together.
        timeout: seconds after which nobody is interested in the question any more.
    """

    quota: AccountQuota
    shared: SharedQuota | None = None
    client: str = ""
    group: Group | None = None
    max_wait: float = math.inf
    timeout: float = math.inf

    def ticket(self, *, first: bool = False) -> Ticket:
        """What a question queues up with. The same one serves all of its tries.

        Args:
            first: it goes before all that have not begun.
        """
        return Ticket(self.client, self.group, first)

    @asynccontextmanager
    async def turn(self, ticket: Ticket) -> AsyncIterator[None]:
        """Wait for the turn of `ticket`; inside the block it has it.

        A `ServiceQuotaError` that comes out of the block means that the service has refused: the account pauses.

        Raises:
            RateLimitedError: it would have to wait longer than it may.
        """
        await self._take(ticket)
        pause = None
        try:
            yield
        except ServiceQuotaError as exc:
            pause = self.quota.seconds(exc.retry_after or 0)
            raise
        finally:
            self._give_back(ticket, pause)

    async def _take(self, ticket: Ticket) -> None:
        began, patience = self.quota.clock(), self._patience(ticket)
        waiter = self.quota.ask(ticket, patience)
        if self.shared:
            self.shared.ask(ticket)
            patience = max(patience, _LEAST)
        if waiter:
            with tracing.span("queue", account=self.quota.name):
                await self._wait(ticket, waiter, patience)
        waited = self.quota.clock() - began
        ticket.waited += waited
        self.quota.figures.wait.observe(waited)

    async def _wait(self, ticket: Ticket, waiter: Waiter, patience: float) -> None:
        self.quota.figures.depth.inc()
        try:
            async with asyncio.timeout(patience):
                await waiter.turn
        except TimeoutError as exc:
            self._leave(ticket)
            raise self.quota.waited_in_vain(patience) from exc
        except BaseException:
            self._leave(ticket)
            raise
        finally:
            self.quota.figures.depth.dec()

    def _patience(self, ticket: Ticket) -> float:
        spent = self.quota.clock() - ticket.arrived if ticket.number else 0.0
        return min(self.max_wait - ticket.waited, self.timeout - spent)

    def _leave(self, ticket: Ticket) -> None:
        for book in self._books:
            book.leave(ticket)

    def _give_back(self, ticket: Ticket, pause: float | None) -> None:
        for book in self._books:
            if pause is None:
                book.release(ticket)
            else:
                book.refused(ticket, pause)

    @property
    def _books(self) -> Sequence[AccountQuota | SharedQuota]:
        return (self.quota, self.shared) if self.shared else (self.quota,)
