"""Redis, and what becomes of a question while it is gone."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from custom_handler.redis_link import RedisGoneError, RedisLink
from tests.support.clock import Clock
from tests.support.redis_server import RedisServer


@pytest.fixture
async def link(redis_server: RedisServer, clock: Clock) -> AsyncIterator[RedisLink]:
    link = RedisLink(redis_server.url, clock)
    yield link
    await link.aclose()


async def count(redis: Redis) -> int:
    return int(await redis.incr("count"))


async def test_what_a_command_gives_comes_back(link: RedisLink) -> None:
    assert [await link.run(count), await link.run(count)] == [1, 2]
    assert not link.gone


async def test_while_redis_is_gone_nobody_waits_for_it(
    link: RedisLink, redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    redis_server.stop()
    asked = 0

    async def counting(redis: Redis) -> int:
        nonlocal asked
        asked += 1
        return await count(redis)

    for _ in range(3):
        with pytest.raises(RedisGoneError):
            await link.run(counting)
    assert link.gone
    assert asked == 1, "it was asked again at once"
    assert [record.levelno for record in caplog.records if record.name == "custom_handler.redis"] == [logging.ERROR]
    assert redis_server.url.removeprefix("redis://").removesuffix("/0") in caplog.text


async def test_while_redis_hangs_one_at_a_time_finds_out_whether_it_is_back(link: RedisLink, clock: Clock) -> None:
    asked = 0

    async def hanging(_: Redis) -> None:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0)
        raise TimeoutError

    for _ in range(3):
        refused = await asyncio.gather(*(link.run(hanging) for _ in range(5)), return_exceptions=True)
        assert {type(error) for error in refused} == {RedisGoneError}
        clock.now += 2
    assert asked == 5 + 1 + 1, "all who asked before anybody knew, and then one each time"


async def test_many_at_once_wait_for_one_another_and_redis_is_not_gone(link: RedisLink) -> None:
    assert sorted(await asyncio.gather(*(link.run(count) for _ in range(300)))) == list(range(1, 301))


async def test_redis_that_is_back_is_used_again(
    link: RedisLink, redis_server: RedisServer, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    await link.run(count)
    redis_server.stop()
    with pytest.raises(RedisGoneError):
        await link.run(count)
    redis_server.start()
    clock.now += 2
    assert await link.run(count) == 1
    assert not link.gone
    assert "is back" in caplog.text


async def test_redis_that_was_started_again_between_two_commands_is_not_missed(
    link: RedisLink, redis_server: RedisServer
) -> None:
    await link.run(count)
    redis_server.stop()
    redis_server.start()
    assert await link.run(count) == 1


async def test_an_answer_of_the_wrong_kind_counts_as_none(link: RedisLink) -> None:
    async def confused(redis: Redis) -> None:
        await redis.set("text", "abc")
        await redis.incr("text")

    with pytest.raises(RedisGoneError):
        await link.run(confused)


async def test_the_password_is_never_told(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    link = RedisLink("redis://:hunter2@127.0.0.1:1/0", clock)
    with pytest.raises(RedisGoneError) as caught:
        await link.run(count)
    await link.aclose()
    assert "hunter2" not in caplog.text + str(caught.value)
