"""What becomes of open answers when the proxy is stopped, and when one of its workers is killed."""

from __future__ import annotations

import os
import re
import signal
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
import pytest

from emulator import Emulator
from tests.conftest import settings_for
from tests.launcher.answers import TEXT, OpenAnswer, owner_of
from tests.support.program import Program
from tests.support.proxy import free_port

_LAUNCHER = (sys.executable, "-m", "custom_handler.launcher")
_WORKER = re.compile(r"Started server process \[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Running:
    """The launcher, and where the proxy listens."""

    program: Program
    url: str

    @property
    def workers(self) -> list[int]:
        """The process ids of all workers so far."""
        return [int(found) for found in _WORKER.findall(self.program.output)]

    def refuses_connections(self) -> bool:
        where = urlsplit(self.url)
        try:
            socket.create_connection((where.hostname, where.port), timeout=5).close()
        except ConnectionRefusedError:
            return True
        return False


@contextmanager
def running(environment: Mapping[str, str], emulator: Emulator, workers: int) -> Iterator[Running]:
    port = str(free_port())
    env = {**environment, **settings_for(emulator), "PORT": port, "WORKERS": str(workers)}
    with Program(_LAUNCHER, env) as program:
        program.wait_for("Ctrl-C ends it.")
        program.wait_for_lines("Application startup complete.", workers)
        yield Running(program, f"http://127.0.0.1:{port}")


def text_of(stream: str) -> str:
    return "".join(re.findall(r'"content":"([^"]*)"', stream))


def check_stop(proxy: Running, emulator: Emulator, workers: int) -> None:
    """Stop it while an answer is open: that one is finished, and nobody else gets in."""
    with OpenAnswer.of(proxy.url, emulator) as answer:
        proxy.program.send(signal.SIGTERM)
        proxy.program.wait_for("Waiting for connections to close.")
        proxy.program.wait_for_lines("Shutting down", workers)
        assert proxy.refuses_connections()
        emulator.release()
        rest = answer.rest()
    assert text_of(answer.beginning + rest) == TEXT
    assert rest.strip().endswith("data: [DONE]")
    assert proxy.program.end() == 0
    assert proxy.program.output.endswith("Stopped.\n")


def test_when_stopped_an_open_answer_is_finished_and_new_requests_are_refused(
    environment: Mapping[str, str], emulator: Emulator
) -> None:
    with running(environment, emulator, workers=1) as proxy:
        check_stop(proxy, emulator, workers=1)


if sys.platform == "linux":

    def test_a_killed_worker_breaks_its_own_answers_only_and_is_replaced(
        environment: Mapping[str, str], emulator: Emulator
    ) -> None:
        with running(environment, emulator, workers=2) as proxy, ExitStack() as stack:
            answers: dict[int, OpenAnswer] = {}
            while len(answers) < 2:  # either worker may take a connection
                answer = stack.enter_context(OpenAnswer.of(proxy.url, emulator))
                answers.setdefault(owner_of(answer.port, proxy.workers), answer)
            (killed, broken), (_, other) = answers.items()
            os.kill(killed, signal.SIGKILL)
            with pytest.raises(httpx.RemoteProtocolError, match="incomplete"):
                broken.rest()
            emulator.wait_for(lambda emulated: any(chat.disconnected for chat in emulated.chats))
            proxy.program.wait_for_lines("Application startup complete.", 3)
            emulator.release()
            assert text_of(other.beginning + other.rest()) == TEXT
            stack.close()
            check_stop(proxy, emulator, workers=2)
