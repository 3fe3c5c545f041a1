"""The table of faults: each fault, in each API, whole and streamed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from emulator import FAULTS
from tests.reliability import exchange
from tests.reliability.apis import APIS, Api
from tests.reliability.attempt import Attempt, Case, Patience, Visitor
from tests.reliability.exchange import Exchange

PATIENCE = Patience(read_timeout=3.0)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the table.

    Attributes:
        heading: above it.
        exchange: makes what is asked and answered.
        stays: the fault strikes every try, and not only the first.
    """

    heading: str
    exchange: Callable[[], Exchange]
    stays: bool = False


PARTS = (
    Part("The fault strikes once", exchange.text),
    Part("The fault stays", exchange.text, stays=True),
    Part("The fault strikes a tool call once", exchange.call),
)


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the table."""

    part: Part
    fault: str
    api: Api
    stream: bool

    def case(self) -> Case:
        """What is tried in it."""
        return Case(self.part.exchange(), self.api, self.stream, self.fault, self.part.stays)


@dataclass(frozen=True, slots=True)
class Result:
    """What happened in a cell, and every promise broken, also afterwards."""

    cell: Cell
    attempt: Attempt
    broken: tuple[str, ...]


def cells(faults: Sequence[str] = tuple(FAULTS)) -> Iterator[Cell]:
    """Every cell, row by row."""
    for part in PARTS:
        for fault in faults:
            for api in APIS:
                for stream in (False, True):
                    yield Cell(part, fault, api, stream)


async def run(todo: Sequence[Cell], visitors: Sequence[Visitor]) -> list[Result]:
    """The results of `todo`, in its order; each visitor takes a cell whenever it is free."""
    results: dict[Cell, Result] = {}
    waiting = iter(todo)

    async def work(visitor: Visitor) -> None:
        for cell in waiting:
            tried = await visitor.attempt(cell.case())
            results[cell] = Result(cell, tried, (*tried.verdict.broken, *await visitor.recover()))

    # A first request signs in, and loads what is loaded then.
    await asyncio.gather(*(visitor.recover() for visitor in visitors))
    await asyncio.gather(*map(work, visitors))
    return [results[cell] for cell in todo]
