"""An event loop in a thread, for those who wait outside of it."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import ExitStack
from functools import partial
from typing import Any, ParamSpec, TypeVar

from anyio.from_thread import BlockingPortal, start_blocking_portal

P = ParamSpec("P")
Answer = TypeVar("Answer")


class LoopThread:
    """Runs from the moment it is made until it is closed, dropped, or the program ends.

    last: what it does then.
    """

    def __init__(self, last: Callable[[], Coroutine[Any, Any, None]]) -> None:
        stack = ExitStack()
        self._portal = stack.enter_context(start_blocking_portal(name="fusion-client"))
        # At the very end of a program threads stand still: who waited for one only then would wait for ever.
        self._end = weakref.finalize(self, _end, stack, self._portal, last)

    def wait(self, method: Callable[P, Coroutine[Any, Any, Answer]], *args: P.args, **kwargs: P.kwargs) -> Answer:
        """What `method` returns or raises. It is cancelled when the wait is, by Ctrl-C for example."""
        future: Future[Answer] = self._portal.start_task_soon(partial(method, *args, **kwargs))
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def close(self) -> None:
        """End it; what still runs in it is waited for. A second time does nothing."""
        self._end()


def _end(stack: ExitStack, portal: BlockingPortal, last: Callable[[], Coroutine[Any, Any, None]]) -> None:
    with stack:
        portal.call(last)
