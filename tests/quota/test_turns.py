"""Waiting for a turn, in this process alone."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import copy_context
from typing import Any

import pytest
from prometheus_client import REGISTRY

from custom_handler.errors import RateLimitedError, ServiceQuotaError
from custom_handler.quota.account import AccountQuota
from custom_handler.quota.tickets import Group, Limits
from custom_handler.quota.turns import Turns
from tests.support.clock import Clock
from tests.support.turn_taker import TurnTaker


async def settled() -> None:
    """Everything that can happen without time passing has happened."""
    for _ in range(20):
        await asyncio.sleep(0)


async def end_all(taker: TurnTaker) -> None:
    """Let everybody end until nobody is left."""
    while taker.going:
        taker.end(next(iter(taker.going)))
        await settled()


def figure(name: str, realm: str) -> float:
    return REGISTRY.get_sample_value(name, {"account": realm}) or 0.0


@pytest.fixture
def realm(request: pytest.FixtureRequest) -> str:
    """A realm of the test's own, and so figures of its own."""
    return str(request.node.name)


# Going at once


async def test_while_there_is_room_nobody_waits_even_for_a_moment(realm: str) -> None:
    turns = Turns(AccountQuota(realm, Limits(1, 1)))
    turn = turns.turn(turns.ticket())
    with pytest.raises(StopIteration):  # it has ended without having been suspended
        turn.__aenter__().send(None)
    with pytest.raises(StopIteration):
        turn.__aexit__(None, None, None).send(None)
    assert figure("agent_proxy_queue_wait_seconds_count", realm) == 1


# Waiting


async def test_clients_take_turns_and_follow_ups_go_first(realm: str) -> None:
    taker = TurnTaker(AccountQuota(realm, Limits(at_once=1)))
    tasks = [taker.ask(name, client=name[0]) for name in ("a1", "a2", "a3", "b1", "b2", "c1")]
    await settled()
    tasks.append(taker.ask("z", first=True))
    await settled()
    assert figure("agent_proxy_queue_depth", realm) == 6
    await end_all(taker)
    assert taker.order == ["a1", "z", "a2", "b1", "c1", "a3", "b2"]
    assert figure("agent_proxy_queue_depth", realm) == 0
    assert all(task.done() for task in tasks)


async def test_who_waits_goes_when_the_minute_allows(realm: str) -> None:
    taker = TurnTaker(AccountQuota(realm, Limits(per_minute=2), minute=0.05))
    began = time.monotonic()
    tasks = [taker.ask(str(number)) for number in range(5)]
    await taker.until(5)
    assert time.monotonic() - began >= 0.1
    assert taker.order == list("01234")
    await end_all(taker)
    await asyncio.gather(*tasks)


async def test_who_leaves_while_waiting_leaves_the_queue_at_once(realm: str) -> None:
    taker = TurnTaker(AccountQuota(realm, Limits(per_minute=2, at_once=1)))
    _, leaving, staying = (taker.ask(name) for name in "abc")
    await settled()
    leaving.cancel()
    await settled()
    assert figure("agent_proxy_queue_depth", realm) == 1
    taker.end("a")
    await settled()
    assert taker.order == ["a", "c"]
    taker.end("c")
    await staying


async def test_who_leaves_in_the_moment_of_its_turn_gives_it_to_the_next(realm: str) -> None:
    taker = TurnTaker(AccountQuota(realm, Limits(per_minute=2, at_once=1)))
    _, leaving, staying = (taker.ask(name) for name in "abc")
    await settled()
    taker.end("a")
    await asyncio.sleep(0)  # the turn of the second is on its way to it
    leaving.cancel()
    await settled()
    assert taker.order == ["a", "c"]
    taker.end("c")
    await staying


async def test_a_model_group_that_is_full_lets_others_by(realm: str) -> None:
    taker = TurnTaker(AccountQuota(realm, Limits()))
    group = Group("reviewer", Limits(at_once=1))
    tasks = [taker.ask(name, group=group) for name in ("r1", "r2")] + [taker.ask("other")]
    await settled()
    assert taker.order == ["r1", "other"]
    await end_all(taker)
    await asyncio.gather(*tasks)
    assert taker.order == ["r1", "other", "r2"]


# Waiting too long


async def test_who_would_wait_too_long_is_refused_at_once_and_told_when_to_come_back(realm: str) -> None:
    taker = TurnTaker(AccountQuota(realm, Limits(per_minute=1)))
    tasks = [taker.ask("a"), taker.ask("b", max_wait=90.0)]
    await settled()
    with pytest.raises(RateLimitedError, match="would wait about 120 s, and may wait 90 s") as refused:
        await taker.ask("c", max_wait=90.0)
    assert refused.value.retry_after == 30
    for word in (realm, "STACKSPOT_MAX_WAIT", "STACKSPOT_MAX_RPM", "STACKSPOT_MAX_CONCURRENT"):
        assert word in refused.value.message
    assert figure("agent_proxy_queue_refusals_total", realm) == 1
    for task in tasks:
        task.cancel()


@pytest.mark.parametrize("limit", [{"max_wait": 0.01}, {"timeout": 0.01}])
async def test_who_has_waited_too_long_is_refused(realm: str, limit: dict[str, Any]) -> None:
    taker = TurnTaker(AccountQuota(realm, Limits(at_once=1)))
    running = taker.ask("a")
    await settled()
    with pytest.raises(RateLimitedError, match="has waited in vain") as refused:
        await taker.ask("b", **limit)
    assert refused.value.retry_after == 60
    assert figure("agent_proxy_queue_depth", realm) == 0
    taker.end("a")
    await running


