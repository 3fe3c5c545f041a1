"""The processes that are measured: the proxy with the emulator behind it, and LiteLLM with a provider that does nothing."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

_ROOT = Path(__file__).parent.parent
_STARTUP = 90.0  # seconds
_AGENT = "01ARZ3NDEKTSV4RRFFQ69G5FAV"


@dataclass(frozen=True, slots=True)
class Proxy:
    """A LiteLLM proxy process.

    Attributes:
        prepare: called with a number of requests and a number of words before those requests for so many words.
        model: the model that answers with so many words.
    """

    url: str
    pid: int
    prepare: Callable[[int, int], None]
    model: Callable[[int], str]

    def cpu_seconds(self) -> float:
        """Processor time that the process has used, in user and in system mode (Linux)."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def stackspot() -> Iterator[Proxy]:
    """The product: its configuration, in front of the emulator, which sends one word a frame."""
    port = free_port()
    emulator = f"http://127.0.0.1:{port}"
    places = {f"STACKSPOT_{name}_URL": emulator for name in ("IDM", "INFERENCE", "DATA")}
    account = {"CLIENT_ID": "bench", "CLIENT_SECRET": "bench", "REALM": "bench", "GENAI_AGENT_ID": _AGENT}

    def prepare(requests: int, words: int) -> None:
        replies = [{"text": "word " * words, "chunk": len("word ")}] * requests
        httpx.post(f"{emulator}/_emulator/reset").raise_for_status()  # the quota too
        httpx.post(f"{emulator}/_emulator/script", json=replies).raise_for_status()

    command = [sys.executable, "-m", "emulator", "--port", str(port)]
    with _process(command, {}), _litellm(_ROOT / "config.yaml", places | account) as (url, pid):
        yield Proxy(url, pid, prepare, lambda _: "stackspot-chat")


@contextmanager
def do_nothing() -> Iterator[Proxy]:
    """The measure of everything else."""
    with _litellm(_ROOT / "benchmarks" / "do_nothing.yaml", {}) as (url, pid):
        yield Proxy(url, pid, lambda _requests, _words: None, lambda words: f"nothing/{words}")


@contextmanager
def _litellm(config: Path, environment: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """Address and process id of LiteLLM with `config`, ready for requests."""
    port = free_port()
    command = [sys.executable, "-m", "litellm.proxy.proxy_cli", "--config", str(config)]
    with _process([*command, "--host", "127.0.0.1", "--port", str(port)], environment) as process:
        url = f"http://127.0.0.1:{port}"
        _wait_until_ready(url, process)
        yield url, process.pid


@contextmanager
def _process(command: list[str], environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    switches = {
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
        "PYTHONPATH": str(_ROOT),
    }
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command, env={**os.environ, **switches, **environment}, stdout=log, stderr=log, cwd=_ROOT
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(timeout=30)


def _wait_until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _STARTUP
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{url}/health/liveliness").status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.2)
    raise RuntimeError(f"{url} did not start")
