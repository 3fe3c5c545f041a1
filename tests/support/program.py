"""A program that a test starts, talks to by signals, and reads."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).parents[2]
_PATIENCE = 90  # seconds; only a failing test waits that long


class Program:
    """A program in a process group of its own. Its output is also the output of all that it starts."""

    def __init__(self, arguments: Sequence[str], env: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(  # noqa: S603 (programs of the project)
            arguments,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
        )
        self.output = ""
        self._said_more = threading.Condition()
        self._ended = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
        self.end()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self._note(line)
        self._note("", ended=True)

    def _note(self, line: str, *, ended: bool = False) -> None:
        with self._said_more:
            self.output += line
            self._ended = ended
            self._said_more.notify_all()

    def wait_for(self, text: str) -> None:
        """Wait until the output has `text`."""
        self.wait_for_lines(text, 1)

    def wait_for_lines(self, text: str, times: int) -> None:
        """Wait until the output has `text` so many times."""
        with self._said_more:
            self._said_more.wait_for(lambda: self._ended or self.output.count(text) >= times, _PATIENCE)
        assert self.output.count(text) >= times, f"{text!r} is not {times} times in the output:\n{self.output}"

    @property
    def pid(self) -> int:
        """The id of its process."""
        return self._process.pid

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the program alone."""
        self._process.send_signal(number)

    def press_ctrl_c(self) -> None:
        """Send SIGINT to its process group, as a terminal does."""
        os.killpg(self._process.pid, signal.SIGINT)

    def end(self) -> int:
        """Wait until the program and everything that it started has ended, which is when its output ends.

        Returns:
            The exit code of the program, negative for a signal.
        """
        self._reader.join(_PATIENCE)
        assert not self._reader.is_alive(), f"something is left of the program. Its output:\n{self.output}"
        return self._process.wait()
