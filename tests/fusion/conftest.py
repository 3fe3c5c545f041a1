"""An emulator's Fusion, and the client of it in both of its forms: what holds for one holds for the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import stamina

from emulator import Emulator, Options
from tests.fusion.callers import KEY, AsyncCaller, Caller, SyncCaller

StartEmulator = Callable[..., Emulator]
StartCaller = Callable[..., Caller]


@pytest.fixture
def start(_no_settings_from_outside: None) -> Iterator[StartEmulator]:
    """Starts an emulator with these options and no limit."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(Emulator(Options(**{"rpm": None, **options})))


@pytest.fixture
def emulator(start: StartEmulator) -> Emulator:
    """An emulator with the usual options."""
    return start()


@pytest.fixture(params=[AsyncCaller, SyncCaller], ids=["async", "sync"])
def call(request: pytest.FixtureRequest) -> Iterator[StartCaller]:
    """Makes a client of an emulator: `call(emulator, max_retries=0)`."""
    with ExitStack() as stack:

        def started(emulator: Emulator, **options: Any) -> Caller:
            defaults = {"api_key": KEY, "base_url": emulator.fusion_url}
            caller: Caller = request.param({**defaults, **options})
            return stack.enter_context(caller)

        yield started


@pytest.fixture
def fusion(emulator: Emulator, call: StartCaller) -> Caller:
    """A client of `emulator`."""
    return call(emulator)


@pytest.fixture(autouse=True)
def _no_pauses() -> Iterator[None]:
    """A new try comes at once, and there are as many as the client makes."""
    with stamina.set_testing(True, attempts=100, cap=True):
        yield
