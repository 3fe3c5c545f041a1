"""The quota of one account in this process: its core, and those who wait for it."""

from __future__ import annotations

import asyncio
import logging
import math
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Mapping

from custom_handler import metrics
from custom_handler.errors import RateLimitedError
from custom_handler.quota.core import Core
from custom_handler.quota.tickets import Limits, Ticket
from custom_handler.quota.waiters import Waiter, call
from custom_handler.settings import STACKSPOT_QUOTA, QuotaTerms

log = logging.getLogger("custom_handler.quota")


class Figures:
    """What Prometheus is told about one account."""

    def __init__(self, account: str) -> None:
        self.wait = metrics.QUEUE_WAIT.labels(account)
        self.depth = metrics.QUEUE_DEPTH.labels(account)
        self.budget = metrics.QUOTA_BUDGET.labels(account)
        self.episodes = metrics.QUOTA_EPISODES.labels(account)
        self.refusals = metrics.QUEUE_REFUSALS.labels(account)


class AccountQuota:
    """The quota of one account. Every thread and event loop of the process may use it.

    While it is alone, it lets tickets go itself. Otherwise Redis does, for all workers; it is told what was decided, so
    that it can go on alone at any time.

    Args:
        name: the account's, for messages and figures.
        limits: the account's.
        minute: seconds that a minute of the service lasts; a test lets it pass faster.
        alone: whether it begins alone.
        share: how many share the limits while each is alone.
        clock: seconds that never go back; a test brings its own.
        terms: the service's, for messages.

    Attributes:
        name: as given.
        alone: whether it decides itself.
        core: all tickets; to be read and changed while `lock` is held.
    """

    def __init__(
        self,
        name: str,
        limits: Limits,
        minute: float = 60.0,
        *,
        alone: bool = True,
        share: int = 1,
        clock: Callable[[], float] = time.monotonic,
        terms: QuotaTerms = STACKSPOT_QUOTA,
    ) -> None:
        self.alone = alone
        self.clock = clock
        self.core = Core(limits, minute, name=f"{secrets.token_hex(8)}.")
        self.figures = Figures(name)
        self.name = name
        self.lock = threading.RLock()
        self._limits = limits
        self._minute = minute
        self._terms = terms
        self._share = share
        self._waiters: dict[str, Waiter] = {}
        self._timer: tuple[float, asyncio.AbstractEventLoop] | None = None
        self._resize()

    @property
    def waiting(self) -> bool:
        """Whether anybody waits."""
        return bool(self.core.waiting)

    def limit(self, limits: Limits) -> None:
        """From now on the account has these limits."""
        with self.lock:
            self._limits = limits
            self._resize()

    # What becomes of a ticket

    def ask(self, ticket: Ticket, patience: float) -> Waiter | None:
        """`ticket` queues up. None when it may go at once.

        Raises:
            RateLimitedError: it would wait longer than `patience`, in seconds.
        """
        with self.lock:
            now = self.clock()
            self.core.ask(ticket, now)
            self._advance(now)
            if ticket.key in self.core.running:
                return None
            if self.alone and (wait := self.core.wait(ticket, now)) > patience:
                self.core.leave(ticket)
                raise self.too_long(wait, patience)
            waiter = self._waiters[ticket.key] = Waiter(patience, now + patience)
            self._set_timer(now)
            return waiter

    def leave(self, ticket: Ticket) -> None:
        """`ticket` is of no use any more, and nothing was sent for it."""
        with self.lock:
            self._waiters.pop(ticket.key, None)
            self.core.leave(ticket)
            self._advance(self.clock())

    def release(self, ticket: Ticket) -> None:
        """What was sent for `ticket` has ended."""
        with self.lock:
            self.core.release(ticket)
            self._advance(self.clock())

    def refused(self, ticket: Ticket, pause: float) -> None:
        """The service refused what was sent for `ticket`, and wants a pause of so many seconds."""
        with self.lock:
            now = self.clock()
            if self.core.refused(ticket, pause, now) and self.alone:
                self.note_episode()
            self._give_up_hope(now)
            self._advance(now)

    def too_long(self, wait: float, patience: float) -> RateLimitedError:
        """The error for a request that would wait so long and may not, both in seconds."""
        return self._refusal(f"would wait about {wait:.0f} s", patience, wait - patience)

    def waited_in_vain(self, patience: float) -> RateLimitedError:
        """The error for a request that has waited as long as it may."""
        return self._refusal("has waited in vain", patience, self._minute)

    def _refusal(self, what: str, patience: float, retry_after: float) -> RateLimitedError:
        self.figures.refusals.inc()
        terms = self._terms
        return RateLimitedError(
            f"The quota of {terms.owner.format(self.name)} is used up: this request {what}, and may wait "
            f"{max(0.0, patience):.0f} s. {terms.max_wait.name} and the request's own timeout set how long it may "
            f"wait, {terms.per_minute.name} and {terms.at_once.name} how many may go.",
            retry_after=max(1, math.ceil(retry_after)),
        )

    def seconds(self, of_the_service: float) -> float:
        """How long so many seconds of the service last."""
        return of_the_service * self._minute / 60

    # What Redis decides

    def go_alone(self, share: int) -> None:
        """Redis decides no more, and so many share the limits."""
        with self.lock:
            begins, self.alone, self._share = not self.alone, True, share
            self._resize()
            if begins:
                mine = self._limits.shared_by(share)
                log.warning(
                    "Quota of %s: this worker goes on alone with %d requests a minute and %d at once (%d share)",
                    *(self._terms.short.format(self.name), mine.per_minute, mine.at_once, share),
                )
            self._advance(self.clock())

    def follow(self, running: Iterable[str], low: float, paused_until: float) -> list[str]:
        """Redis decides: these tickets go or have gone before, and so much of the budget is left.

        Args:
            low, paused_until: see `Allowance`.

        Returns:
            The keys of those that are of no use any more.
        """
        with self.lock:
            now = self.clock()
            if self.alone:
                self.alone = False
                self._resize()
            self.core.allowance.low, self.core.allowance.paused_until = low, paused_until
            self._give_up_hope(now)
            self._show_budget(now)
            return [key for key in running if not self._let_go(key, now)]

    def foresee(self, waits: Mapping[str, float]) -> None:
        """Redis says how long these tickets will wait, in seconds."""
        with self.lock:
            for key, wait in waits.items():
                waiter = self._waiters.get(key)
                if waiter and wait > waiter.patience:
                    self._fail(key, self.too_long(wait, waiter.patience))

    def note_episode(self) -> None:
        """The service has begun to refuse requests."""
        with self.lock:
            now = self.clock()
            budget, pause = self.core.budget(now), self.core.allowance.paused_until - now
            self.figures.episodes.inc()
            self._show_budget(now)
            log.warning(
                "%s refused a request of %s for its quota (429): a pause of %.0f s, then %d a minute",
                *(self._terms.service, self._terms.short.format(self.name), pause * 60 / self._minute, budget),
            )

    def _resize(self) -> None:
        self.core.limit(self._limits, self._shares)
        self._show_budget(self.clock())

    @property
    def _shares(self) -> int:
        """Into how many the limits are cut, of which this process has one."""
        return self._share if self.alone else 1

    def _show_budget(self, now: float) -> None:
        """Tell Prometheus what all have together, since it also knows only what all have asked."""
        self.figures.budget.set(self.core.budget(now) * self._shares)

    def _advance(self, now: float) -> None:
        """Let those go whose turn it is."""
        if not self.alone:
            return
        granted = self.core.grants(now)
        lost = [ticket for ticket in granted if not self._hand_over(ticket)]
        for ticket in lost:
            self.core.leave(ticket)
        if lost:
            self._advance(now)
        elif granted:
            self._show_budget(now)
        self._set_timer(now)

    def _let_go(self, key: str, now: float) -> bool:
        """Whether the ticket that Redis has let go is of any use."""
        if ticket := self.core.waiting.get(key):
            self.core.grant(ticket, now)
            if not self._hand_over(ticket):
                self.core.leave(ticket)
        return key in self.core.running

    def _hand_over(self, ticket: Ticket) -> bool:
        waiter = self._waiters.pop(ticket.key, None)
        return waiter is None or waiter.wake()

    def _fail(self, key: str, error: RateLimitedError) -> None:
        self._waiters.pop(key).wake(error)

    def _give_up_hope(self, now: float) -> None:
        """Those that may not wait for the end of the pause need not wait at all."""
        end = self.core.allowance.paused_until
        for key in [key for key, waiter in self._waiters.items() if now < end and waiter.until < end]:
            self._fail(key, self.too_long(end - now, self._waiters[key].until - now))

    def _set_timer(self, now: float) -> None:
        """Have a loop in which somebody waits come back when time alone will have changed something."""
        at = self.core.wake_at(now) if self.alone else None
        if at is None or self._timer_is_set(at, now):
            return
        for loop in (waiter.turn.get_loop() for waiter in self._waiters.values()):
            if call(loop, loop.call_later, at - now, self._on_timer):
                self._timer = at, loop
                return

    def _timer_is_set(self, at: float, now: float) -> bool:
        if self._timer is None:
            return False
        time, loop = self._timer
        return now < time <= at and not loop.is_closed()

    def _on_timer(self) -> None:
        with self.lock:
            self._timer = None
            self._advance(self.clock())
