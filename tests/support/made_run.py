"""The proxy as `make run` starts it when everything is installed, and requests to it and to its emulator."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack, chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.support.program import Program
from tests.support.proxy import environment, free_port


@dataclass(frozen=True, slots=True)
class MadeRun:
    """A running proxy with an emulator behind it.

    Attributes:
        program: the launcher; its output has that of the proxy and the emulator too.
        proxy: a client of the proxy.
        emulator: a client of the emulator.
    """

    program: Program
    proxy: httpx.Client
    emulator: httpx.Client

    @property
    def base_url(self) -> str:
        """What clients of the proxy are given."""
        return f"{str(self.proxy.base_url).rstrip('/')}/v1"

    @property
    def curl(self) -> str:
        """The command that `make run` prints."""
        return _find(r"^  (curl .*)$", self.program.output)

    def script(self, *texts: str | None, **fields: Any) -> None:
        """Forget everything, and line up the agent's next answers, which share `fields` of `emulator.Reply`."""
        self.emulator.post("/_emulator/reset").raise_for_status()
        self.emulator.post("/_emulator/script", json=[{"text": text, **fields} for text in texts]).raise_for_status()

    def prompts(self) -> list[str]:
        """What the agent was asked since the last `script`."""
        records = self.emulator.get("/_emulator/requests").json()["requests"]
        chats = [record["json"] for record in records if record["path"].endswith("/chat")]
        return [chat.get("user_prompt") or chat["message"] for chat in chats]


@contextmanager
def made_run(folder: Path, **settings: str) -> Iterator[MadeRun]:
    """Start it in `folder`, where no `.env` is, and end it."""
    port = free_port()
    no_quota = {"STACKSPOT_MAX_RPM": "1000000"}  # `script` clears the emulator's counts, and tests should not wait
    with ExitStack() as stack:
        with chdir(folder):
            command = [sys.executable, "-m", "custom_handler.launcher"]
            program = stack.enter_context(Program(command, environment({"PORT": str(port), **no_quota, **settings})))
        program.wait_for("Ctrl-C ends it.")
        urls = f"http://127.0.0.1:{port}", _find(r"emulator ready on (\S+)", program.output)
        clients = (httpx.Client(base_url=url, timeout=60, trust_env=False) for url in urls)
        yield MadeRun(program, *map(stack.enter_context, clients))


def _find(pattern: str, text: str) -> str:
    found = re.search(pattern, text, re.MULTILINE)
    assert found, f"{pattern!r} is not in the output:\n{text}"
    return found[1]
