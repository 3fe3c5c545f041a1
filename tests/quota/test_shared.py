"""Several workers and one budget, in a real Redis that also dies."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Any, TypeVar

import pytest
import redis
from redis.asyncio import Redis

from custom_handler.errors import RateLimitedError, ServiceQuotaError
from custom_handler.quota.shared import Pace, SharedQuota
from custom_handler.quota.tickets import Group, Limits
from custom_handler.quota.turns import Turns
from custom_handler.redis_link import RedisLink
from tests.support.program import ROOT
from tests.support.redis_server import RedisServer
from tests.support.turn_taker import ACCOUNT, PACE, TurnTaker, until, worker

T = TypeVar("T")
Start = Callable[..., TurnTaker]


@pytest.fixture
async def start(redis_server: RedisServer) -> AsyncIterator[Start]:
    """Starts a worker with these limits; all are closed at the end."""
    started: list[TurnTaker] = []

    def start(*limits: int, **more: Any) -> TurnTaker:
        started.append(worker(redis_server.url, Limits(*limits), **more))
        return started[-1]

    yield start
    for taker in started:
        assert taker.shared
        await taker.shared.aclose()
        await taker.shared._link.aclose()


async def some_exchanges() -> None:
    """Long enough for every worker to have asked Redis, several times, whether it may go."""
    await asyncio.sleep(10 * PACE.waiting)


# One budget


async def test_workers_share_what_may_run_at_once(start: Start) -> None:
    one, two = start(1000, 2), start(1000, 2)
    one.ask("a")
    await one.until(1)
    two.ask("b")
    await two.until(1)
    waiting = [taker.ask(name) for taker, name in ((one, "c"), (two, "d"))]
    await some_exchanges()
    assert (one.order, two.order) == (["a"], ["b"])
    two.end("b")
    await one.until(2)
    assert two.order == ["b"], "the first of all workers goes first"
    one.end("a")
    await two.until(2)
    assert not any(task.done() for task in waiting)


async def test_workers_share_the_minute(start: Start) -> None:
    takers = [start(5, 100, minute=0.5) for _ in range(3)]
    began = time.monotonic()
    for number in range(12):
        takers[number % 3].ask(str(number))
    await until(lambda: sum(len(taker.order) for taker in takers) == 12)
    assert time.monotonic() - began >= 1.0, "five in each of the first two minutes, and two"


async def test_clients_take_turns_over_all_workers_and_follow_ups_go_first(start: Start) -> None:
    one, two = start(1000, 1), start(1000, 1)
    order: list[str] = []
    one.ask("first")
    await one.until(1)
    for number, (taker, client) in enumerate(((one, "a"), (two, "a"), (one, "a"), (two, "b"), (one, "b"), (two, "c"))):
        taker.ask(f"{client}{number}", client=client)
        await some_exchanges()
    two.ask("z", first=True)
    await some_exchanges()
    one.end("first")
    while len(order) < 7:
        await until(lambda: bool(one.going or two.going))
        taker = one if one.going else two
        order += taker.going
        taker.end(*taker.going)
    assert order == ["z", "a0", "b3", "c5", "a1", "b4", "a2"]


async def test_a_group_is_shared_too_and_lets_others_by(start: Start) -> None:
    one, two = start(1000, 10), start(1000, 10)
    group = Group("reviewer", Limits(at_once=1))
    one.ask("r1", group=group)
    await one.until(1)
    two.ask("r2", group=group)
    two.ask("other")
    await two.until(1)
    assert two.order == ["other"]
    one.end("r1")
    await two.until(2)


async def test_without_contention_a_turn_costs_one_exchange(start: Start, redis_server: RedisServer) -> None:
    taker = start(1000, 10)
    with redis.Redis.from_url(redis_server.url) as client:
        calls = []
        for number in range(3):
            before = client.info("commandstats").get("cmdstat_evalsha", {}).get("calls", 0)
            taker.ask(str(number))
            await taker.until(number + 1)
            calls.append(client.info("commandstats")["cmdstat_evalsha"]["calls"] - before)
    assert min(calls) == 1, "others may be those that say that the worker is alive"


# Leaving, and waiting too long


async def test_who_leaves_is_in_nobodys_way(start: Start) -> None:
    one, two = start(2, 1), start(2, 1)
    one.ask("a")
    await one.until(1)
    leaving = two.ask("b")
    await some_exchanges()
    one.ask("c")
    await some_exchanges()
    leaving.cancel()
    one.end("a")
    await one.until(2)
    assert one.order == ["a", "c"]


async def test_a_turn_that_nobody_wants_any_more_is_given_back_unused(start: Start) -> None:
    taker = start(1, 1, pace=Pace())  # a worker that is silent for its lease does not get back what it has not used
    leaving = taker.ask("a")
    await asyncio.sleep(0)  # it has asked, and Redis does not know of it yet
    leaving.cancel()
    taker.ask("b")
    await taker.until(1)
    assert taker.order == ["b"]


async def test_who_would_wait_too_long_is_refused_at_once(start: Start) -> None:
    one, two = start(1, 5), start(1, 5)
    one.ask("a")
    await one.until(1)
    with pytest.raises(RateLimitedError, match="would wait about 60 s, and may wait 30 s") as refused:
        await two.ask("b", max_wait=30.0)
    assert refused.value.retry_after == 30
    two.ask("c", max_wait=90.0)
    await some_exchanges()
    assert two.quota.waiting


# The service refuses


async def test_a_refusal_makes_all_workers_pause_and_halves_their_budget_once(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    takers = [start(90, 10, minute=6.0) for _ in range(3)]
    after = asyncio.Event()

    async def refused(taker: TurnTaker) -> None:
        turns = Turns(taker.quota, taker.shared)
        with suppress(ServiceQuotaError):
            async with turns.turn(turns.ticket()):
                await after.wait()
                raise ServiceQuotaError("429", retry_after=4)

    together = [asyncio.create_task(refused(taker)) for taker in takers]
    await until(lambda: sum(len(taker.quota.core.running) for taker in takers) == 3)
    began = time.monotonic()
    after.set()
    await asyncio.gather(*together)
    takers[2].ask("a")
    await takers[2].until(1)
    assert time.monotonic() - began > 0.39
    assert [taker.quota.core.allowance.low for taker in takers] == [0.5] * 3
    assert caplog.text.count("for its quota (429)") == 1


# Workers die


class Process:
    """A worker as a program of its own."""

    def __init__(self, url: str, *limits: int) -> None:
        command = [sys.executable, "-m", "tests.support.turn_taker", url, *map(str, limits)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, text=True)  # noqa: S603 - our own

    def say(self, line: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        if self._process.stdin:
            with suppress(BrokenPipeError):
                self._process.stdin.close()


@pytest.fixture
def processes(redis_server: RedisServer) -> Iterator[list[Process]]:
    """Four workers that let one go at a time."""
    started = [Process(redis_server.url, 1000, 1) for _ in range(4)]
    yield started
    for process in started:
        process.kill()


def tickets(client: redis.Redis) -> int:
    """How many wait or run, as Redis knows."""
    return sum(int(client.hlen(name)) for name in client.scan_iter("agent-proxy:*:tickets"))


async def test_with_four_processes_each_client_is_served_in_order_and_none_starves(
    processes: list[Process], redis_server: RedisServer
) -> None:
    with redis.Redis.from_url(redis_server.url, decode_responses=True) as client:
        processes[0].say("keep first -")
        await until(lambda: client.llen("order") == 1)
        asked = [(name, number) for number in range(8) for name in "abc"] + [("d", number) for number in range(2)]
        for place, (name, number) in enumerate(asked):
            processes[(place * 7) % 4].say(f"ask {name}{number} {name}")
            await until(lambda: tickets(client) == place + 2)  # noqa: B023 - awaited before it changes
        processes[0].say("end first")
        await until(lambda: client.llen("order") == len(asked) + 1)
        order = client.lrange("order", 1, -1)
    rounds = [(name, number) for number in range(8) for name in ("abcd" if number < 2 else "abc")]
    assert order == [f"{name}{number}" for name, number in rounds]


async def test_what_a_killed_worker_held_is_free_within_seconds(
    processes: list[Process], redis_server: RedisServer
) -> None:
    victim, other, *_ = processes
    with redis.Redis.from_url(redis_server.url, decode_responses=True) as client:
        victim.say("keep v1 v")
        await until(lambda: client.llen("order") == 1)
        for place, (process, line) in enumerate(((victim, "ask v2 v"), (other, "ask o1 o"), (victim, "ask v3 v"))):
            process.say(line)
            await until(lambda: tickets(client) == place + 2)  # noqa: B023 - awaited before it changes
        victim.kill()
        await until(lambda: client.llen("order") == 2)
        assert client.lrange("order", 0, -1) == ["v1", "o1"]
        await until(lambda: tickets(client) == 0)


# Redis dies


async def test_without_redis_each_worker_goes_on_alone_with_its_share(
    start: Start, redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    one, two = start(1000, 4), start(1000, 4)
    for taker in (one, two):
        taker.ask("first")
        await taker.until(1)
    await until(lambda: one.shared._workers == 2)  # type: ignore[union-attr] # it has one
    for number in range(4):
        one.ask(str(number))
    await one.until(3)
    redis_server.stop()
    two.ask("later")
    await two.until(2)
    assert one.order == ["first", "0", "1"], "what was let go before goes on, although two are its share"
    one.end("first")
    await some_exchanges()
    assert len(one.order) == 3
    one.end("0")
    await one.until(4)
    assert "goes on alone with 500 requests a minute and 2 at once (2 share)" in caplog.text
    assert caplog.text.count("goes on alone with") == 2, "each worker says so, once"


async def test_workers_that_were_not_asked_yet_have_their_share_too(
    start: Start, redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    taker = start(1000, 4)  # of two workers
    taker.ask("a")
    await taker.until(1)
    redis_server.stop()
    await until(lambda: taker.quota.alone)
    assert "goes on alone with 500 requests a minute and 2 at once (2 share)" in caplog.text


async def test_redis_that_was_never_there_fails_no_request(start: Start, redis_server: RedisServer) -> None:
    redis_server.stop()
    taker = start(1000, 4)
    tasks = [taker.ask(str(number)) for number in range(6)]
    for count in range(1, 7):
        await taker.until(count)
        taker.end(taker.order[count - 1])
    await asyncio.gather(*tasks)
    assert taker.order == list("012345")


async def test_who_may_not_wait_is_not_refused_because_redis_was_started_again(
    start: Start, redis_server: RedisServer
) -> None:
    taker = start(1000, 4)
    taker.ask("before")
    await taker.until(1)
    redis_server.stop()
    await until(lambda: taker.quota.alone)
    redis_server.start()
    await until(lambda: not taker.quota.alone)
    for number in range(3):  # nothing begins yet, until all workers have come back
        taker.ask(str(number), max_wait=0.0)
    await taker.until(4)


async def test_who_may_not_wait_is_not_refused_because_redis_hangs(start: Start, redis_server: RedisServer) -> None:
    taker = start(1000, 4)
    taker.ask("before")
    await taker.until(1)
    with redis_server.hanging():
        taker.ask("a", max_wait=0.0)
        await taker.until(2)
    assert taker.quota.alone


async def test_redis_that_is_back_learns_who_waits_who_runs_and_what_has_begun(
    start: Start, redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    one, two = start(7, 2), start(7, 2)
    for taker in (one, two):
        taker.ask("first")
        await taker.until(1)
    for number in range(3):
        one.ask(f"c{number}", client="c")
        await some_exchanges()
        two.ask(f"d{number}", client="d")
        await some_exchanges()
    redis_server.stop()
    await until(lambda: one.quota.alone and two.quota.alone)
    one.end("first")
    await one.until(2)
    redis_server.start()
    await until(lambda: not (one.quota.alone or two.quota.alone))
    assert (one.order, two.order) == (["first", "c0"], ["first"]), "two run, and no more may"
    for count in range(4, 8):
        taker = one if one.going and count % 2 else two if two.going else one
        taker.end(next(iter(taker.going)))
        await until(lambda: len(one.order + two.order) == count)  # noqa: B023 - awaited before it changes
        assert len(one.going) + len(two.going) == 2
    assert one.order[2:] == ["c1", "c2"][: len(one.order) - 2]
    assert two.order[1:] == ["d0", "d1", "d2"][: len(two.order) - 1]
    assert min(len(one.order), len(two.order)) == 3, "both clients had turns"
    one.end(*one.going)
    two.end(*two.going)
    await some_exchanges()
    assert len(one.order + two.order) == 7, "seven have begun in this minute"


async def test_redis_that_forgets_everything_is_told_again(start: Start, redis_server: RedisServer) -> None:
    taker = start(1000, 1)
    taker.ask("a")
    await taker.until(1)
    taker.ask("b")
    await some_exchanges()
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
        await until(lambda: tickets(client) == 2)
    await some_exchanges()
    assert taker.order == ["a"]
    taker.end("a")
    await taker.until(2)


@pytest.mark.parametrize("lost", ["account", "workers", "tickets", "round", "running:", "queue:*"])
async def test_redis_that_throws_a_key_away_for_want_of_memory_is_told_again(
    start: Start, redis_server: RedisServer, lost: str
) -> None:
    takers = [start(1000, 1), start(1000, 1)]
    with redis.Redis.from_url(redis_server.url) as client:
        for number in range(4):
            takers[number % 2].ask(str(number))
            await until(lambda: tickets(client) == number + 1)  # noqa: B023 - awaited before it changes
        client.delete(*client.scan_iter(f"agent-proxy:quota:*:{lost}"))
        for count in range(1, 5):
            await until(lambda: sum(len(taker.order) for taker in takers) >= count)  # noqa: B023 - as above
            for taker in takers:
                taker.end(*taker.going)


async def test_a_worker_that_was_silent_for_too_long_goes_on_where_it_was(start: Start) -> None:
    one, two = start(1000, 1), start(1000, 1)
    one.ask("a")
    await one.until(1)
    one.ask("b")
    await some_exchanges()
    two.ask("c")
    await some_exchanges()
    time.sleep(PACE.lease + 0.1)  # noqa: ASYNC251 - the loop hangs, with all workers
    await some_exchanges()
    one.end("a")
    await until(lambda: bool(one.order[1:] or two.order))
    assert (one.order, two.order) == (["a", "b"], [])


async def test_a_redis_that_answers_with_errors_leaves_nobody_hanging(
    start: Start, redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    taker = start(1000, 1)
    taker.ask("a")
    await taker.until(1)
    with redis.Redis.from_url(redis_server.url) as client:
        (name,) = client.scan_iter("agent-proxy:*:workers")
        client.set(name, "not what it was")
    taker.ask("b")
    taker.end("a")
    await taker.until(2)
    assert taker.quota.alone
    assert "goes on alone" in caplog.text


async def test_a_mistake_in_our_own_code_leaves_nobody_hanging_and_passes(
    start: Start, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    taker = start(1000, 1)
    with monkeypatch.context() as mistaken:
        mistaken.setattr(taker.shared, "_take", lambda reply: reply["no such field"])
        taker.ask("a")
        await taker.until(1)
    assert taker.quota.alone
    assert "no such field" in caplog.text
    taker.ask("b")
    await until(lambda: not taker.quota.alone)
    taker.end("a")
    await taker.until(2)


async def test_one_whose_exchanges_were_ended_by_somebody_begins_them_again(start: Start) -> None:
    taker = start(1000, 1)
    taker.ask("a")
    await taker.until(1)
    exchanging = next(task for task in asyncio.all_tasks() if "exchange" in str(task.get_coro()))
    exchanging.cancel()
    await asyncio.wait([exchanging])
    taker.ask("b")
    taker.end("a")
    await taker.until(2)


class Deaf(RedisLink):
    """Loses a cancellation, as Redis's client may in Python 3.11."""

    async def run(self, command: Callable[[Redis], Awaitable[T]]) -> T:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(0.05)
        return await super().run(command)


async def test_a_cancellation_that_was_lost_ends_the_exchanges_all_the_same(redis_server: RedisServer) -> None:
    taker = worker(redis_server.url, Limits(1000, 1))
    link = Deaf(redis_server.url)
    shared = SharedQuota(link, taker.quota, ACCOUNT, pace=PACE)
    task = TurnTaker(taker.quota, shared).ask("a")
    await asyncio.sleep(0.01)  # in the middle of an exchange
    async with asyncio.timeout(5):
        await shared.aclose()
    await link.aclose()
    task.cancel()


async def test_one_that_was_never_needed_is_closed_without_a_word(start: Start, redis_server: RedisServer) -> None:
    taker = start(1000, 1)
    assert taker.shared
    await taker.shared.aclose()
    with redis.Redis.from_url(redis_server.url) as client:
        assert client.dbsize() == 0
