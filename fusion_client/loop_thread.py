"""An event loop in a thread, for those who wait outside of it."""

from __future__ import annotations

import asyncio
import os
import threading
import weakref
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError
from typing import Any, ParamSpec, TypeVar

from fusion_client.errors import NetworkError

P = ParamSpec("P")
Answer = TypeVar("Answer")

Last = Callable[[], Coroutine[Any, Any, None]]


class LoopThread:
    """Runs from the moment it is made until it is closed, dropped, or the program ends.

    A process that was forked has none of its parent's threads: it gets a new one when it first waits.

    last: what it does in the end.
    """

    def __init__(self, last: Last) -> None:
        self._last = last
        self._starting = threading.Lock()
        self._start()

    def _start(self) -> None:
        self._loop = asyncio.new_event_loop()
        over = asyncio.Event()
        self._thread = threading.Thread(
            target=_run, args=(self._loop, over, self._last), name="fusion-client", daemon=True
        )
        self._thread.start()
        # At the very end of a program threads stand still: who waited for one only then would wait for ever.
        self._end = weakref.finalize(self, _end, os.getpid(), self._loop, over, self._thread)
        self._process = os.getpid()  # now other threads may go on

    def wait(self, method: Callable[P, Coroutine[Any, Any, Answer]], *args: P.args, **kwargs: P.kwargs) -> Answer:
        """What `method` returns or raises. It is cancelled when the wait is, by Ctrl-C for example.

        Raises:
            NetworkError: the thread was ended before.
            RuntimeError: it had been ended already, or this is the thread itself, which would wait for ever.
        """
        self._check()
        future = asyncio.run_coroutine_threadsafe(method(*args, **kwargs), self._loop)
        try:
            self._check()  # once more: after its end the loop takes what it never does
            return future.result()
        except CancelledError as exc:
            raise NetworkError("The client was closed before the answer was complete.") from exc
        except BaseException:
            future.cancel()
            raise

    @property
    def closed(self) -> bool:
        """Whether it was ended."""
        return not self._end.alive

    def close(self) -> None:
        """End it, and what still runs in it. A second time does nothing."""
        self._end()

    def _check(self) -> None:
        if self.closed:
            raise RuntimeError("The client is closed.")
        if threading.current_thread() is self._thread:
            raise RuntimeError("The client cannot be called in its own thread, as by what it calls itself.")
        if os.getpid() != self._process:
            self._start_again()

    def _start_again(self) -> None:
        with self._starting:
            if os.getpid() != self._process:
                self._start()


def _run(loop: asyncio.AbstractEventLoop, over: asyncio.Event, last: Last) -> None:
    async def wait() -> None:
        await over.wait()
        await last()

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(wait())


def _end(process: int, loop: asyncio.AbstractEventLoop, over: asyncio.Event, thread: threading.Thread) -> None:
    if os.getpid() != process:
        return  # there is no such thread in this one
    loop.call_soon_threadsafe(over.set)
    if threading.current_thread() is not thread:  # the collector may be in any
        thread.join()
