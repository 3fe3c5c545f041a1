"""Fixtures for the tests of programs that use Fusion: a plugin of pytest, with an emulator in place of the service.

In the topmost `conftest.py`:

    pytest_plugins = ["fusion_client.testing"]

Then a test asks for what it needs:

    def test_the_greeting(fusion_emulator, fusion_sync_client):
        fusion_emulator.script(Reply("Hello."))
        assert greet(fusion_sync_client) == "Hello."
        assert fusion_emulator.chats[0].json["message"] == "Greet me."

It works with whatever runs async tests, and without. New tries of a client come at once, without their pauses.
"""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
import stamina

from emulator import Emulator, Options, Recorded, Reply
from fusion_client.client import FusionClient
from fusion_client.sync_client import SyncFusionClient

__all__ = ["API_KEY", "Emulator", "Options", "Recorded", "Reply"]

API_KEY = "fusion-test-key"
"""What the clients of the fixtures send; the emulator takes any, unless its options name some."""

_MANY = 100  # tries: as many as the client makes


@pytest.fixture
def fusion_emulator_options() -> Options:
    """Override it for an emulator with other options, such as `Options(fusion_streaming="json")`."""
    return Options(rpm=None)


@pytest.fixture
def fusion_emulator(fusion_emulator_options: Options) -> Iterator[Emulator]:
    """A Fusion of the test's own, on a free port of this machine."""
    with Emulator(fusion_emulator_options) as running, stamina.set_testing(True, attempts=_MANY, cap=True):
        yield running


@pytest.fixture
def fusion_environment(fusion_emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every client that is made without arguments talks to the emulator, in programs that the test starts too."""
    monkeypatch.setenv("FUSION_BASE_URL", fusion_emulator.fusion_url)
    monkeypatch.setenv("FUSION_API_KEY", API_KEY)


@pytest.fixture
def fusion_client(fusion_emulator: Emulator) -> FusionClient:
    """A client of the emulator, for the event loop of the test.

    No connection of it outlives a call, so nothing is left to close in a loop that may be gone.
    """
    http_client = httpx.AsyncClient(limits=httpx.Limits(max_keepalive_connections=0), trust_env=False)
    return FusionClient(API_KEY, base_url=fusion_emulator.fusion_url, http_client=http_client)


@pytest.fixture
def fusion_sync_client(fusion_emulator: Emulator) -> Iterator[SyncFusionClient]:
    """A client of the emulator for tests without an event loop."""
    with SyncFusionClient(API_KEY, base_url=fusion_emulator.fusion_url) as client:
        yield client
