"""A block around each step of an async generator, and around nothing else.

An async generator runs in the context of whoever asks for its next item. A context variable that it sets stays set for
that caller between two items; two streams that are read in turn by one task would see each other's.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager, aclosing
from typing import TypeVar

T = TypeVar("T")


async def stepping(
    items: AsyncGenerator[T, None], block: Callable[[], AbstractContextManager[object]]
) -> AsyncGenerator[T, None]:
    """Iterate `items`, each step inside a `block()` of its own."""
    async with aclosing(items):
        while True:
            with block():
                try:
                    item = await anext(items)
                except StopAsyncIteration:
                    return
            yield item
