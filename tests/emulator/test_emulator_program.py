"""`python -m emulator`: its one line, its options, its end."""

import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import httpx
import pytest

from emulator import Emulator
from emulator.__main__ import main
from tests.emulator.emulator_client import Client, data_of, text_of
from tests.emulator.fusion_caller import AGENT, OTHER_AGENT

ROOT = Path(__file__).parents[2]


def ready_on(line: str) -> str:
    """The url of the program that wrote `line`."""
    found = re.search(r"emulator ready on (\S+)", line)
    assert found, line
    return found[1]


@contextmanager
def program(*options: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """The emulator as a process of its own, and its url."""
    command = [sys.executable, "-m", "emulator", "--port", "0", *options]
    # S603: what runs is this project under this interpreter.
    with subprocess.Popen(  # noqa: S603
        command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        try:
            yield process, ready_on(process.stdout.readline())
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_program_says_where_it_serves_and_ends_cleanly_on_a_signal(number: signal.Signals) -> None:
    with program() as (process, url):
        assert httpx.post(f"{url}/acme/oidc/oauth/token").status_code == 400
        process.send_signal(number)
        output, errors = process.communicate(timeout=10)
        assert (process.returncode, output, errors) == (0, "", "")


class Announcement(io.StringIO):
    """Standard output that tells when a line has been written."""

    def __init__(self) -> None:
        super().__init__()
        self.complete = Event()

    def write(self, text: str) -> int:
        count = super().write(text)
        if text.endswith("\n"):
            self.complete.set()
        return count


class Running:
    """The program inside this process: `main` takes the signals of the main thread, a second thread uses it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *options: str) -> None:
        self.options = options
        self.answers: list[httpx.Response] = []
        self.output = Announcement()
        monkeypatch.setattr(sys, "stdout", self.output)

    def run(self) -> int:
        user = Thread(target=self._use, daemon=True)
        user.start()
        status = main(["--port", "0", *self.options])
        user.join()
        return status

    def _use(self) -> None:
        try:
            assert self.output.complete.wait(10)
            with httpx.Client(base_url=ready_on(self.output.getvalue())) as http:
                # The client needs nothing of an emulator but its url, which the http client has.
                client = Client(Emulator(), http)
                self.answers = [client.chat("Say abcdef") for _ in range(2)]
        finally:
            os.kill(os.getpid(), signal.SIGTERM)


def test_one_line_tells_that_it_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    running = Running(monkeypatch)
    assert running.run() == 0
    url = ready_on(running.output.getvalue())
    assert running.output.getvalue() == f"StackSpot AI emulator ready on {url} and Fusion's on {url}/fusion/v1\n"


def test_the_options_shape_the_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    options = ["--chunk", "2", "--frame-style", "base", "--line-end", "lf", "--rpm", "1"]
    running = Running(monkeypatch, *options, "--delay", "0.001", "--first-byte-delay", "0.001", "--log-level", "error")
    assert running.run() == 0
    first, second = running.answers
    assert text_of(first.content) == "abcdef"
    assert data_of(first.content)[1].endswith('"agent_info":[],"message":"ab"}')
    assert b"\r" not in first.content
    assert second.status_code == 429


def test_a_fault_and_a_body_style_can_be_switched_on_and_the_quota_off(monkeypatch: pytest.MonkeyPatch) -> None:
    running = Running(monkeypatch, "--fault", "server_error", "--error-body", "text", "--rpm", "0")
    assert running.run() == 0
    assert [(answer.status_code, answer.text) for answer in running.answers] == [(500, "Unexpected error.")] * 2


def test_the_quota_may_tell_when_to_come_back_and_its_clock_may_run_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    running = Running(monkeypatch, "--rpm", "1", "--retry-after", "--clock-speed", "2")
    assert running.run() == 0
    assert 1 <= int(running.answers[1].headers["retry-after"]) <= 60


FUSION_OPTIONS = (
    *("--fusion-key", "key-a", "--fusion-agent", AGENT, "--fusion-agent", OTHER_AGENT, "--fusion-chat-told", "last"),
    *("--fusion-lists", "bare", "--fusion-times", "naive", "--fusion-ignores-filters", "--fusion-keeps-chats"),
)


def test_fusion_has_options_of_its_own() -> None:
    with program(*FUSION_OPTIONS) as (_, url), httpx.Client(base_url=f"{url}/fusion/v1") as http:
        assert http.get("/agents", headers={"Authorization": "Bearer key-b"}).status_code == 401
        http.headers["Authorization"] = "Bearer key-a"
        assert [agent["id"] for agent in http.get("/agents").json()] == [AGENT, OTHER_AGENT]
        stream = http.post("/chat", json={"agent_id": AGENT, "message": "hello", "stream": True}).content
        (chat,) = http.get("/chat?query=nothing").json()
        assert json.loads(data_of(stream)[-2])["chat"] == chat
        assert not chat["created_at"].endswith("Z")
        assert http.delete(f"/chat/{chat['id']}").status_code == 405


@pytest.mark.parametrize(("streaming", "status"), [("json", 200), ("refused", 422)])
def test_fusion_may_have_no_streams(streaming: str, status: int) -> None:
    body = {"agent_id": AGENT, "message": "hello", "stream": True}
    with program("--fusion-streaming", streaming) as (_, url):
        answer = httpx.post(f"{url}/fusion/v1/chat", json=body, headers={"Authorization": "Bearer any"})
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json")


def test_the_handlers_of_signals_are_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGTERM)
    Running(monkeypatch).run()
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_port_that_is_taken_is_one_clear_line(emulator: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    port = emulator.url.rpartition(":")[2]
    assert main(["--port", port]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.startswith(f"emulator: cannot listen on 127.0.0.1:{port}: Address already in use")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--port", "65536"], "'65536' is not a port from 0 to 65535"),
        (["--port", "http"], "'http' is not a port from 0 to 65535"),
        (["--chunk", "0"], "'0' is not a whole number from 1 on"),
        (["--rpm", "-1"], "'-1' is not a whole number from 0 on"),
        (["--delay", "soon"], "'soon' is not a number of seconds"),
        (["--delay", "-1"], "'-1' is not a number of seconds"),
        (["--delay", "nan"], "'nan' is not a number of seconds"),
        (["--clock-speed", "0"], "'0' is not a number above 0"),
        (["--fault", "none"], "invalid choice: 'none'"),
        (["--fusion-lists", "x"], "invalid choice: 'x'"),
        (["--frame-style", "x"], "invalid choice: 'x'"),
        (["--no-such-option"], "unrecognized arguments: --no-such-option"),
    ],
)
def test_a_bad_option_is_told_and_ends_with_2(
    options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(options)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err
