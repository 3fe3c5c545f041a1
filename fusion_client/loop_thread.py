"""An event loop in a thread, for those who wait outside of it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import ExitStack
from functools import partial
from typing import Any, ParamSpec, TypeVar

from anyio.from_thread import start_blocking_portal

P = ParamSpec("P")
Answer = TypeVar("Answer")


class LoopThread:
    """Runs from the moment it is made until it is closed."""

    def __init__(self) -> None:
        self.closed = False
        self._stack = ExitStack()
        self._portal = self._stack.enter_context(start_blocking_portal(name="fusion-client"))

    def wait(self, method: Callable[P, Coroutine[Any, Any, Answer]], *args: P.args, **kwargs: P.kwargs) -> Answer:
        """What `method` returns or raises. It is cancelled when the wait is, by Ctrl-C for example."""
        future: Future[Answer] = self._portal.start_task_soon(partial(method, *args, **kwargs))
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def close(self) -> None:
        """End it; what still runs in it is waited for."""
        self.closed = True
        self._stack.close()
