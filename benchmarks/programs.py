"""The programs of a measurement: the service, and in front of it the proxy and what it is measured against."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

import httpx

from custom_handler.launch_plan import Address, Plan
from tests.support.proxy import environment, free_port

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
    """The proxy as `make run` starts it, but for its quotas."""
    no_quota = {"STACKSPOT_MAX_CONCURRENT": "1000", "STACKSPOT_MAX_RPM": "1000000"}
    plan = Plan(Address("127.0.0.1", free_port()), workers=1, emulator=None)
    inherited = environment(_account(service_url) | no_quota)
    with _answering(plan.address, plan.commands(figures="")[0].arguments, plan.proxy_environment(inherited)) as running:
        yield running


@contextmanager
def provider(handler: str, service_url: str) -> Iterator[Running]:
    """LiteLLM as it is, with a provider of `benchmarks.handlers`."""
    config = f"""
model_list: [{{model_name: stackspot-chat, litellm_params: {{model: bench/chat}}}}]
litellm_settings: {{custom_provider_map: [{{provider: bench, custom_handler: benchmarks.handlers.{handler}}}]}}
"""
    with _litellm(config, _account(service_url)) as running:
        yield running


@contextmanager
def openai_provider(service_url: str) -> Iterator[Running]:
    """LiteLLM as it is, with its own provider for OpenAI."""
    config = f"""
model_list:
  - model_name: stackspot-chat
    litellm_params: {{model: openai/chat, api_base: {service_url}/v1, api_key: bench}}
"""
    with _litellm(config, {}) as running:
        yield running


@contextmanager
def pass_through(service_url: str) -> Iterator[Running]:
    """FastAPI and httpx."""
    command = ("uvicorn", "benchmarks.pass_through:app", "--no-access-log", "--port")
    with started(*command, env={"SERVICE_URL": service_url}) as running:
        yield running


def _account(service_url: str) -> dict[str, str]:
    urls = {f"STACKSPOT_{name}_URL": service_url for name in ("IDM", "INFERENCE", "DATA")}
    no_quota = {"STACKSPOT_MAX_RPM": "1000000", "STACKSPOT_MAX_CONCURRENT": "1000"}  # the stand-in has none either
    account = {"CLIENT_ID": "bench", "CLIENT_SECRET": "bench", "REALM": "bench", "GENAI_AGENT_ID": _AGENT}
    return urls | no_quota | account


@contextmanager
def _litellm(config: str, env: Mapping[str, str]) -> Iterator[Running]:
    no_key = {"LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true"}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "config.yaml")
        path.write_text(config, "utf-8")
        command = ("litellm.proxy.proxy_cli", "--config", str(path), "--host", "127.0.0.1", "--port")
        with started(*command, env={**no_key, **env}) as running:
            yield running


@contextmanager
def started(module: str, *arguments: str, env: Mapping[str, str] = MappingProxyType({})) -> Iterator[Running]:
    """`python -m` with a free port for the last argument; ready for requests.

    Raises:
        RuntimeError: it did not start; the text has its output.
    """
    address = Address("127.0.0.1", free_port())
    command = (sys.executable, "-m", module, *arguments, str(address.port))
    with _answering(address, command, environment(env)) as running:
        yield running


@contextmanager
def _answering(address: Address, command: Sequence[str], env: Mapping[str, str]) -> Iterator[Running]:
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as log:
        begun = time.perf_counter()
        process = subprocess.Popen(command, env=env, stdout=log, stderr=log, cwd=folder)
        try:
            if not _is_ready_in_time(address, process):
                log.seek(0)
                raise RuntimeError(f"{command[2]} did not start:\n{log.read().decode(errors='replace')[-5000:]}")
            yield Running(address.url, process.pid, time.perf_counter() - begun)
        finally:
            process.terminate()
            process.wait(timeout=30)


def _is_ready_in_time(address: Address, process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + _STARTUP
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{address.url}/health/liveliness", trust_env=False).status_code == 200:
                return True
        except httpx.HTTPError:
            time.sleep(0.05)
    return False