async def test_only_waiting_counts_as_waiting(realm: str) -> None:
    clock = Clock()
    quota = AccountQuota(realm, Limits(per_minute=1), clock=clock)
    turns = Turns(quota, max_wait=60.0)
    ticket = turns.ticket()
    async with turns.turn(ticket):
        clock.now += 50  # the answer comes slowly, and fails
    with suppress(TimeoutError):
        async with asyncio.timeout(0.01), turns.turn(ticket):
            pass
    assert ticket.waited == 0, "it is not refused, but waits, for ten seconds"


# When the service refuses


async def refuse(turns: Turns, pause: int, *, after: asyncio.Event | None = None) -> None:
    """Take a turn, and be refused by the service."""
    with suppress(ServiceQuotaError):
        async with turns.turn(turns.ticket()):
            if after:
                await after.wait()
            raise ServiceQuotaError("429", retry_after=pause)


async def test_a_refusal_of_the_service_makes_everybody_pause(realm: str, caplog: pytest.LogCaptureFixture) -> None:
    quota = AccountQuota(realm, Limits(per_minute=90), minute=6.0)
    after = asyncio.Event()
    together = [asyncio.create_task(refuse(Turns(quota), 2, after=after)) for _ in range(3)]
    await settled()
    after.set()
    await asyncio.gather(*together)
    began = time.monotonic()
    taker = TurnTaker(quota)
    task = taker.ask("a")
    await settled()
    assert not taker.order
    await taker.until(1)
    assert time.monotonic() - began > 0.1
    assert caplog.messages == [
        f"StackSpot refused a request of realm {realm} for its quota (429): a pause of 2 s, then 45 a minute"
    ]
    assert figure("agent_proxy_quota_episodes_total", realm) == 1
    assert figure("agent_proxy_quota_budget", realm) == 45
    taker.end("a")
    await task


def test_the_budget_that_is_told_is_that_of_all_workers_and_from_the_beginning(realm: str) -> None:
    AccountQuota(realm, Limits(per_minute=80), share=4)
    assert figure("agent_proxy_quota_budget", realm) == 80


async def test_those_that_cannot_wait_for_the_end_of_a_pause_are_refused_when_it_begins(realm: str) -> None:
    quota = AccountQuota(realm, Limits(at_once=1))
    taker = TurnTaker(quota)
    after = asyncio.Event()
    running = asyncio.create_task(refuse(Turns(quota), 3600, after=after))
    await settled()
    impatient, patient = taker.ask("impatient", max_wait=600.0), taker.ask("patient", max_wait=4000.0)
    await settled()
    after.set()
    with pytest.raises(RateLimitedError) as refused:
        await impatient
    assert refused.value.retry_after in (2999, 3000, 3001)
    assert not patient.done()
    patient.cancel()
    await running


# Threads and event loops


def run(quota: AccountQuota, name: str, max_wait: float = 0.0) -> None:
    """One turn in an event loop of its own."""

    async def ask() -> None:
        turns = Turns(quota, client=name, max_wait=max_wait)
        async with turns.turn(turns.ticket()):
            pass

    asyncio.run(ask())


def test_a_new_event_loop_knows_what_the_one_before_has_used(realm: str) -> None:
    quota = AccountQuota(realm, Limits(per_minute=2), clock=Clock())
    run(quota, "a")
    run(quota, "b")
    with pytest.raises(RateLimitedError):
        run(quota, "c")


def test_the_turn_of_one_thread_is_given_on_by_another(realm: str) -> None:
    quota = AccountQuota(realm, Limits(at_once=1))
    threads = [threading.Thread(target=run, args=[quota, str(number), 60.0]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert not quota.waiting
    assert figure("agent_proxy_queue_wait_seconds_count", realm) == 8


def test_the_minute_ends_for_all_threads(realm: str) -> None:
    quota = AccountQuota(realm, Limits(per_minute=2), minute=0.05)
    threads = [threading.Thread(target=run, args=[quota, str(number), 60.0]) for number in range(7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert not any(thread.is_alive() for thread in threads)


@contextmanager
def left_behind(quota: AccountQuota) -> Iterator[str]:
    """The key of one that waits in a loop that was closed."""
    closed, context = asyncio.new_event_loop(), copy_context()
    waiting = refuse(Turns(quota), 0)
    task = closed.create_task(waiting, context=context)
    closed.run_until_complete(asyncio.sleep(0))
    closed.close()
    task._log_destroy_pending = False  # type: ignore[attr-defined] # this is what the test is about
    (key,) = quota.core.waiting
    yield key
    context.run(waiting.close)  # else Python does so at any time, and in any other test's context


def test_who_was_left_behind_in_a_closed_loop_is_in_nobodys_way(realm: str) -> None:
    quota = AccountQuota(realm, Limits(per_minute=1), minute=0.05)
    run(quota, "a")
    with left_behind(quota):
        run(quota, "b", max_wait=5.0)
        assert not quota.waiting


def test_a_turn_for_one_that_was_left_behind_is_told_to_be_of_no_use(realm: str) -> None:
    quota = AccountQuota(realm, Limits(), alone=False)
    with left_behind(quota) as key:
        assert quota.follow([key, "of nobody"], 1.0, 0.0) == [key, "of nobody"]
        assert not quota.core.running
