"""What only a program without an event loop does: threads, and Ctrl-C."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from emulator import Emulator, Reply
from fusion_client import ChatResponse, SyncFusionClient
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


def test_a_client_that_was_not_made_has_no_thread() -> None:
    with pytest.raises(ValueError, match="base_url"):
        SyncFusionClient(KEY, base_url="nowhere")
    assert all(one.name != "fusion-client" for one in threading.enumerate())
