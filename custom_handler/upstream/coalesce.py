"""Taking together what has come while nobody was looking."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeVar

T = TypeVar("T")


async def coalesce(items: AsyncGenerator[T, None]) -> AsyncGenerator[list[T], None]:
    """The items in lists: each has all that are there when it is asked for, the first one as soon as it comes.

    A service often writes faster than LiteLLM passes on, and every piece costs LiteLLM the same, however long it is.
    `items` is read ahead by a task of its own, up to the length of one answer.
    """
    waiting: list[T] = []
    changed = asyncio.Event()

    async def read_ahead() -> None:
        async with aclosing(items):
            async for item in items:
                waiting.append(item)
                changed.set()

    reading = asyncio.create_task(read_ahead())
    reading.add_done_callback(lambda _: changed.set())
    try:
        while not reading.done() or waiting:
            await changed.wait()
            changed.clear()
            if waiting:
                taken, waiting = waiting, []
                yield taken
        await reading  # raises what reading failed with, after everything before it was passed on
    finally:
        reading.cancel()
        await _end_of(reading)
        if not reading.cancelled():
            reading.exception()  # raised above, or of no interest to a caller that has left


async def _end_of(task: asyncio.Task[None]) -> None:
    """Wait until `task` has ended, also when cancelled meanwhile: when a client leaves, the server does so repeatedly.

    Whoever went on before would close what the task is still closing.
    """
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as exc:
            cancelled = exc
    if cancelled:
        raise cancelled
