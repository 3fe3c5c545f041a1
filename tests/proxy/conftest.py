"""Real proxies with the scripted provider, started once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.proxy.scripted import MODELS
from tests.proxy.vendor import Vendor
from tests.support.proxy import ProxyProcess, watched

KEY = "sk-the-key-of-these-tests"
AGENT = "01ARZ3NDEKTSV4RRFFQ69G5FAV"


@dataclass(frozen=True, slots=True)
class Proxies:
    """The proxies of these tests.

    Attributes:
        closed: with a key, and a list of further keys.
        keys_file: that list.
        keyless: without one, listening on every address; it requires a correlation id.
        bare: with a key and `require_key`, and without the hooks that bring the gate.
        cut_off: with a key, and a database for further keys that cannot be reached.
        sent_at_start: what they sent to the outside world while they started.
    """

    closed: ProxyProcess
    keys_file: Path
    keyless: ProxyProcess
    bare: ProxyProcess
    cut_off: ProxyProcess
    sent_at_start: tuple[str, ...]


def _config(path: Path, *, hooks: bool) -> Path:
    deployments = {"stackspot-chat": "stackspot/echo"} | {f"stackspot/{name}": f"stackspot/{name}" for name in MODELS}
    deployments["stackspot/*"] = "stackspot/*"
    config = {
        "model_list": [
            {"model_name": name, "litellm_params": {"model": model}, "model_info": {"agent_id": AGENT}}
            for name, model in deployments.items()
        ],
        "litellm_settings": {
            "custom_provider_map": [{"provider": "stackspot", "custom_handler": "tests.proxy.scripted.scripted_llm"}],
            "callbacks": ["custom_handler.proxy_hooks", "prometheus"] if hooks else [],
            "drop_params": True,
        },
        "general_settings": {
            "master_key": "os.environ/LITELLM_MASTER_KEY",
            "custom_auth": "custom_handler.require_key",
            "cancel_on_disconnect": True,
        },
        "router_settings": {"num_retries": 0, "disable_cooldowns": True},
    }
    path.mkdir()
    if path.name == "cut-off":
        (path / ".env").write_text("DATABASE_URL=postgresql://litellm@localhost/litellm")
    (path / "config.yaml").write_text(json.dumps(config))  # JSON is YAML too
    return path / "config.yaml"


def _stop(started: Future[ProxyProcess]) -> None:
    started.result().stop()


@pytest.fixture(scope="session")
def vendor() -> Iterator[Vendor]:
    """What stands for the outside world."""
    with Vendor() as running:
        yield running


@pytest.fixture(scope="session")
def proxies(tmp_path_factory: pytest.TempPathFactory, vendor: Vendor) -> Iterator[Proxies]:
    """All proxies; they start at the same time, since each takes seconds."""
    folder = tmp_path_factory.mktemp("proxies")
    keyed = {**vendor.environment, **watched(), "LITELLM_MASTER_KEY": KEY}
    keys_file = folder / "keys.yaml"
    keys_file.write_text("[]")
    listed = {**keyed, "PROXY_KEYS_FILE": str(keys_file)}
    open_to_all = {"LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true", "REQUIRE_CORRELATION_ID": "true"}
    tells_routes = {**keyed, "LITELLM_WORKER_STARTUP_HOOKS": "tests.proxy.litellm_routes:write"}
    with ExitStack() as stack, ThreadPoolExecutor() as pool:

        def start(name: str, env: dict[str, str], host: str = "127.0.0.1") -> Future[ProxyProcess]:
            return pool.submit(ProxyProcess, _config(folder / name, hooks=name != "bare"), env, host)

        starting = (
            start("closed", listed),
            start("keyless", open_to_all, "0.0.0.0"),
            start("bare", tells_routes),
            # LiteLLM does not start without its database: it must not read the `.env` that names one.
            start("cut-off", {**keyed, "LITELLM_MODE": "PRODUCTION"}),
        )
        for each in starting:
            stack.callback(_stop, each)
        closed, keyless, bare, cut_off = (each.result() for each in starting)
        yield Proxies(closed, keys_file, keyless, bare, cut_off, tuple(vendor.requests))


@pytest.fixture(scope="session")
def proxy(proxies: Proxies) -> ProxyProcess:
    """The proxy with a key."""
    return proxies.closed


# Clients are shared and do without certificates: loading those takes longer than a test.


@pytest.fixture(scope="session")
def client(proxy: ProxyProcess) -> Iterator[httpx.Client]:
    """A client of `proxy` that has the key."""
    headers = {"authorization": f"Bearer {KEY}"}
    with httpx.Client(base_url=proxy.url, headers=headers, timeout=30, trust_env=False, verify=False) as http:  # noqa: S501
        yield http


@pytest.fixture(scope="session")
def stranger() -> Iterator[httpx.Client]:
    """A client of any proxy that has no key."""
    with httpx.Client(timeout=30, trust_env=False, verify=False) as http:  # noqa: S501
        yield http
