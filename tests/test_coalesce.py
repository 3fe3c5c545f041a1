"""Taking together what has come: nothing delayed, nothing lost, nothing out of order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from custom_handler.upstream.coalesce import coalesce


class Source:
    """Items that come when a test says so."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[int | Exception | None] = asyncio.Queue()
        self.closed = False

    def put(self, *items: int | Exception | None) -> None:
        for item in items:
            self.queue.put_nowait(item)

    async def items(self) -> AsyncGenerator[int, None]:
        try:
            while (item := await self.queue.get()) is not None:
                if isinstance(item, Exception):
                    raise item
                yield item
        finally:
            self.closed = True


@pytest.fixture
def source() -> Source:
    return Source()


async def test_the_first_item_comes_alone_when_it_is_alone(source: Source) -> None:
    taken = coalesce(source.items())
    source.put(1)
    assert await anext(taken) == [1]
    source.put(2)
    assert await anext(taken) == [2]
    await taken.aclose()


async def test_what_came_meanwhile_is_taken_together(source: Source) -> None:
    taken = coalesce(source.items())
    source.put(1)
    assert await anext(taken) == [1]
    source.put(2, 3, 4)
    await asyncio.sleep(0)
    assert await anext(taken) == [2, 3, 4]
    await taken.aclose()


async def test_everything_comes_in_order_and_then_the_end(source: Source) -> None:
    source.put(*range(10), None)
    assert [item async for items in coalesce(source.items()) for item in items] == list(range(10))
    assert source.closed


async def test_an_error_comes_after_what_came_before_it(source: Source) -> None:
    source.put(1, 2, ValueError("cut"))
    taken = coalesce(source.items())
    assert await anext(taken) == [1, 2]
    with pytest.raises(ValueError, match="cut"):
        await anext(taken)
    assert source.closed


async def test_nothing_at_all_is_the_end(source: Source) -> None:
    source.put(None)
    assert [items async for items in coalesce(source.items())] == []


@pytest.mark.parametrize("later", [[], [2], [ValueError("nobody sees this")]])
async def test_leaving_closes_the_source(source: Source, later: list[int | Exception]) -> None:
    taken = coalesce(source.items())
    source.put(1)
    await anext(taken)
    source.put(*later)
    await asyncio.sleep(0)
    await taken.aclose()
    assert source.closed


async def test_a_reader_that_is_cancelled_closes_the_source(source: Source) -> None:
    reading = asyncio.ensure_future(anext(coalesce(source.items())))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert source.closed


async def test_a_source_that_takes_long_to_close_is_waited_for_however_often_its_reader_is_cancelled() -> None:
    begun, closed = asyncio.Event(), False

    async def items() -> AsyncGenerator[int, None]:
        nonlocal closed
        try:
            begun.set()
            await asyncio.Event().wait()
            yield 1
        finally:
            for _ in range(5):
                await asyncio.sleep(0)
            closed = True

    reading = asyncio.ensure_future(anext(coalesce(items())))
    await begun.wait()
    while not reading.done():
        reading.cancel()
        await asyncio.sleep(0)
    assert reading.cancelled()
    assert closed
