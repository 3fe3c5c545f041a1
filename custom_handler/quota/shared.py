"""The quota of one account that all workers and machines share, in Redis.

Redis decides, by the rules of `core`, in the script `shared.lua`. A worker, which is an event loop of a process, tells
it in exchanges what happened and learns who may go: at once when something happens, every few hundredths of a second
while somebody waits, and every second otherwise. What a silent worker held is given to others after some seconds. All
that Redis knows of a worker, the worker knows as well; so it can tell it again, to a Redis that was started anew.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import math
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import orjson
from redis.asyncio import Redis
from redis.commands.core import AsyncScript

from custom_handler.quota.account import AccountQuota
from custom_handler.quota.tickets import Ticket
from custom_handler.redis_link import RedisGoneError, RedisLink
from custom_handler.settings import Owner

log = logging.getLogger("custom_handler.quota")

#: What happened, and to what; see `does` in the script.
Op: TypeAlias = tuple[Any, ...]

_SCRIPT = Path(__file__).with_name("shared.lua")
#: Milliseconds for which Redis remembers an account that nobody asks with; longer than anybody may wait.
_TTL = 90_000_000


@dataclass(frozen=True, slots=True)
class Pace:
    """Times between workers and Redis, in seconds.

    Attributes:
        waiting, idle, gone: between two exchanges: while somebody waits, while nobody does, and while Redis is gone.
        lease: the silence after which a worker counts as dead.
        settle: in which workers that were alone come back; before, nobody goes, for it is not known what they did.
    """

    waiting: float = 0.05
    idle: float = 1.0
    gone: float = 0.5
    lease: float = 5.0
    settle: float = 3.0


class SharedQuota:
    """The account in Redis, as one event loop of this process sees it.

    Args:
        link: where Redis is; it belongs to the same event loop.
        quota: what this process knows of the account.
        account: whose quota it is.
        workers: how many there are at least; Redis knows only those that were asked.
        pace: as it is; a test is in a hurry.
    """

    def __init__(
        self, link: RedisLink, quota: AccountQuota, account: Owner, workers: int = 1, pace: Pace | None = None
    ) -> None:
        self._link = link
        self._quota = quota
        self._key = _key(account)
        self._worker = secrets.token_hex(8)
        self._least = self._workers = workers
        self._pace = pace or Pace()
        self._batch = 0
        self._joined = False
        self._tickets: dict[str, Ticket] = {}
        self._ops: list[Op] = []
        self._news = asyncio.Event()
        self._script: AsyncScript | None = None
        self._exchanging: asyncio.Task[None] | None = None
        self._closed = False

    def ask(self, ticket: Ticket) -> None:
        """`ticket` waits, or was let go because this process is alone."""
        self._tickets[ticket.key] = ticket
        self._tell(self._asks(ticket) if ticket.first else self._asks(ticket)[:-1])

    def leave(self, ticket: Ticket) -> None:
        """`ticket` is of no use any more, and nothing was sent for it."""
        self._forget(ticket, "forget")

    def release(self, ticket: Ticket) -> None:
        """What was sent for `ticket` has ended."""
        self._forget(ticket, "drop")

    def refused(self, ticket: Ticket, pause: float) -> None:
        """The service refused what was sent for `ticket`, and wants a pause of so many seconds."""
        self._forget(ticket, "refused", _micro(pause))

    async def aclose(self) -> None:
        """Take leave, so that nobody waits for what this worker held."""
        self._closed = True
        if self._exchanging is not None:
            self._exchanging.cancel()
            await asyncio.wait([self._exchanging])
        if self._joined:
            with suppress(RedisGoneError):
                await self._exchange([("leave",)])

    # When

    def _tell(self, op: Op) -> None:
        if self._joined:  # else all there is will be told when it joins
            self._ops.append(op)
        self._news.set()
        if not self._closed and (self._exchanging is None or self._exchanging.done()):
            self._exchanging = asyncio.create_task(self._exchange_until_cancelled())
            self._exchanging.add_done_callback(self._ended)

    async def _exchange_until_cancelled(self) -> None:
        task = asyncio.current_task()
        # Redis's client uses `wait_for`, and that of Python 3.11 loses a cancellation that comes at a wrong moment.
        while task and not task.cancelling():
            self._news.clear()
            try:
                self._take(await self._exchange(self._next_ops()))
            except RedisGoneError:
                self._joined = False
                self._quota.go_alone(self._workers)
            await self._wait()

    async def _wait(self) -> None:
        """Until there is a reason for the next exchange."""
        if self._quota.alone:
            await asyncio.sleep(self._pace.gone)
        elif self._joined:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pace.waiting if self._quota.waiting else self._pace.idle):
                    await self._news.wait()

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A mistake in the code must not leave those hanging who wait."""
        if not task.cancelled() and (error := task.exception()):
            log.error("The shared quota failed", exc_info=error)
            self._joined = False
            self._quota.go_alone(self._workers)

    # What

    def _forget(self, ticket: Ticket, what: str, *more: Any) -> None:
        del self._tickets[ticket.key]
        self._tell((what, ticket.key, *more))

    def _next_ops(self) -> list[Op]:
        if not self._joined:
            with self._quota.lock:
                self._ops, self._joined = list(self._all_there_is()), True
        ops, self._ops = self._ops, []
        return ops

    def _all_there_is(self) -> Iterator[Op]:
        core, paused_until = self._quota.core, self._quota.core.allowance.paused_until
        pause = () if math.isinf(paused_until) else (-self._age(paused_until),)
        yield "join", self._batch > 0, core.allowance.low, *pause
        for key, group, began in core.starts():
            yield "start", key, group, self._age(began)
        for ticket in self._tickets.values():
            if ticket.key in core.running:
                yield "run", ticket.key, ticket.group_name, self._age(ticket.granted)
            else:
                yield self._asks(ticket)

    def _asks(self, ticket: Ticket) -> Op:
        return "ask", ticket.key, _lane(ticket.client), ticket.first, ticket.group_name, self._age(ticket.arrived)

    def _age(self, time: float) -> int:
        return _micro(self._quota.clock() - time)

    async def _exchange(self, ops: list[Op]) -> dict[str, Any]:
        self._batch += 1
        core = self._quota.core
        given = {
            "worker": self._worker,
            "batch": self._batch,
            "ops": ops,
            "per_minute": core.limits.per_minute,
            "at_once": core.limits.at_once,
            "groups": {name: (limits.per_minute, limits.at_once) for name, limits in core.group_limits()},
            "window": _micro(core.window),
            "recovery": _micro(core.allowance.recovery),
            "lease": _micro(self._pace.lease),
            "settle": _micro(self._pace.settle),
            "ttl": _TTL,
        }

        async def run(redis: Redis) -> str:
            self._script = self._script or redis.register_script(_SCRIPT.read_text("utf-8"))
            return str(await self._script(keys=[self._key], args=[orjson.dumps(given)], client=redis))

        reply: dict[str, Any] = orjson.loads(await self._link.run(run))
        return reply

    def _take(self, reply: dict[str, Any]) -> None:
        """Follow what Redis decided. (Lua writes an empty list as `{}`.)"""
        if not reply["known"]:
            self._joined = False
            return
        self._workers = max(self._least, reply["workers"])
        pause = reply.get("paused")
        paused_until = -math.inf if pause is None else self._quota.clock() + _seconds(pause)
        for key in self._quota.follow(reply["running"], reply["low"], paused_until):
            self._tell(("forget", key))
        self._quota.foresee({key: _seconds(wait) for key, wait in reply["waits"].items()})
        for _ in reply["episodes"]:
            self._quota.note_episode()


def _key(account: Owner) -> str:
    """The beginning of the account's keys; what stands in braces decides the slot in a cluster."""
    name = hashlib.sha256("\n".join(account.key).encode()).hexdigest()[:32]
    return f"agent-proxy:quota:1:{{{name}}}"


def _lane(client: str) -> str:
    """The client's name in Redis: of one length, and no colon in it."""
    return hashlib.sha256(client.encode()).hexdigest()[:16]


def _micro(seconds: float) -> int:
    return round(seconds * 1_000_000)


def _seconds(micro: float) -> float:
    return micro / 1_000_000
