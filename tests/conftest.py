"""What all tests share: an emulator of the services on a real socket, and settings that point at it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from emulator import Emulator, Options
from tests.support.clock import Clock
from tests.support.made_run import MadeRun, made_run
from tests.support.redis_server import RedisServer
from tests.support.redis_server import needed as redis_server_needed
from tests.support.services import FUSION, NOT_FOR_FUSION, SERVICES, STACKSPOT, Served

# LiteLLM reads this when it is imported; without it, it would first try to download its prices.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

# How long an example takes says more about the machine than about the code.
hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")

# A job in the background ignores Ctrl-C, and so would every program that the tests start and press it for.
signal.signal(signal.SIGINT, signal.default_int_handler)

_OTHER_SETTINGS = {
    *("REDIS_URL", "PROXY_KEYS", "PROXY_KEYS_FILE", "DATABASE_URL"),
    *("CLIENT_ID", "CLIENT_SECRET", "REALM", "GENAI_AGENT_ID"),
}


AGENT = STACKSPOT.agent


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Files, and folders that share a proxy, stay together."""
    from tests.support.shares import Shares

    return Shares(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Coverage looks away where hypothesis repeats a test a hundred times: it makes the parser six times as slow."""
    for item in items:
        if hypothesis.is_hypothesis_test(getattr(item, "obj", None)):
            item.add_marker(pytest.mark.no_cover)


@pytest.fixture
def anyio_backend() -> str:
    """LiteLLM and the provider are asyncio programs."""
    return "asyncio"


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither the developer's environment nor a `.env` reaches a test."""
    for name in os.environ:
        if name.startswith(("STACKSPOT_", "FUSION_")) or name in _OTHER_SETTINGS:
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """The services, without quota."""
    with Emulator(Options(rpm=None)) as running:
        yield running


@pytest.fixture(params=SERVICES, ids=str)
def service(request: pytest.FixtureRequest) -> Served:
    """Each service, for what holds for all of them."""
    served: Served = request.param
    if served is FUSION and (reason := NOT_FOR_FUSION.get(request.node.originalname)):
        pytest.skip(reason)
    return served


@pytest.fixture(scope="session")
def _made_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MadeRun]:
    with made_run(tmp_path_factory.mktemp("run"), STACKSPOT_LOG_FORMAT="json") as running:
        yield running


@pytest.fixture
def running(_made_run: MadeRun) -> MadeRun:
    """What `make run` starts without credentials, as if just started; `tests.support.shares` knows who uses it."""
    _made_run.script()
    return _made_run


@pytest.fixture
def clock() -> Clock:
    """Time that passes when the test says so."""
    return Clock()


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis of the test's own."""
    redis_server_needed()
    server = RedisServer(tmp_path)
    yield server
    server.stop()


def settings_for(emulator: Emulator) -> dict[str, str]:
    """The environment that makes `emulator` the services of the proxy, which asks as often as it likes."""
    limits = {"MAX_RPM": "1000000", "MAX_CONCURRENT": "1000"}
    no_quota = {f"{service}_{name}": value for service in ("STACKSPOT", "FUSION") for name, value in limits.items()}
    return {**settings_at(emulator.url), **no_quota}


def settings_at(url: str) -> dict[str, str]:
    """The environment that makes the emulator at `url` the services of the proxy."""
    return {
        "STACKSPOT_CLIENT_ID": "emulated-client",
        "STACKSPOT_CLIENT_SECRET": "emulated-secret",
        "STACKSPOT_REALM": "emulated",
        "STACKSPOT_GENAI_AGENT_ID": AGENT,
        "STACKSPOT_IDM_URL": url,
        "STACKSPOT_INFERENCE_URL": url,
        "STACKSPOT_DATA_URL": url,
        "FUSION_API_KEY": "emulated-fusion-key",
        "FUSION_AGENT_ID": FUSION.agent,
        "FUSION_BASE_URL": f"{url}/fusion/v1",
    }


@pytest.fixture
def settings_set(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings of this process point at `emulator`."""
    for name, value in settings_for(emulator).items():
        monkeypatch.setenv(name, value)
