"""The programs of a run: the emulator, and the proxy as `make run` starts it."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import chdir, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from custom_handler import launch_plan
from custom_handler.launch_plan import Address, Plan
from tests.reliability import leaks
from tests.reliability.client import KEY
from tests.support.program import ROOT, Program
from tests.support.proxy import ProxyProcess, environment, free_port
from tests.support.services import FUSION, STACKSPOT, Served


@dataclass(frozen=True, slots=True)
class Lane:
    """A client with an account and a model of its own: what goes wrong in it disturbs nobody else.

    Attributes:
        model: what it asks for.
        realm: the account's.
        service: whose agent it asks.
        secret: the account's; nobody may ever read it.
    """

    model: str
    realm: str
    service: Served = STACKSPOT
    secret: str = field(default_factory=leaks.secret, repr=False)

    @property
    def environment(self) -> dict[str, str]:
        """The settings of the account."""
        prefix = f"{self.service.provider}_{self.realm.replace('-', '_')}".upper()
        if self.service is FUSION:
            return {f"{prefix}_API_KEY": self.secret}
        return {f"{prefix}_REALM": self.realm, f"{prefix}_CLIENT_ID": "client", f"{prefix}_CLIENT_SECRET": self.secret}

    @property
    def entry(self) -> str:
        """Its model in config.yaml."""
        return (
            f"  - {{model_name: {self.model}, litellm_params: {{model: {self.service.named(self.model)}}}, "
            f"model_info: {{<<: *agent, account: {self.realm}, agent_id: {self.service.agent}}}}}\n"
        )


def lanes(count: int) -> tuple[Lane, ...]:
    """So many lanes."""
    return tuple(Lane(f"lane-{number}", f"lane-{number}") for number in range(1, count + 1))


#: One is all there can be: the emulator scripts by realm, and all of Fusion's keys have the same.
FUSION_LANE = Lane("lane-of-fusion", "fusion", FUSION)
#: Whoever asks `make run` with an emulator behind it.
EVERYBODY = Lane("stackspot-chat", "emulator", secret="emulator")


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy that answers.

    Attributes:
        url: where it listens.
        pid: its process, or the first of them.
        log: gives all that it has written.
    """

    url: str
    pid: int
    log: Callable[[], str]


@contextmanager
def emulator(*options: str) -> Iterator[str]:
    """The emulator without quota; its URL."""
    command = [sys.executable, "-m", "emulator", "--port", "0", "--rpm", "0", *options]
    with Program(command, environment({})) as program:
        program.wait_for("ready on")
        yield _found(r"ready on (\S+)", program.output)


@contextmanager
def proxy(folder: Path, emulator_url: str, clients: Sequence[Lane], **settings: str) -> Iterator[Proxy]:
    """LiteLLM with the environment that `make run` gives it, and one more model for each of `clients`.

    Args:
        folder: where its config.yaml is written.
        settings: environment variables.
    """
    config = folder / "config.yaml"
    config.write_text(_with_models((ROOT / "config.yaml").read_text("utf-8"), clients), "utf-8")
    accounts = {name: value for lane in clients for name, value in lane.environment.items()}
    plan = Plan(Address("127.0.0.1", free_port()), 1, launch_plan.Emulator(emulator_url))
    process = ProxyProcess(config, plan.proxy_environment({**accounts, launch_plan.MASTER_KEY.name: KEY, **settings}))
    try:
        yield Proxy(process.url, process.pid, process.log_text)
    finally:
        process.stop()


@contextmanager
def made_run(folder: Path, emulator_url: str, **settings: str) -> Iterator[tuple[Proxy, Program]]:
    """What `make run` starts, launcher and all, in front of an emulator that runs already."""
    address = Address("127.0.0.1", free_port())
    settings = {"PORT": str(address.port), "EMULATOR_URL": emulator_url, launch_plan.MASTER_KEY.name: KEY, **settings}
    with chdir(folder):
        program = Program([sys.executable, "-m", "custom_handler.launcher"], environment(settings))
    with program:
        program.wait_for("Ctrl-C ends it.")
        yield Proxy(address.url, program.pid, lambda: program.output), program


def _with_models(config: str, clients: Sequence[Lane]) -> str:
    models = "".join(lane.entry for lane in clients)
    return config.replace("\nlitellm_settings:", f"{models}\nlitellm_settings:", 1)


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    if found is None:
        raise RuntimeError(f"{pattern!r} is not in the output:\n{text}")
    return found[1]
