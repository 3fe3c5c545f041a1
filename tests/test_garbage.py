"""Garbage is collected by the event loop, and by nothing else."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterator

import pytest

from custom_handler.garbage import collect_between_steps


class Node:
    """Refers to itself, so that only a collection frees it."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    yield
    gc.enable()
    gc.unfreeze()


async def test_python_does_not_collect_and_the_loop_does() -> None:
    collect_between_steps(asyncio.get_running_loop())
    collected = asyncio.Event()
    kept = [Node() for _ in range(5_000)]  # many more than Python itself would let pass
    first = weakref.ref(kept[0], lambda _: collected.set())
    kept.clear()
    assert first() is not None
    async with asyncio.timeout(10):
        await collected.wait()
