"""Streamed answers of a running proxy, taken as they come."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import httpx

from emulator import Emulator, Reply

TEXT = "An answer that waits in its middle."


class OpenAnswer:
    """An answer of which the beginning has come; the service waits in its middle until it is released.

    Attributes:
        port: the client's end of the connection.
    """

    def __init__(self, response: httpx.Response) -> None:
        response.raise_for_status()
        self._lines = response.iter_lines()
        self.beginning = next(line for line in self._lines if '"content":"An' in line)
        self.port = int(response.extensions["network_stream"].get_extra_info("client_addr")[1])

    @classmethod
    @contextmanager
    def of(cls, url: str, emulator: Emulator, headers: dict[str, str] | None = None) -> Iterator[Self]:
        """Ask the proxy at `url`, on a connection of its own."""
        emulator.script(Reply(TEXT, chunk=2, hold_after=8))
        body = {"model": "stackspot-chat", "stream": True, "messages": [{"role": "user", "content": "hi"}]}
        with (
            httpx.Client(trust_env=False, timeout=60) as client,
            client.stream("POST", f"{url}/v1/chat/completions", json=body, headers=headers) as response,
        ):
            yield cls(response)

    def rest(self) -> str:
        """Everything up to the end of the connection; raises httpx.RemoteProtocolError when it broke."""
        return "\n".join(self._lines)


def owner_of(port: int, processes: list[int]) -> int:
    """The one of `processes` that has the server's end of the connection from `port` (on Linux)."""
    fields = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    inodes = {f"socket:[{field[9]}]" for field in fields if int(field[2].rpartition(":")[2], 16) == port}
    (owner,) = (process for process in processes if inodes & _open_files(process))
    return owner


def _open_files(process: int) -> set[str]:
    found = set()
    for file in Path(f"/proc/{process}/fd").iterdir():
        try:
            found.add(str(file.readlink()))
        except FileNotFoundError:  # closed meanwhile
            continue
    return found
