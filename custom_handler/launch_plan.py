"""What the launcher starts, decided from the settings alone: addresses, commands and environments."""

from __future__ import annotations

import errno
import os
import signal
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from urllib.parse import urlsplit

from dotenv import dotenv_values

from custom_handler import settings
from custom_handler.errors import SettingError
from custom_handler.key_ring import KeyRing
from custom_handler.processes import Command
from custom_handler.settings import (
    FUSION_CREDENTIALS,
    STACKSPOT_CREDENTIALS,
    WORKERS,
    Setting,
    find,
    read,
    whole_number,
)

ROOT = Path(__file__).resolve().parent.parent


HOST = Setting("HOST", "the address the proxy listens on", str, default="127.0.0.1")
PORT = Setting("PORT", "the port the proxy listens on", whole_number(65_535), default="4000")
MASTER_KEY = Setting("LITELLM_MASTER_KEY", "the proxy's own key, which may do everything", str, secret=True)
BRAIN = Setting("BRAIN", "what thinks for the emulator: agent or smollm2", str)
EMULATOR_URL = Setting("EMULATOR_URL", "an emulator that runs already", settings.IDM_URL.parse)

#: What glibc reads, in bytes. By itself it keeps what large requests have used in so many pieces that the process grows
#: for hours; so large blocks are given back when they are free, and what is free at the end of the heap, too.
_MEMORY = {"MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": "131072", "MALLOC_TRIM_THRESHOLD_": "131072"}
#: What LiteLLM and the libraries below it read from the environment; a value that is set already stays.
LITELLM_DEFAULTS = {
    **_MEMORY,
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # otherwise it downloads the prices of other vendors at every start
    "LITELLM_DONT_SHOW_FEEDBACK_BOX": "true",
    "LITELLM_TELEMETRY": "False",
    "OTEL_SERVICE_NAME": "stackspot-litellm-proxy",
    "OTEL_EXPORTER_OTLP_TIMEOUT": "2",  # seconds; a collector that is gone holds up the end of the proxy twice as long
    "PROMETHEUS_DISABLE_CREATED_SERIES": "True",  # twice as many series, with the time at which each began
    # Pages of LiteLLM that nobody needs here and that ask for no key.
    "NO_DOCS": "True",
    "NO_REDOC": "True",
    "NO_OPENAPI": "True",
    "DISABLE_ADMIN_UI": "True",
}
_PERMIT_NO_KEY = "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether only programs of this machine can reach it."""
        ip = _ip(self.host)
        return self.host == "localhost" or (ip is not None and ip.is_loopback)

    @property
    def reachable_host(self) -> str:
        """The host to connect to from this machine: "all addresses" (0.0.0.0 and ::) can only be listened on."""
        ip = _ip(self.host)
        if ip is None or not ip.is_unspecified:
            return self.host
        return "127.0.0.1" if ip.version == 4 else "::1"

    @property
    def url(self) -> str:
        """The URL for a program of this machine."""
        host = self.reachable_host
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Emulator:
    """The emulator behind the proxy.

    Attributes:
        url: where it is.
        own: the same when it is to be started; None when it runs already.
        brain: what thinks for it.
    """

    url: str
    own: Address | None = None
    brain: str = "agent"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is started. `emulator` is None when the proxy talks to the services themselves."""

    address: Address
    workers: int
    emulator: Emulator | None

    def commands(self, figures: str) -> tuple[Command, ...]:
        """The processes, in the order in which they are started.

        Args:
            figures: an empty folder, in which several workers put their figures together.
        """
        inherited = _inherited_environment()
        orphaned = signal.SIGKILL if self.workers == 1 else signal.SIGTERM
        # Prometheus' client reads this when it is imported. One worker alone is quicker without files.
        shared = {"PROMETHEUS_MULTIPROC_DIR": figures} if self.workers > 1 else {}
        environment = {**self.proxy_environment(inherited), **shared}
        proxy = Command("the proxy", self._proxy_arguments(), environment, orphaned)
        if self.emulator is None or self.emulator.own is None:
            return (proxy,)
        arguments = ("--port", str(self.emulator.own.port), "--brain", self.emulator.brain)
        return (Command("the emulator", (sys.executable, "-m", "emulator", *arguments), _for_python(inherited)), proxy)

    def proxy_environment(self, inherited: Mapping[str, str]) -> dict[str, str]:
        """The environment of LiteLLM, made of `inherited`."""
        environment = {**LITELLM_DEFAULTS, **_for_python(inherited)}
        environment.pop("DEBUG", None)  # a common name, and LiteLLM would log prompts; LITELLM_LOG=DEBUG still does
        if self.address.is_loopback:
            environment.setdefault(_PERMIT_NO_KEY, "true")
        return {**environment, **_emulated(self.emulator, inherited)} if self.emulator else environment

    def _proxy_arguments(self) -> tuple[str, ...]:
        litellm = (sys.executable, "-m", "custom_handler.server", "--config", str(ROOT / "config.yaml"))
        where = ("--host", self.address.host, "--port", str(self.address.port))
        # Importing takes a worker seconds, in which it answers nothing: after 5 it would be taken for dead, and killed.
        workers = ("--num_workers", str(self.workers), "--timeout_worker_healthcheck", "60")
        return (*litellm, *where, *workers)


def proxy_address() -> Address:
    """Where the proxy listens.

    Raises:
        SettingError: the port is malformed.
    """
    return Address(read(HOST), read(PORT))


def plan() -> Plan:
    """Decide what to start.

    Raises:
        SettingError: a setting is malformed, credentials or the key are missing, or the port is taken.
    """
    address = proxy_address()
    for setting in settings.ALL:
        if find(setting) is not None:
            read(setting)
    KeyRing()  # for what is wrong with the list of keys
    if not address.is_loopback and find(MASTER_KEY) is None:
        raise SettingError(
            f"HOST={address.host} lets other machines in, so clients need a key: set {MASTER_KEY.name} in the "
            "environment or in .env to a long random text, or leave HOST out to serve this machine only."
        )
    if read(settings.DATABASE_URL) and find(MASTER_KEY) is None:
        raise SettingError(
            f"{settings.DATABASE_URL.name} is set, so keys are made with the master key: set {MASTER_KEY.name} to a "
            "long random text that begins with sk-."
        )
    chosen = Plan(address, read(WORKERS), _emulator(address))
    _check_free(address)
    return chosen


def _emulator(address: Address) -> Emulator | None:
    brain = find(BRAIN)
    if brain is None and services_with_credentials():
        return None
    if find(EMULATOR_URL) is not None:
        return Emulator(read(EMULATOR_URL))
    if not address.is_loopback:
        raise SettingError(
            f"No StackSpot credentials were found: set {_names(STACKSPOT_CREDENTIALS)} in the environment or in .env, "
            f"or {_names(FUSION_CREDENTIALS)} for Fusion. "
            f"(An emulator takes their place only where other machines are not served, and HOST is {address.host}.)"
        )
    own = Address("127.0.0.1", _free_port())
    return Emulator(own.url, own, brain.text if brain else "agent")


def services_with_credentials() -> tuple[str, ...]:
    """The services for which there are credentials.

    Raises:
        SettingError: those of a default account are incomplete.
    """
    of = {"StackSpot": STACKSPOT_CREDENTIALS, "Fusion": FUSION_CREDENTIALS}
    return tuple(service for service, credentials in of.items() if _are_set(service, credentials))


def _are_set(service: str, credentials: tuple[Setting[str], ...]) -> bool:
    """Whether there are credentials: of the default account, or only of named ones."""
    missing = tuple(setting for setting in credentials if find(setting) is None)
    if not missing:
        return True
    if len(missing) == len(credentials):
        prefix, _, rest = credentials[0].name.partition("_")
        names = (name for name, value in _inherited_environment().items() if value.strip())
        return any(name.startswith(f"{prefix}_") and name.endswith(f"_{rest}") for name in names)
    raise SettingError(
        f"The {service} credentials are incomplete: {_names(missing)} is not set, in the environment or in .env. "
        "Set all of them, or none to try the proxy with an emulator."
    )


def _names(chosen: tuple[Setting[str], ...]) -> str:
    return " and ".join(setting.name for setting in chosen)


def _check_free(address: Address) -> None:
    """Find out before LiteLLM does: when port 4000 is taken, LiteLLM silently takes a random one."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        socket.create_server((address.host, address.port), family=family).close()
    except OSError as exc:
        if exc.errno == errno.EADDRINUSE:
            raise SettingError(
                f"Port {address.port} on {address.host} is taken by another program. End that one, or choose another "
                f"port, for example: make run PORT={address.port % 65_535 + 1}"
            ) from exc
        raise SettingError(
            f"The proxy cannot listen on {address.host} port {address.port}: {exc.strerror}. HOST must be an address "
            "of this machine, and ports below 1024 may be reserved."
        ) from exc


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _inherited_environment() -> dict[str, str]:
    """The environment, and under it `.env`: LiteLLM reads that file only when it finds it above its own folder."""
    from_file = {name: value for name, value in dotenv_values(".env").items() if value}
    return from_file | {name: value for name, value in os.environ.items() if value or name not in from_file}


