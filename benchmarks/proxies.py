"""The processes of a measurement: the emulator, and the proxy with one provider or another."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

_ROOT = Path(__file__).parent.parent
_STARTUP = 90.0  # seconds
_AGENT = "01ARZ3NDEKTSV4RRFFQ69G5FAV"


@dataclass(frozen=True, slots=True)
class Proxy:
    """A LiteLLM proxy process."""

    url: str
    pid: int

    def cpu_seconds(self) -> float:
        """Processor time that the process has used, in user and in system mode (Linux)."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Service:
    """The emulator."""

    url: str

    def prepare(self, requests: int, words: int) -> None:
        """Line up answers of so many words, each word a frame."""
        replies = [{"text": "word " * words, "chunk": len("word ")}] * requests
        httpx.post(f"{self.url}/_emulator/reset").raise_for_status()
        httpx.post(f"{self.url}/_emulator/script", json=replies).raise_for_status()


@contextmanager
def service() -> Iterator[Service]:
    """The emulator, without quota."""
    port = _free_port()
    with _process([sys.executable, "-m", "emulator", "--port", str(port), "--rpm", "0"], {}):
        yield Service(f"http://127.0.0.1:{port}")


@contextmanager
def proxy(handler: str, behind: Service) -> Iterator[Proxy]:
    """The product with `handler`, such as `custom_handler.stackspot_llm`, for its provider."""
    environment = {f"STACKSPOT_{name}_URL": behind.url for name in ("IDM", "INFERENCE", "DATA")}
    environment |= {"STACKSPOT_MAX_RPM": "1000000", "STACKSPOT_MAX_CONCURRENT": "1000"}  # the emulator has no quota
    environment |= {"CLIENT_ID": "bench", "CLIENT_SECRET": "bench", "REALM": "bench", "GENAI_AGENT_ID": _AGENT}
    text = (_ROOT / "config.yaml").read_text("utf-8").replace("custom_handler.stackspot_llm", handler)
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "config.yaml")
        config.write_text(text, "utf-8")
        with _litellm(config, environment) as running:
            yield running


@contextmanager
def _litellm(config: Path, environment: Mapping[str, str]) -> Iterator[Proxy]:
    """LiteLLM with `config`, ready for requests."""
    port = _free_port()
    command = [sys.executable, "-m", "litellm.proxy.proxy_cli", "--config", str(config)]
    with _process([*command, "--host", "127.0.0.1", "--port", str(port)], environment) as process:
        url = f"http://127.0.0.1:{port}"
        _wait_until_ready(url, process)
        yield Proxy(url, process.pid)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


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
