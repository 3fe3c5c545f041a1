"""The clients behind a model of a framework, which is called with and without an event loop, and never closed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from threading import Lock, Thread
from typing import Unpack
from weakref import WeakKeyDictionary, finalize

from fusion_client.client import FusionClient
from fusion_client.options import ClientOptions
from fusion_client.sync_client import SyncFusionClient


class Clients:
    """One client for each event loop, and one for callers without any; each is made when it is first asked for.

    The client of a loop is closed with the loop, or with this object; the other with this object. A `token_provider`
    belongs to one event loop, so only one of these clients can use it.
    """

    def __init__(self, **options: Unpack[ClientOptions]) -> None:
        self._options = options
        self._lock = Lock()
        self._sync: SyncFusionClient | None = None
        self._of_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, _Held] = WeakKeyDictionary()

    def __deepcopy__(self, memo: dict[int, object]) -> Clients:
        """Copies of a model, which frameworks make, share its connections."""
        return self

    def sync(self) -> SyncFusionClient:
        """The client for callers without an event loop. Raises ValueError when there is no API key."""
        with self._lock:
            if self._sync is None:
                self._sync = SyncFusionClient(**self._options)
                # In another thread, since garbage is collected in any, the client's own too, which cannot join itself.
                closing = finalize(self, Thread(target=self._sync.close, daemon=True).start)
                closing.atexit = False  # its thread ends with the program
            return self._sync

    async def here(self) -> FusionClient:
        """The client of the running loop. Raises ValueError when there is no API key."""
        loop = asyncio.get_running_loop()
        with self._lock:
            held = self._of_loops.get(loop)
            if held is None:
                held = self._of_loops[loop] = _Held(FusionClient(**self._options))
        await held.begin()
        return held.client


class _Held:
    """A client in an async generator: asyncio closes those that wait, with their loop or when they are dropped."""

    def __init__(self, client: FusionClient) -> None:
        self.client = client
        self._holder = _hold(client)
        self._begun = False

    async def begin(self) -> None:
        """From now on the loop knows of it."""
        if not self._begun:
            self._begun = True
            await anext(self._holder)


async def _hold(client: FusionClient) -> AsyncGenerator[None, None]:
    async with client:
        yield
