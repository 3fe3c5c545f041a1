"""As many requests of a key in any 60 seconds as its entry says, counted here or in Redis."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_handler import key_limits
from custom_handler.errors import RateLimitedError
from custom_handler.key_limits import KeyLimits
from custom_handler.key_list import Key, digest
from custom_handler.redis_link import RedisLink
from tests.support.clock import Clock
from tests.support.redis_server import RedisServer

ALICE, BOB = (Key(name, digest(name), rpm=2) for name in ("alice", "bob"))


@pytest.fixture
async def links(redis_server: RedisServer) -> AsyncIterator[Sequence[RedisLink]]:
    """The same Redis as two workers see it."""
    async with AsyncExitStack() as stack:
        links = [RedisLink(redis_server.url) for _ in range(2)]
        for link in links:
            stack.push_async_callback(link.aclose)
        yield links


async def passes(limits: KeyLimits, key: Key = ALICE) -> bool:
    try:
        await limits.count(key)
    except RateLimitedError:
        return False
    return True


async def test_a_key_without_a_limit_has_none() -> None:
    limits = KeyLimits(None)
    assert all([await passes(limits, Key("a", b"")) for _ in range(1000)])


async def test_each_key_has_a_limit_of_its_own() -> None:
    limits = KeyLimits(None, Clock())
    assert [await passes(limits) for _ in range(4)] == [True, True, False, False]
    assert await passes(limits, BOB)


async def test_the_error_says_whose_limit_it_is_and_when_to_come_back() -> None:
    clock = Clock()
    limits = KeyLimits(None, clock)
    await limits.count(ALICE)
    clock.now += 10.5
    await limits.count(ALICE)
    with pytest.raises(RateLimitedError, match=r"This key \(alice\) may send 2 requests a minute") as raised:
        await limits.count(ALICE)
    assert raised.value.retry_after == 50
    clock.now += 50
    assert [await passes(limits), await passes(limits)] == [True, False]


async def test_a_limit_that_was_lowered_waits_until_few_enough_are_left() -> None:
    clock = Clock()
    limits = KeyLimits(None, clock)
    for _ in range(2):
        await limits.count(ALICE)
        clock.now += 20
    with pytest.raises(RateLimitedError) as raised:
        await limits.count(Key("alice", ALICE.digest, rpm=1))
    assert raised.value.retry_after == 40


@given(
    rpm=st.integers(1, 4),
    pauses=st.lists(st.floats(0, 40), min_size=1, max_size=40),
)
async def test_no_minute_has_more_than_the_limit_and_whoever_waits_as_told_passes(
    rpm: int, pauses: list[float]
) -> None:
    clock, key = Clock(), Key("a", b"a", rpm=rpm)
    limits = KeyLimits(None, clock)
    passed: list[float] = []
    for pause in pauses:
        clock.now += pause
        try:
            await limits.count(key)
        except RateLimitedError as error:
            clock.now += error.retry_after or 0
            await limits.count(key)
        passed.append(clock.now)
    for end in passed:
        assert sum(time <= end < time + 60 for time in passed) <= rpm


async def test_with_redis_all_workers_count_together(links: Sequence[RedisLink]) -> None:
    workers = [KeyLimits(link) for link in links]
    passed = Counter([await passes(workers[number % 2], key) for key in (ALICE, BOB) for number in range(6)])
    assert passed == {True: 4, False: 8}
    with pytest.raises(RateLimitedError) as raised:
        await workers[0].count(ALICE)
    assert raised.value.retry_after in range(1, 61)


async def test_a_request_that_redis_got_twice_counts_once(
    links: Sequence[RedisLink], monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = KeyLimits(links[0])
    monkeypatch.setattr(key_limits, "uuid4", lambda: UUID(int=1))
    assert [await passes(limits) for _ in range(5)] == [True] * 5
    monkeypatch.setattr(key_limits, "uuid4", lambda: UUID(int=2))
    assert await passes(limits)
    monkeypatch.setattr(key_limits, "uuid4", lambda: UUID(int=3))
    assert not await passes(limits)


async def test_while_redis_is_gone_each_worker_counts_its_own(
    redis_server: RedisServer, links: Sequence[RedisLink]
) -> None:
    limits = KeyLimits(links[0])
    assert await passes(limits)
    redis_server.stop()
    assert [await passes(limits) for _ in range(3)] == [True, True, False]
