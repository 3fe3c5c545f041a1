"""What only a program without an event loop does: threads, and Ctrl-C."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from emulator import Emulator, Reply
from fusion_client import ChatResponse, NetworkError, SyncFusionClient
from tests.fusion.callers import AGENT, KEY
from tests.support.program import Program
from tests.support.proxy import environment


@pytest.fixture
def client(emulator: Emulator) -> SyncFusionClient:
    return SyncFusionClient(KEY, base_url=emulator.fusion_url)


def test_threads_share_a_client(client: SyncFusionClient) -> None:
    def ask(number: int) -> ChatResponse:
        return client.send_message(AGENT, f"say {number}")

    with client, ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(ask, range(40)))
    assert [answer.messages[0].message for answer in answers] == [f"say {number}" for number in range(40)]


def test_ctrl_c_ends_the_wait_and_the_request(client: SyncFusionClient, emulator: Emulator) -> None:
    emulator.script(Reply(hold=True))

    def press() -> None:
        emulator.wait_for(lambda one: one.chats[0].held)
        os.kill(os.getpid(), signal.SIGINT)

    presser = threading.Thread(target=press)
    with client:
        presser.start()
        with pytest.raises(KeyboardInterrupt):
            client.send_message(AGENT, "hello")
        emulator.wait_for(lambda one: one.chats[0].disconnected)
        presser.join()
        assert client.send_message(AGENT, "hello").text


def test_a_client_that_is_closed_ends_its_thread(client: SyncFusionClient) -> None:
    client.list_agents()
    (thread,) = (one for one in threading.enumerate() if one.name == "fusion-client")
    client.close()
    assert not thread.is_alive()


def test_a_client_that_is_dropped_ends_its_thread(emulator: Emulator) -> None:
    client = SyncFusionClient(KEY, base_url=emulator.fusion_url)
    client.list_agents()
    (thread,) = (one for one in threading.enumerate() if one.name == "fusion-client")
    del client
    gc.collect()
    assert not thread.is_alive()


def test_a_program_that_never_closes_its_client_ends(emulator: Emulator) -> None:
    script = f"""
from fusion_client import SyncFusionClient
client = SyncFusionClient({KEY!r}, base_url={emulator.fusion_url!r})
stream = client.send_message({AGENT!r}, "hello", stream=True)
print(client.list_agents()[0].id, next(stream))
"""
    with Program([sys.executable, "-W", "error", "-c", script], environment({})) as program:
        assert program.end() == 0
    assert program.output.startswith(AGENT)
    assert program.output.count("\n") == 1


def test_a_program_ends_although_a_call_still_waits_for_its_turn(emulator: Emulator) -> None:
    script = f"""
import threading
from fusion_client import SyncFusionClient
client = SyncFusionClient({KEY!r}, base_url={emulator.fusion_url!r}, rate_limit=1, enable_cache=False)
client.list_agents()
threading.excepthook = lambda _: None
for _ in range(3):  # which would take three minutes
    threading.Thread(target=client.list_agents, daemon=True).start()
"""
    with Program([sys.executable, "-c", script], environment({})) as program:
        assert program.end() == 0


def test_who_waits_in_another_thread_hears_that_the_client_was_closed(emulator: Emulator) -> None:
    client = SyncFusionClient(KEY, base_url=emulator.fusion_url, rate_limit=1, enable_cache=False)
    client.list_agents()
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(client.list_agents)
        while len(asyncio.all_tasks(client._loop._loop)) < 2:
            threading.Event().wait(0.001)
        client.close()
        with pytest.raises(NetworkError, match="closed"):
            waiting.result()


def test_a_process_that_was_forked_uses_the_client_and_ends(client: SyncFusionClient, emulator: Emulator) -> None:
    def ask_in_threads() -> None:
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda _: client.send_message(AGENT, "of the child"), range(8)))
        assert [one.name for one in threading.enumerate()].count("fusion-client") == 1

    client.send_message(AGENT, "of the parent")
    fork = multiprocessing.get_context("fork")
    for target in (ask_in_threads, client.close):
        child = fork.Process(target=target)
        child.start()
        child.join(10)
        code = child.exitcode
        child.kill()
        assert code == 0
    assert client.send_message(AGENT, "of the parent").text
    said = [one.json["message"] for one in emulator.chats]
    assert said == ["of the parent", *["of the child"] * 8, "of the parent"]
    client.close()


def test_a_client_that_is_called_by_what_it_calls_does_not_wait_for_ever(client: SyncFusionClient) -> None:
    def ask(_sent: int, _all: int) -> None:
        client.list_agents()

    with client, pytest.raises(RuntimeError, match="its own thread"):
        client.upload_file(b"words", filename="a.txt", progress=ask)


def test_a_stream_that_has_come_outlives_its_client(client: SyncFusionClient) -> None:
    with client:
        stream = client.send_message(AGENT, "hello", stream=True)
        tokens = [next(stream), *stream]
        assert next(stream, None) is None
    assert stream.response().text == "".join(tokens)
    stream.close()


async def test_a_client_can_be_called_where_a_loop_runs(client: SyncFusionClient) -> None:
    with client:
        assert client.list_agents()


def test_figures_can_be_had_at_any_time(emulator: Emulator) -> None:
    with SyncFusionClient(KEY, base_url=emulator.fusion_url) as client:
        client.list_agents()
    assert client.cache_stats.misses == 1


def test_a_client_that_was_not_made_has_no_thread() -> None:
    with pytest.raises(ValueError, match="base_url"):
        SyncFusionClient(KEY, base_url="nowhere")
    assert all(one.name != "fusion-client" for one in threading.enumerate())