def _for_python(inherited: Mapping[str, str]) -> dict[str, str]:
    """`inherited`, with the project's packages on Python's path and log lines that are written at once."""
    path = os.pathsep.join(filter(None, (str(ROOT), inherited.get("PYTHONPATH"))))
    return {**inherited, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}


def _emulated(emulator: Emulator, inherited: Mapping[str, str]) -> dict[str, str]:
    """Variables that put `emulator` in the place of the services; it accepts any credentials."""
    services = (settings.IDM_URL, settings.INFERENCE_URL, settings.DATA_URL)
    urls = {setting.name: emulator.url for setting in services}
    urls[settings.FUSION_BASE_URL.name] = f"{emulator.url}/fusion/v1"
    credentials = {setting.name: "emulator" for setting in (*STACKSPOT_CREDENTIALS, *FUSION_CREDENTIALS)}
    agents = {
        settings.AGENT_ID.name: "01ARZ3NDEKTSV4RRFFQ69G5FAV",
        settings.FUSION_AGENT_ID.name: "00000000-0000-4000-8000-000000000000",
    }
    # A company's HTTP proxy must not be asked for the emulator. HTTP libraries read either spelling.
    around = inherited.get("no_proxy") or inherited.get("NO_PROXY")
    direct = ",".join(filter(None, (around, urlsplit(emulator.url).hostname)))
    return {**urls, **credentials, **agents, "no_proxy": direct, "NO_PROXY": direct}


def _ip(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
