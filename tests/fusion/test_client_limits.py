"""What a client keeps within: connections, a rate, and the memory of its cache."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import httpx
import pytest

from emulator import Emulator, Options, Reply
from fusion_client import FusionClient
from fusion_client.calls import get_agent
from fusion_client.per_loop import PerLoop
from fusion_client.rate_limit import RateLimit
from fusion_client.read_cache import ReadCache
from tests.fusion.callers import AGENT, KEY, UNKNOWN, Caller
from tests.fusion.conftest import StartCaller
from tests.support.program import Program
from tests.support.proxy import environment


async def test_many_messages_at_once_share_a_hundred_connections(emulator: Emulator) -> None:
    connections: list[int] = []

    async def count(_: httpx.Response) -> None:
        connections.append(len(emulator._server.server_state.connections))

    async with FusionClient(KEY, base_url=emulator.fusion_url) as client:
        client._connections.get().http.event_hooks = {"response": [count]}
        answers = await asyncio.gather(*(client.send_message(AGENT, f"say {number}") for number in range(300)))
    assert len({answer.chat_id for answer in answers}) == len(connections) == 300
    assert 1 < max(connections) <= 100


def test_loops_one_after_another_share_a_client(emulator: Emulator) -> None:
    script = f"""
import asyncio
from fusion_client import FusionClient
client = FusionClient({KEY!r}, base_url={emulator.fusion_url!r}, rate_limit=1000)
async def ask():
    await asyncio.gather(*(client.send_message({AGENT!r}, "hello") for _ in range(120)))  # more than have a place
for _ in range(2):
    asyncio.run(ask())
asyncio.run(client.aclose())
"""
    with Program([sys.executable, "-c", script], environment({})) as program:
        assert program.end() == 0, program.output
    assert [one.status for one in emulator.chats] == [200] * 240


def test_what_belongs_to_a_loop_is_one_in_it_and_another_in_the_next() -> None:
    things = PerLoop(object)

    async def twice() -> set[object]:
        return {things.get(), things.get()}

    first, second = asyncio.run(twice()), asyncio.run(twice())
    assert (len(first), len(second), first & second) == (1, 1, set())


async def test_no_more_calls_than_the_limit_pass_in_any_period() -> None:
    limit, passed = RateLimit(5, period=0.1), list[float]()

    async def call() -> None:
        await limit.wait()
        passed.append(asyncio.get_running_loop().time())

    await asyncio.gather(*(call() for _ in range(16)))
    assert all(later - earlier > 0.099 for earlier, later in zip(passed, passed[5:], strict=False))
    assert all(earlier <= later for earlier, later in pairwise(passed))


async def test_a_call_that_is_cancelled_while_it_waits_takes_no_turn() -> None:
    limit = RateLimit(1, period=0.05)
    await limit.wait()
    waiting = [asyncio.create_task(limit.wait()) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    waiting[1].cancel()
    async with asyncio.timeout(5):
        await waiting[2]


def test_calls_beyond_the_limit_wait_and_each_try_counts(call: StartCaller) -> None:
    with Emulator(Options(rpm=2, clock_speed=300)) as emulator:
        fusion = call(emulator, max_retries=0)
        turns: list[str] = []
        limit = RateLimit(2, period=0.25)
        wait = limit.wait

        async def counted() -> None:
            await wait()
            turns.append("turn")

        limit.wait = counted  # type: ignore[method-assign]  # only watched
        client = fusion.client if isinstance(fusion.client, FusionClient) else fusion.client._client
        object.__setattr__(client._session, "limit", limit)
        for _ in range(5):
            fusion.ask("send_message", AGENT, "hello")
        assert len(turns) == 5
        assert {one.status for one in emulator.chats} == {200}


@pytest.fixture
def quick_threads() -> Iterator[None]:
    """Threads that take turns in the middle of whatever they do."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


