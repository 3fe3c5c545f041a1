"""Somebody who takes turns in a quota and notes in which order they come: in a test, or as a program of its own.

`python -m tests.support.turn_taker REDIS_URL PER_MINUTE AT_ONCE` is a worker of the quota in Redis. It reads lines:
`ask NAME CLIENT` queues up for a turn that ends by itself, `keep NAME CLIENT` for one that lasts until `end NAME`.
Turns are put on Redis's list `order`, whoever has them.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any

from redis.asyncio import Redis

from custom_handler.quota.account import AccountQuota
from custom_handler.quota.shared import Pace, SharedQuota
from custom_handler.quota.tickets import Limits
from custom_handler.quota.turns import Turns
from custom_handler.redis_link import RedisLink
from custom_handler.settings import Account

ACCOUNT = Account("shared", "client", "secret")
#: Tests are in a hurry.
PACE = Pace(waiting=0.01, idle=0.1, gone=0.1, lease=0.6, settle=0.4)


class TurnTaker:
    """Takes turns.

    Attributes:
        order: the names of those that had a turn.
        going: what lets each of them end that has one.
    """

    def __init__(self, quota: AccountQuota, shared: SharedQuota | None = None) -> None:
        self.quota = quota
        self.shared = shared
        self.order: list[str] = []
        self.going: dict[str, asyncio.Event] = {}
        self._more = asyncio.Event()

    def ask(self, name: str, *, first: bool = False, **who: Any) -> asyncio.Task[None]:
        """Queue up, and keep the turn until `end`; `who` are fields of `Turns`."""
        turns = Turns(self.quota, self.shared, **who)
        return asyncio.create_task(self._ask(name, turns, first=first))

    async def _ask(self, name: str, turns: Turns, *, first: bool) -> None:
        async with turns.turn(turns.ticket(first=first)):
            await self.begin(name)
            await self.going[name].wait()

    async def begin(self, name: str) -> None:
        """It is the turn of `name`."""
        self.order.append(name)
        self.going[name] = asyncio.Event()
        self._more.set()

    def end(self, *names: str) -> None:
        """Let those end that have a turn."""
        for name in names:
            self.going.pop(name).set()

    async def until(self, count: int) -> None:
        """Wait until so many have had a turn."""
        async with asyncio.timeout(20):
            while len(self.order) < count:
                self._more.clear()
                await self._more.wait()


def worker(url: str, limits: Limits, pace: Pace = PACE, **more: Any) -> TurnTaker:
    """A worker of the quota in Redis; `more` are parameters of `AccountQuota`."""
    quota = AccountQuota(ACCOUNT.realm, limits, alone=False, **more)
    return TurnTaker(quota, SharedQuota(RedisLink(url), quota, ACCOUNT, workers=2, pace=pace))


async def until(condition: Callable[[], bool]) -> None:
    """Wait until `condition` is true, which nobody tells."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.005)


class _Program(TurnTaker):
    """A worker that notes in Redis, too, what it does."""

    def __init__(self, taker: TurnTaker, redis: Redis) -> None:
        super().__init__(taker.quota, taker.shared)
        self._redis = redis
        self._kept: set[str] = set()

    async def begin(self, name: str) -> None:
        await self._redis.rpush("order", name)
        await super().begin(name)
        if name not in self._kept:
            self.end(name)

    async def serve(self) -> None:
        tasks = []
        while line := await asyncio.to_thread(sys.stdin.readline):
            what, name, *client = line.split()
            if what == "end":
                self.end(name)
                continue
            if what == "keep":
                self._kept.add(name)
            tasks.append(self.ask(name, client=client[0]))


if __name__ == "__main__":
    _, url, per_minute, at_once = sys.argv

    async def main() -> None:
        """Serve until the input ends."""
        async with Redis.from_url(url) as redis:
            await _Program(worker(url, Limits(int(per_minute), int(at_once))), redis).serve()

    asyncio.run(main())
