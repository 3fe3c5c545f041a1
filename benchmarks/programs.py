"""The programs of a measurement: the service, and in front of it the proxy and what it is measured against."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

import httpx

ROOT = Path(__file__).parent.parent
_STARTUP = 120.0  # seconds
_AGENT = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Running:
    """A program that answers requests.

    Attributes:
        start_up: seconds from its start to its first answer.
    """

    url: str
    pid: int
    start_up: float

    def cpu_seconds(self) -> float:
        """Processor time that the process has used, in user and in system mode (Linux)."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> float:
        """Megabytes that it has in memory now (Linux)."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / _MB


#: Starts a program in front of the service at the given address.
Start: TypeAlias = Callable[[str], AbstractContextManager[Running]]


@contextmanager
def service() -> Iterator[Running]:
    """What is behind all of them."""
    with started("benchmarks.service") as running:
        yield running


@contextmanager
def product(service_url: str) -> Iterator[Running]:
    """The proxy as it is shipped, but for its quotas."""
    no_quota = {"STACKSPOT_MAX_CONCURRENT": "1000", "STACKSPOT_MAX_RPM": "1000000"}
    with _litellm(ROOT / "config.yaml", _account(service_url) | no_quota) as running:
        yield running


@contextmanager
def provider(handler: str, service_url: str) -> Iterator[Running]:
    """LiteLLM as it is, with a provider of `benchmarks.handlers`."""
    config = f"""
model_list: [{{model_name: stackspot-chat, litellm_params: {{model: bench/chat}}}}]
litellm_settings: {{custom_provider_map: [{{provider: bench, custom_handler: benchmarks.handlers.{handler}}}]}}
"""
    with _configured(config, _account(service_url)) as running:
        yield running


@contextmanager
def openai_provider(service_url: str) -> Iterator[Running]:
    """LiteLLM as it is, with its own provider for OpenAI."""
    config = f"""
model_list:
  - model_name: stackspot-chat
    litellm_params: {{model: openai/chat, api_base: {service_url}/v1, api_key: bench}}
"""
    with _configured(config, {}) as running:
        yield running


@contextmanager
def pass_through(service_url: str) -> Iterator[Running]:
    """FastAPI and httpx."""
    command = ("uvicorn", "benchmarks.pass_through:app", "--no-access-log", "--port")
    with started(*command, environment={"SERVICE_URL": service_url}) as running:
        yield running


def _account(service_url: str) -> dict[str, str]:
    urls = {f"STACKSPOT_{name}_URL": service_url for name in ("IDM", "INFERENCE", "DATA")}
    no_quota = {"STACKSPOT_MAX_RPM": "1000000", "STACKSPOT_MAX_CONCURRENT": "1000"}  # the stand-in has none either
    account = {"CLIENT_ID": "bench", "CLIENT_SECRET": "bench", "REALM": "bench", "GENAI_AGENT_ID": _AGENT}
    return urls | no_quota | account


@contextmanager
def _configured(config: str, environment: Mapping[str, str]) -> Iterator[Running]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "config.yaml")
        path.write_text(config, "utf-8")
        with _litellm(path, environment) as running:
            yield running


@contextmanager
def _litellm(config: Path, environment: Mapping[str, str]) -> Iterator[Running]:
    command = ("litellm.proxy.proxy_cli", "--config", str(config), "--host", "127.0.0.1", "--port")
    switches = {
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
    }
    with started(*command, environment={**switches, **environment}) as running:
        yield running


@contextmanager
def started(module: str, *arguments: str, environment: Mapping[str, str] = MappingProxyType({})) -> Iterator[Running]:
    """`python -m` with a free port for the last argument; ready for requests.

    Raises:
        RuntimeError: it did not start; the text has its output.
    """
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryFile() as log:
        begun = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments, str(port)],
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            stdout=log,
            stderr=log,
            cwd=ROOT,
        )
        try:
            if not _is_ready_in_time(url, process):
                log.seek(0)
                raise RuntimeError(f"{module} did not start:\n{log.read().decode(errors='replace')[-5000:]}")
            yield Running(url, process.pid, time.perf_counter() - begun)
        finally:
            process.terminate()
            process.wait(timeout=30)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _is_ready_in_time(url: str, process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + _STARTUP
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{url}/health/liveliness").status_code == 200:
                return True
        except httpx.HTTPError:
            time.sleep(0.05)
    return False
