"""Garbage collection between the steps of an event loop, for Python 3.11.

Before 3.12, garbage may be collected in the middle of setting a context variable; a finalizer that sets one as well
then frees what is being read, and the process ends with a segmentation fault (python/cpython#148891). LiteLLM sets
many. So Python is kept from collecting by itself, and the loop does it when nothing else is going on.
"""

from __future__ import annotations

import asyncio
import gc
import sys

#: Seconds. A request leaves some thousand objects; ten times as many may wait.
_EVERY = 0.1
NEEDED = sys.version_info < (3, 12)


def collect_between_steps(loop: asyncio.AbstractEventLoop) -> None:
    """From now on, `loop` collects the garbage of this process. To be called once, when the program is loaded."""
    gc.collect()
    gc.freeze()  # what is there now is there to stay: a full collection need not look at all of LiteLLM again
    gc.disable()
    loop.call_later(_EVERY, _step, loop)


def _step(loop: asyncio.AbstractEventLoop) -> None:
    due = [
        generation
        for generation, (count, threshold) in enumerate(zip(gc.get_count(), gc.get_threshold(), strict=True))
        if count > threshold
    ]
    if due:
        gc.collect(due[-1])
    loop.call_later(_EVERY, _step, loop)
