"""A running emulator and a client for every test."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from emulator import Emulator, Options
from tests.emulator.emulator_client import Client
from tests.emulator.fusion_caller import Fusion

Start = Callable[..., Client]
StartFusion = Callable[..., Fusion]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts an emulator with the given options and returns a client of it."""
    with ExitStack() as stack:

        def started(**options: Any) -> Client:
            emulator = stack.enter_context(Emulator(Options(**options)))
            # No certificates: plain HTTP needs none, and loading them takes longer than a test.
            http = stack.enter_context(httpx.Client(base_url=emulator.url, verify=False, timeout=10))  # noqa: S501
            return Client(emulator, http)

        yield started


@pytest.fixture
def client(start: Start) -> Client:
    """A client of an emulator with the default options."""
    return start()


@pytest.fixture
def emulator(client: Client) -> Emulator:
    """The emulator of `client`."""
    return client.emulator


@pytest.fixture
def start_fusion(start: Start) -> StartFusion:
    """Starts an emulator with the given options and returns a client of its Fusion."""

    def started(**options: Any) -> Fusion:
        client = start(**options)
        return Fusion(client.emulator, client.http)

    return started


@pytest.fixture
def fusion(client: Client) -> Fusion:
    """A client of Fusion, of an emulator with the default options."""
    return Fusion(client.emulator, client.http)
