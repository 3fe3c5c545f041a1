"""The event loop behind the synchronous methods: one long-lived thread, started when it is first needed."""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import AsyncGenerator, Coroutine, Iterator
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class LoopThread:
    """Runs coroutines for threads that have no event loop; ends with the object, or with the program."""

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
        """`items` one by one; they are closed when the iterator is closed or dropped."""
        try:
            while batch := self.run(_next(items)):
                yield batch[0]
        finally:
            # A loop that has ended, with the program, has closed them itself. Nobody waits for that: the garbage
            # collector drops iterators in any thread, also in the loop's own, and while that holds a lock.
            if self._loop is not None and not self._loop.is_closed():
                asyncio.run_coroutine_threadsafe(items.aclose(), self._loop)

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                thread = threading.Thread(target=_serve, args=[self._loop], name="custom_handler", daemon=True)
                thread.start()
                weakref.finalize(self, _stop, self._loop, thread)
            return self._loop


async def _next(items: AsyncGenerator[T, None]) -> tuple[T] | None:
    async for item in items:
        return (item,)
    return None


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    loop.run_forever()
    loop.run_until_complete(_wind_up(loop))
    loop.close()


async def _wind_up(loop: asyncio.AbstractEventLoop) -> None:
    """Let what is being closed finish, and close the rest."""
    if others := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(others, timeout=1)
    await loop.shutdown_asyncgens()


def _stop(loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
    loop.call_soon_threadsafe(loop.stop)
    if thread is not threading.current_thread():
        thread.join(timeout=2)
