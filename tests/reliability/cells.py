"""The table of faults: each fault, in each API, whole and streamed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from emulator import FAULTS
from emulator.faults import TARGETS
from tests.reliability import exchange
from tests.reliability.apis import APIS, Api
from tests.reliability.attempt import Attempt, Case, Patience, Visitor
from tests.reliability.exchange import Exchange
from tests.support.services import FUSION, SERVICES, STACKSPOT, Served

PATIENCE = Patience(read_timeout=3.0)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the table.

    Attributes:
        heading: above it.
        exchange: makes what is asked and answered.
        stays: the fault strikes every try, and not only the first.
        service: whose fault it is.
    """

    heading: str
    exchange: Callable[[], Exchange]
    stays: bool = False
    service: Served = STACKSPOT

    @property
    def faults(self) -> list[str]:
        """Those that its service can have: Fusion has no tokens to fetch, and takes files without a form."""
        struck = ("chat", "store") if self.service is FUSION else TARGETS
        return [name for name, fault in FAULTS.items() if fault.hits in struck]


PARTS = (
    Part("The fault strikes once", exchange.text),
    Part("The fault stays", exchange.text, stays=True),
    Part("The fault strikes a tool call once", exchange.call),
    Part("A fault of Fusion strikes once", exchange.text, service=FUSION),
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
        for fault in (name for name in part.faults if name in faults):
            for api in APIS:
                for stream in (False, True):
                    yield Cell(part, fault, api, stream)


async def run(todo: Sequence[Cell], visitors: Sequence[Visitor]) -> list[Result]:
    """The results of `todo`, in its order; each visitor takes a cell of its service whenever it is free."""
    results: dict[Cell, Result] = {}
    waiting = {one: iter([cell for cell in todo if cell.part.service is one]) for one in SERVICES}

    async def work(visitor: Visitor) -> None:
        for cell in waiting[visitor.lane.service]:
            tried = await visitor.attempt(cell.case())
            results[cell] = Result(cell, tried, (*tried.verdict.broken, *await visitor.recover()))

    # A first request signs in, and loads what is loaded then.
    await asyncio.gather(*(visitor.recover() for visitor in visitors))
    await asyncio.gather(*map(work, visitors))
    return [results[cell] for cell in todo]
