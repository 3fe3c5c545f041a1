"""Starting the proxy for real, as `make run` does."""

from __future__ import annotations

import shlex
import signal
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from string import Template

import httpx
import pytest

from custom_handler import launcher
from custom_handler.launch_plan import Address, Emulator, Plan
from emulator import Emulator as RunningEmulator
from tests.conftest import settings_for
from tests.support.program import Program

READY = "Ctrl-C ends it."
KEY = "sk-the-key-of-this-test"
LAUNCHER = (sys.executable, "-m", "custom_handler.launcher")


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return str(server.getsockname()[1])


@contextmanager
def launched(env: Mapping[str, str], end_with: signal.Signals) -> Iterator[Program]:
    """The launcher, ready; at the end it must go cleanly."""
    with Program(LAUNCHER, env) as program:
        program.wait_for(READY)
        yield program
        program.send(end_with)
        assert program.end() == 0
    assert program.output.endswith("Stopped.\n")
    assert "Traceback" not in program.output


def paste(output: str, variables: Mapping[str, str]) -> httpx.Response:
    """Do what the printed curl command does, in a shell with `variables`."""
    command = next(line for line in output.splitlines() if line.strip().startswith("curl"))
    _, url, *options = shlex.split(Template(command).substitute(variables))
    pairs = list(zip(options[::2], options[1::2], strict=True))
    headers = dict(value.split(": ", 1) for option, value in pairs if option == "-H")
    (body,) = (value for option, value in pairs if option == "-d")
    return httpx.post(url, headers=headers, content=body, timeout=30)


def test_without_credentials_the_printed_request_gets_an_answer_of_the_emulator(environment: Mapping[str, str]) -> None:
    port = free_port()
    env = {**environment, "PORT": port}
    with launched(env, signal.SIGINT) as program:
        assert "Behind it is not StackSpot but an emulator" in program.output
        answer = paste(program.output, {})
        assert answer.status_code == 200
        assert answer.json()["choices"][0]["message"]["content"]
        with Program((*LAUNCHER, "--health"), env) as health:
            assert health.end() == 0
        with Program(LAUNCHER, env) as second:
            assert second.end() == 2
        assert f"Port {port} on 127.0.0.1 is taken" in second.output


def test_with_credentials_and_a_key_the_printed_request_names_the_key_and_never_shows_it(
    environment: Mapping[str, str], emulator: RunningEmulator
) -> None:
    settings = {**settings_for(emulator), "LITELLM_MASTER_KEY": KEY, "HOST": "0.0.0.0", "PORT": free_port()}
    Path(".env").write_text("\n".join(f"{name}={value}" for name, value in settings.items()))
    with launched(environment, signal.SIGTERM) as program:
        assert "Behind it is StackSpot and Fusion." in program.output
        assert paste(program.output, {"LITELLM_MASTER_KEY": KEY}).status_code == 200
        assert paste(program.output, {"LITELLM_MASTER_KEY": "sk-wrong"}).status_code == 401
    assert KEY not in program.output


def test_an_emulator_that_fails_ends_the_proxy_and_is_named(environment: Mapping[str, str]) -> None:
    with Program(LAUNCHER, {**environment, "PORT": free_port(), "BRAIN": "no-such-brain"}) as program:
        assert program.end() == 1
    assert "invalid choice: 'no-such-brain'" in program.output
    assert "Stopping, because the emulator ended (exit code 2)." in program.output


def test_settings_that_do_not_allow_a_start_are_one_line_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOST", "0.0.0.0")
    assert launcher.main([]) == 2
    said = capsys.readouterr()
    assert said.err.startswith("HOST=0.0.0.0 lets other machines in")
    assert said.err.count("\n") == 1
    assert not said.out


def test_health_is_bad_where_nothing_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", free_port())
    assert launcher.main(["--health"]) == 1


def plan(emulator: Emulator | None = None) -> Plan:
    return Plan(Address("127.0.0.1", 4000), 1, emulator)


def test_without_a_default_agent_the_request_has_a_place_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "stackspot/YOUR_AGENT_ID" in launcher.curl(plan())
    assert '"stackspot-chat"' in launcher.curl(plan(Emulator("http://127.0.0.1:4001")))
    monkeypatch.setenv("GENAI_AGENT_ID", "01ARZ3NDEKTSV4RRFFQ69G5FAV")
    assert '"stackspot-chat"' in launcher.curl(plan())


@pytest.mark.parametrize(
    ("env", "key"),
    [
        ({}, None),
        ({"PROXY_KEYS": "[]"}, "$YOUR_KEY"),
        ({"PROXY_KEYS_FILE": "keys.yaml"}, "$YOUR_KEY"),
        ({"PROXY_KEYS": "[]", "LITELLM_MASTER_KEY": KEY}, "$LITELLM_MASTER_KEY"),
    ],
)
def test_the_request_names_a_variable_with_a_key_where_one_is_needed(
    monkeypatch: pytest.MonkeyPatch, env: Mapping[str, str], key: str | None
) -> None:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    shown = launcher.curl(plan())
    assert (f'-H "Authorization: Bearer {key}"' in shown) if key else ("Authorization" not in shown)


@pytest.mark.parametrize(
    ("env", "has_option"),
    [
        ({}, False),
        ({"http_proxy": "http://proxy.example.com:8080"}, True),
        ({"http_proxy": "http://proxy.example.com:8080", "no_proxy": "localhost,127.0.0.1"}, False),
    ],
)
def test_the_request_goes_around_a_company_proxy(
    monkeypatch: pytest.MonkeyPatch, env: Mapping[str, str], has_option: bool
) -> None:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert ("--noproxy 127.0.0.1" in launcher.curl(plan())) == has_option
