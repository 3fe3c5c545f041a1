"""The event loop behind the synchronous methods: one long-lived thread, started when it is first needed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Coroutine, Iterator
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")

_END = object()


class LoopThread:
    """Runs coroutines for threads that have no event loop."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """The result of `coroutine`; when the waiting thread is interrupted, the coroutine is cancelled."""
        future: Future[T] = asyncio.run_coroutine_threadsafe(coroutine, self._running_loop())
        try:
            return future.result()
        finally:
            future.cancel()

    def iterate(self, items: AsyncGenerator[T, None]) -> Iterator[T]:
        """`items` one by one; they are closed when the iterator is dropped or closed."""
        try:
            while (item := self.run(_next(items))) is not _END:
                yield item  # type: ignore[misc] # mypy does not narrow by identity with a plain object
        finally:
            self.run(items.aclose())

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="custom_handler", daemon=True).start()
            return self._loop


async def _next(items: AsyncGenerator[T, None]) -> T | object:
    return await anext(items, _END)
