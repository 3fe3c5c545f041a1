"""The product as it is used: its configuration in a real proxy, the emulator behind it, OpenAI's SDK before it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import openai
import pytest

from emulator import Emulator, Options
from tests.conftest import settings_for
from tests.support.collector import Collector
from tests.support.proxy import ProxyProcess, watched

_ROOT = Path(__file__).parents[2]
_KEYLESS = {"LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true"}
_MORE_MODELS = """
  - {model_name: reviewer, litellm_params: {model: stackspot/reviewer},
     model_info: {agent_id: 01BX5ZZKBKACTAV9WEVGEMMVRZ, account: payments, input_cost_per_token: 0.001}}
  - {model_name: short, litellm_params: {model: chat, custom_llm_provider: stackspot}}
  - {model_name: librarian, litellm_params: {model: stackspot/chat},
     model_info: {knowledge_sources: [manual, wiki], deep_search_ks: true, agent_version: 3, selected_model: gpt-5}}
  - {model_name: archivist, litellm_params: {model: fusion/archivist},
     model_info: {agent_id: 11111111-1111-4111-8111-111111111111, account: archive, folder: proxy}}

litellm_settings:
  user_url_allowed_hosts: ["127.0.0.1"]  # else LiteLLM would not fetch from the emulator what it would from others"""
_PAYMENTS = {
    "FUSION_ARCHIVE_API_KEY": "archive-fusion-key",
    "STACKSPOT_PAYMENTS_CLIENT_ID": "payments-client",
    "STACKSPOT_PAYMENTS_CLIENT_SECRET": "payments-secret",
    "STACKSPOT_PAYMENTS_REALM": "payments",
}


@dataclass(frozen=True, slots=True)
class Product:
    """The running proxy, the emulator behind it, and the collector that gets its traces."""

    proxy: ProxyProcess
    emulator: Emulator
    collector: Collector


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """Started once, since it takes seconds."""
    folder = tmp_path_factory.mktemp("product")
    config = folder / "config.yaml"
    shutil.copy(_ROOT / "config.yaml", config)
    text = config.read_text("utf-8").replace("\nlitellm_settings:", _MORE_MODELS, 1)
    config.write_text(text.replace("_interval_seconds: 15", "_interval_seconds: 1"), "utf-8")
    with Emulator(Options(rpm=None, frame_style="base")) as emulator, Collector() as collector:
        traced = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "50"}
        proxy = ProxyProcess(config, {**settings_for(emulator), **_PAYMENTS, **_KEYLESS, **traced, **watched()})
        yield Product(proxy, emulator, collector)
        proxy.stop()


@pytest.fixture
def emulator(running: Product) -> Emulator:
    """The emulator, as if it had just started."""
    running.emulator.reset()
    return running.emulator


@pytest.fixture
def proxy(running: Product) -> ProxyProcess:
    """The proxy."""
    return running.proxy


@pytest.fixture
def collector(running: Product) -> Collector:
    """The collector."""
    return running.collector


@pytest.fixture
def client(proxy: ProxyProcess) -> Iterator[openai.OpenAI]:
    """OpenAI's SDK, which must not repeat what fails."""
    with httpx.Client(trust_env=False) as http:
        yield openai.OpenAI(base_url=f"{proxy.url}/v1", api_key="none", max_retries=0, http_client=http)


@pytest.fixture
def http(proxy: ProxyProcess) -> Iterator[httpx.Client]:
    """Plain HTTP to the proxy."""
    with httpx.Client(base_url=proxy.url, trust_env=False, timeout=30) as running_client:
        yield running_client
