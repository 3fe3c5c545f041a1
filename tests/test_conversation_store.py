"""Where it is kept how far conversations have come: each place is given out once, and forgotten in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis.asyncio import Redis

from custom_handler import conversation_store
from custom_handler.conversation_store import OwnStore, SharedStore
from custom_handler.redis_link import RedisLink
from tests.support.clock import Clock
from tests.support.redis_server import RedisServer

# In this process


def test_what_was_put_is_given_out_once(clock: Clock) -> None:
    store = OwnStore(clock)
    store.put("a", "1", 10)
    assert [store.take("a"), store.take("a"), store.take("b")] == ["1", None, None]


def test_what_is_put_again_replaces_what_was_there(clock: Clock) -> None:
    store = OwnStore(clock)
    store.put("a", "1", 10)
    store.put("a", "2", 10)
    assert [store.take("a"), store.take("a")] == ["2", None]


def test_it_is_forgotten_when_its_time_is_over(clock: Clock) -> None:
    store = OwnStore(clock)
    store.put("a", "1", 10)
    clock.now += 10
    assert store.take("a") is None


def test_the_oldest_is_forgotten_when_there_is_no_more_room(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation_store, "MOST", 3)
    store = OwnStore(clock)
    for key in "abcbd":
        store.put(key, key, 10)
    assert [store.take(key) for key in "abcd"] == [None, "b", "c", "d"]


def test_threads_do_not_get_the_same(clock: Clock) -> None:
    store = OwnStore(clock)
    for number in range(1_000):
        store.put(str(number), "x", 10)
    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(store.take, [str(number) for number in range(1_000)] * 4))
    assert taken.count("x") == 1_000


# In Redis


@pytest.fixture
async def workers(redis_server: RedisServer, clock: Clock) -> AsyncIterator[tuple[SharedStore, SharedStore]]:
    """Two workers with one Redis."""
    links = [RedisLink(redis_server.url, clock) for _ in range(2)]
    one, other = (SharedStore(OwnStore(clock), link) for link in links)
    yield one, other
    for link in links:
        await link.aclose()


Workers = tuple[SharedStore, SharedStore]


async def test_workers_share_what_is_put(workers: Workers) -> None:
    one, other = workers
    await one.put("a", "1", 10)
    assert [await other.take("a"), await one.take("a")] == ["1", None]


async def test_of_many_that_ask_at_once_one_gets_it(workers: Workers) -> None:
    await workers[0].put("a", "1", 10)
    taken = await asyncio.gather(*(store.take("a") for store in workers * 10))
    assert sorted(taken, key=str) == ["1", *[None] * 19]


async def test_redis_forgets_in_time_and_is_told_no_names(workers: Workers, redis_server: RedisServer) -> None:
    await workers[0].put("a", "1", 10)
    async with Redis.from_url(redis_server.url, decode_responses=True) as redis:
        (key,) = await redis.keys()
        assert str(key).startswith("agent-proxy:conversation:")
        assert 9_000 < await redis.pttl(key) <= 10_000


async def test_while_redis_is_gone_each_worker_has_its_own(workers: Workers, redis_server: RedisServer) -> None:
    redis_server.stop()
    one, other = workers
    await one.put("a", "1", 10)
    assert [await other.take("a"), await one.take("a"), await one.take("a")] == [None, "1", None]


async def test_what_was_put_meanwhile_is_still_there_when_redis_is_back(
    workers: Workers, redis_server: RedisServer, clock: Clock
) -> None:
    redis_server.stop()
    await workers[0].put("a", "1", 100)
    redis_server.start()
    clock.now += 5
    await workers[0].put("b", "2", 100)
    assert [await workers[0].take("a"), await workers[1].take("b")] == ["1", "2"]


async def test_what_redis_may_have_is_never_kept_twice(
    workers: Workers, redis_server: RedisServer, clock: Clock
) -> None:
    async with Redis.from_url(redis_server.url) as redis:
        await redis.client_pause(60_000, all=False)  # pings are answered, and what is to be kept is not
        await workers[0].put("a", "1", 100)
        assert workers[0].own.take("a") is None
        await redis.client_unpause()
    clock.now += 5
    taken = [await store.take("a") for store in workers * 2]
    assert len(taken) - taken.count(None) <= 1


async def test_without_redis_a_worker_has_its_own(clock: Clock) -> None:
    store = SharedStore(OwnStore(clock), None)
    await store.put("a", "1", 10)
    assert [await store.take("a"), await store.take("a")] == ["1", None]
