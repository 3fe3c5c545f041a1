"""Child processes live and die together."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Mapping

import pytest

from custom_handler.processes import SIGNALS, Command, Ended, run
from tests.support.program import Program

NEVER = "3600"
IDLE = "import os, signal; os.write(1, b'idle\\n'); signal.pause()"
STUBBORN = """
import signal
signal.signal(signal.SIGTERM, lambda *_: print("asked", flush=True))
print("stubborn", flush=True)
while True:
    signal.pause()
"""
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {IDLE!r}])"


def supervisor(env: Mapping[str, str], *codes: str, grace: str = NEVER) -> Program:
    return Program([sys.executable, "-m", "tests.launcher.supervisor", grace, *codes], env)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_all_children(environment: Mapping[str, str], number: signal.Signals) -> None:
    with supervisor(environment, IDLE, IDLE) as program:
        program.wait_for("started")
        program.send(number)
        assert program.end() == 0
    assert "ending: None\n" in program.output
    assert "ended: None\n" in program.output


def test_ctrl_c_does_not_reach_the_children(environment: Mapping[str, str]) -> None:
    with supervisor(environment, IDLE) as program:
        program.wait_for("idle")
        program.press_ctrl_c()
        assert program.end() == 0
    assert "KeyboardInterrupt" not in program.output


@pytest.mark.parametrize(
    ("code", "ended"),
    [
        ("raise SystemExit(3)", "child 1 ended (exit code 3)"),
        ("pass", "child 1 ended (exit code 0)"),
        ("import os; os.kill(os.getpid(), 9)", "child 1 was ended by SIGKILL"),
    ],
)
def test_a_child_that_ends_by_itself_ends_the_others(environment: Mapping[str, str], code: str, ended: str) -> None:
    with supervisor(environment, IDLE, code) as program:
        assert program.end() == 0
    assert f"ending: {ended}\n" in program.output
    assert f"ended: {ended}\n" in program.output


def test_what_a_child_started_is_ended_too(environment: Mapping[str, str]) -> None:
    with supervisor(environment, PARENT) as program:
        program.wait_for("idle")
        program.send(signal.SIGTERM)
        assert program.end() == 0


def test_a_child_that_does_not_end_when_asked_is_ended_after_the_grace(environment: Mapping[str, str]) -> None:
    with supervisor(environment, STUBBORN, grace="0.1") as program:
        program.wait_for("stubborn")
        program.send(signal.SIGTERM)
        assert program.end() == 0


def test_a_second_signal_ends_children_without_grace(environment: Mapping[str, str]) -> None:
    with supervisor(environment, STUBBORN, grace=NEVER) as program:
        program.wait_for("stubborn")
        program.send(signal.SIGINT)
        program.wait_for("asked")
        program.send(signal.SIGINT)
        assert program.end() == 0


def test_a_child_is_asked_to_end_only_when_those_after_it_have_ended(environment: Mapping[str, str]) -> None:
    first = STUBBORN.replace("asked", "first of them asked")
    with supervisor(environment, first, STUBBORN, grace=NEVER) as program:
        program.wait_for_lines("stubborn", 2)
        program.send(signal.SIGTERM)
        program.wait_for("asked")
        program.send(signal.SIGTERM)
        assert program.end() == 0
    assert "first of them" not in program.output


if sys.platform == "linux":

    @pytest.mark.parametrize(("code", "first_word"), [(IDLE, "idle"), (STUBBORN, "stubborn")])
    def test_children_end_when_the_launcher_is_killed(
        environment: Mapping[str, str], code: str, first_word: str
    ) -> None:
        with supervisor(environment, code) as program:
            program.wait_for(first_word)
            program.send(signal.SIGKILL)
            assert program.end() == -signal.SIGKILL


def test_a_program_that_cannot_be_started_ends_those_before_it(environment: Mapping[str, str]) -> None:
    ended: list[Ended | None] = []

    async def never() -> None:
        raise AssertionError("not everything was started")

    commands = [
        Command("the first", (sys.executable, "-c", IDLE), environment),
        Command("the second", ("/no/such/program",), environment),
    ]
    with pytest.raises(FileNotFoundError):
        asyncio.run(run(commands, never, ended.append))
    assert ended == []
