"""What belongs to one event loop: connections and locks of one that has ended cannot be used in the next."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

Thing = TypeVar("Thing")


class PerLoop(Generic[Thing]):
    """The thing that `make` makes, and another one whenever another loop asks for it."""

    def __init__(self, make: Callable[[], Thing]) -> None:
        self._make = make
        self._thing = make()
        self._loop: asyncio.AbstractEventLoop | None = None

    def get(self) -> Thing:
        """The thing of the running loop."""
        loop = asyncio.get_running_loop()
        if self._loop not in (None, loop):
            self._thing = self._make()
        self._loop = loop
        return self._thing