def test_a_read_is_answered_from_the_cache_until_something_is_written(fusion: Caller, emulator: Emulator) -> None:
    chat_id = fusion.ask("create_chat", AGENT, "hello").chat_id
    assert len(fusion.ask("list_messages", chat_id)) == 2
    assert len(fusion.ask("list_messages", chat_id)) == 2
    fusion.ask("list_agents")
    assert len(emulator.requests) == 3
    assert fusion.client.cache_stats.model_dump() == {"hits": 1, "misses": 2, "size": 2}

    fusion.ask("send_message", AGENT, "more", chat_id=chat_id)
    assert len(fusion.ask("list_messages", chat_id)) == 4
    fusion.ask("list_agents")
    assert fusion.client.cache_stats.model_dump() == {"hits": 2, "misses": 3, "size": 2}


def test_a_stream_is_a_write_when_it_ends(fusion: Caller, emulator: Emulator) -> None:
    chat_id = fusion.ask("create_chat", AGENT, "hello").chat_id
    emulator.script(Reply("Hello world", chunk=4, hold_after=8))
    stream = fusion.stream(chat_id=chat_id)
    stream.first()
    assert len(fusion.ask("list_messages", chat_id)) == 3
    emulator.release()
    stream.whole()
    assert len(fusion.ask("list_messages", chat_id)) == 4


def test_a_stream_is_a_write_when_it_begins(fusion: Caller, emulator: Emulator) -> None:
    assert fusion.ask("list_chats") == []
    emulator.script(Reply("Hello world", chunk=4, hold_after=8))
    stream = fusion.stream()
    assert len(fusion.ask("list_chats")) == 1
    stream.close()


@pytest.mark.usefixtures("quick_threads")
def test_figures_are_asked_for_in_any_thread() -> None:
    cache, over = ReadCache(5, 1e-5), threading.Event()

    async def fetch() -> str:
        return "agent"

    async def use() -> None:
        for number in range(5000):
            await cache.read(get_agent(str(number % 10)), fetch)  # type: ignore[arg-type]  # any answer will do

    def watch() -> None:
        while not over.is_set():
            assert cache.stats.size <= 5

    with ThreadPoolExecutor(2) as threads:
        watching = [threads.submit(watch) for _ in range(2)]
        try:
            asyncio.run(use())
        finally:
            over.set()
        for one in watching:
            one.result()


def test_what_a_caller_does_to_a_list_is_nothing_to_the_next(fusion: Caller) -> None:
    fusion.ask("list_agents").clear()
    assert len(fusion.ask("list_agents")) == 1


def test_without_a_cache_every_read_is_asked(emulator: Emulator, call: StartCaller) -> None:
    fusion = call(emulator, enable_cache=False)
    fusion.ask("list_agents")
    fusion.ask("list_agents")
    assert len(emulator.requests) == 2
    assert fusion.client.cache_stats.model_dump() == {"hits": 0, "misses": 0, "size": 0}


def test_a_cache_has_its_size_and_its_time(emulator: Emulator, call: StartCaller) -> None:
    small, short = call(emulator, cache_size=1), call(emulator, cache_ttl=1e-9)
    for fusion in (small, short):
        for agent in (AGENT, UNKNOWN, AGENT):
            fusion.ask("get_agent", agent)
    assert small.client.cache_stats.model_dump() == {"hits": 0, "misses": 3, "size": 1}
    assert short.client.cache_stats.model_dump() == {"hits": 0, "misses": 3, "size": 0}


def test_files_are_not_kept(fusion: Caller) -> None:
    file_id = fusion.ask("upload_file", b"words", filename="a.txt").file_id
    fusion.ask("download_file", file_id)
    assert fusion.client.cache_stats.size == 0


async def test_what_was_read_while_something_was_written_is_not_kept(emulator: Emulator) -> None:
    async with FusionClient(KEY, base_url=emulator.fusion_url) as client:
        chat_id = (await client.create_chat(AGENT, "hello")).chat_id or ""
        emulator.script(Reply(hold=True, hits="other"))
        reading = asyncio.create_task(client.list_messages(chat_id))
        await asyncio.to_thread(emulator.wait_for, lambda one: one.requests[1].held)
        await client.send_message(AGENT, "more", chat_id=chat_id)
        emulator.release()
        await reading
        assert client.cache_stats.size == 0
        assert len(await client.list_messages(chat_id)) == 4
