"""Several workers, and what becomes of open answers when one of them is killed or all are stopped."""

from __future__ import annotations

import os
import re
import signal
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, chdir, contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
import pytest

from emulator import Emulator, Options
from tests.conftest import settings_for
from tests.launcher.answers import TEXT, OpenAnswer, owner_of
from tests.support.collector import Collector
from tests.support.figures import Figures
from tests.support.program import Program
from tests.support.proxy import environment as program_environment
from tests.support.proxy import free_port, watched

_LAUNCHER = (sys.executable, "-m", "custom_handler.launcher")
#: Each worker signs in once, so this many tokens say that both have answered; a kernel that shares out connections by
#: chance is very unlikely to need so many requests.
WORKERS, MOST = 2, 200
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
_WORKER = re.compile(r"Started server process \[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Running:
    """The launcher, and where the proxy listens."""

    program: Program
    url: str

    def ask(self) -> None:
        """Have one request answered, over a connection of its own."""
        body = {"model": "stackspot-chat", "messages": [{"role": "user", "content": "hi"}]}
        url = f"{self.url}/v1/chat/completions"
        httpx.post(url, json=body, timeout=60, trust_env=False).raise_for_status()

    def figures(self) -> Figures:
        """What one of the workers tells, whichever takes the connection."""
        return Figures(httpx.get(f"{self.url}/metrics", trust_env=False).text)

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
def running(
    environment: Mapping[str, str], emulator: Emulator, collector: Collector, workers: int
) -> Iterator[Running]:
    port = str(free_port())
    traced = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
    env = {**environment, **settings_for(emulator), **traced, "PORT": port, "WORKERS": str(workers)}
    with Program(_LAUNCHER, env) as program:
        program.wait_for("Ctrl-C ends it.")
        program.wait_for_lines("Application startup complete.", workers)
        yield Running(program, f"http://127.0.0.1:{port}")


def text_of(stream: str) -> str:
    return "".join(re.findall(r'"content":"([^"]*)"', stream))


def check_stop(proxy: Running, emulator: Emulator, collector: Collector, workers: int) -> None:
    """Stop it while an answer is open: that one is finished, its trace too, and nobody else gets in."""
    with OpenAnswer.of(proxy.url, emulator, {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}) as answer:
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
    collector.trace(TRACE, "Received Proxy Server Request", "agent call")


def test_when_stopped_an_open_answer_is_finished_and_new_requests_are_refused(
    environment: Mapping[str, str], emulator: Emulator
) -> None:
    with Collector() as collector, running(environment, emulator, collector, workers=1) as proxy:
        check_stop(proxy, emulator, collector, workers=1)


class TestTwoWorkers:
    """One pair of workers, in this order: the last test stops them."""

    @pytest.fixture(scope="class")
    @staticmethod
    def service() -> Iterator[Emulator]:
        """A StackSpot without quota."""
        with Emulator(Options(rpm=None)) as emulator:
            yield emulator

    @pytest.fixture(scope="class")
    @staticmethod
    def collector() -> Iterator[Collector]:
        with Collector() as collector:
            yield collector

    @pytest.fixture(scope="class")
    @staticmethod
    def proxy(service: Emulator, collector: Collector, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
        environment = program_environment(watched())
        with chdir(tmp_path_factory.mktemp("two")), running(environment, service, collector, WORKERS) as proxy:
            yield proxy

    def test_every_worker_tells_the_figures_of_all(self, proxy: Running) -> None:
        asked = 0
        while proxy.figures().of("agent_proxy_token_fetches_total") < WORKERS and asked < MOST:
            proxy.ask()
            asked += 1
        told = [proxy.figures() for _ in range(10)]
        assert {one.of("agent_proxy_token_fetches_total", outcome="ok") for one in told} == {WORKERS}
        assert {one.of("agent_proxy_requests_total", model="stackspot-chat", outcome="ok") for one in told} == {asked}
        assert {one.of("agent_proxy_request_duration_seconds_count") for one in told} == {asked}
        assert {one.of("agent_proxy_requests_in_flight") for one in told} == {0}

    @pytest.mark.skipif(sys.platform != "linux", reason="whose a connection is, is read from /proc")
    def test_a_killed_worker_breaks_its_own_answers_only_and_is_replaced(
        self, proxy: Running, service: Emulator
    ) -> None:
        with ExitStack() as stack:
            answers: dict[int, OpenAnswer] = {}
            while len(answers) < WORKERS:  # either worker may take a connection
                answer = stack.enter_context(OpenAnswer.of(proxy.url, service))
                answers.setdefault(owner_of(answer.port, proxy.workers), answer)
            (killed, broken), (_, other) = answers.items()
            os.kill(killed, signal.SIGKILL)
            with pytest.raises(httpx.RemoteProtocolError, match="incomplete"):
                broken.rest()
            service.wait_for(lambda emulated: any(chat.disconnected for chat in emulated.chats))
            proxy.program.wait_for_lines("Application startup complete.", WORKERS + 1)
            service.release()
            assert text_of(other.beginning + other.rest()) == TEXT

    def test_when_stopped_both_finish_what_they_have_begun(
        self, proxy: Running, service: Emulator, collector: Collector
    ) -> None:
        check_stop(proxy, service, collector, WORKERS)
