"""The proxy against what does less, each a program of its own with one worker, on real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial

from benchmarks import programs
from benchmarks.blocks import Blocks, Scenario, measure
from benchmarks.load import WORD_LENGTH, Question
from benchmarks.programs import Running, Start
from tests.support.published import markdown_table

PRODUCT, ONE_TO_ONE = "the proxy", "one-to-one provider"
#: What is measured, in the order of the table's columns.
PROGRAMS: Mapping[str, Start] = {
    PRODUCT: programs.product,
    "do-nothing provider": partial(programs.provider, "do_nothing"),
    "LiteLLM's `openai/`": programs.openai_provider,
    "FastAPI + httpx": programs.pass_through,
    ONE_TO_ONE: partial(programs.provider, "one_to_one"),
}

_CHUNKS = 200
_STREAM = Question(_CHUNKS, stream=True)
_BOTH = (PRODUCT, ONE_TO_ONE)
SCENARIOS: Mapping[str, Scenario] = {
    "1 at once": Scenario(Question(), 40, 1),
    "16 at once": Scenario(Question(), 96, 16),
    "64 at once": Scenario(Question(), 192, 64),
    "first word": Scenario(Question(stream=True), 20, 1),
    "short streams": Scenario(Question(stream=True), 48, 16),
    "streams": Scenario(_STREAM, 32, 16),
    "64 paced streams": Scenario(replace(_STREAM, pause=10), 64, 64, blocks=3, only=_BOTH),
    "16 paced streams": Scenario(replace(_STREAM, pause=10), 16, 16, blocks=3, only=_BOTH),
}


@dataclass(frozen=True, slots=True)
class Figures:
    """All that is known of one program.

    Attributes:
        blocks: by scenario.
        memory: megabytes, after everything.
        start_up: seconds; the shorter of two starts.
        alone: seconds to the first word of the service alone.
    """

    blocks: Mapping[str, Blocks]
    memory: float
    start_up: float
    alone: float

    @property
    def added_to_first_word(self) -> float:
        """Seconds to the client's first word beyond those that the service alone takes."""
        return self.blocks["first word"].first_word - self.alone

    @property
    def cpu_of_a_chunk(self) -> float:
        """Processor seconds that one more chunk of the service's takes."""
        return (self.blocks["streams"].cpu - self.blocks["short streams"].cpu) / (_CHUNKS - 1)

    def text(self, scenario: str) -> float | None:
        """Kilobytes that the client gets for a processor second."""
        return _CHUNKS * WORD_LENGTH / 1e3 / self.blocks[scenario].cpu if scenario in self.blocks else None


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table: its name, how a value is written, and the value of a program; None where it has none."""

    name: str
    form: str
    value: Callable[[Figures], float | None]


_AT_ONCE = ("1 at once", "16 at once", "64 at once")


def _rate(scenario: str) -> Row:
    return Row(f"requests a second, {scenario}", "{:.0f}", lambda of: of.blocks[scenario].rate)


def _latency(percent: int, scenario: str) -> Row:
    return Row(f"p{percent}, {scenario}", "{:.1f} ms", lambda of: of.blocks[scenario].latency(percent) * 1e3)


def _cpu(scenario: str) -> Row:
    return Row(f"CPU a request, {scenario}", "{:.2f} ms", lambda of: of.blocks[scenario].cpu * 1e3)


def _text(name: str, scenario: str) -> Row:
    return Row(f"text a CPU second, {name}", "{:.0f} kB", lambda of: of.text(scenario))


ROWS = (
    *map(_rate, _AT_ONCE),
    *(_latency(percent, scenario) for percent in (50, 95) for scenario in _AT_ONCE),
    *map(_cpu, _AT_ONCE),
    Row("added to the first token", "{:.1f} ms", lambda of: of.added_to_first_word * 1e3),
    Row("chunks a second", "{:,.0f}", lambda of: of.blocks["streams"].rate * _CHUNKS),
    Row("CPU a chunk", "{:.3f} ms", lambda of: of.cpu_of_a_chunk * 1e3),
    _text("streams as fast as they go", "streams"),
    _text("64 streams of 100 tokens a second", "64 paced streams"),
    _text("16 streams of 100 tokens a second", "16 paced streams"),
    Row("memory", "{:.0f} MB", lambda of: of.memory),
    Row("start-up", "{:.1f} s", lambda of: of.start_up),
)


def figures(*, quick: bool = False) -> Mapping[str, Figures]:
    """What is found out about each program."""
    with ExitStack() as stack:
        service = stack.enter_context(programs.service())
        first_starts = {name: _start_up(start, service) for name, start in PROGRAMS.items()}
        running = {name: stack.enter_context(start(service.url)) for name, start in PROGRAMS.items()}
        measured, alone = asyncio.run(_measure(running, service, quick=quick))
        return {
            name: Figures(measured[name], one.memory(), min(first_starts[name], one.start_up), alone)
            for name, one in running.items()
        }


def _start_up(start: Start, service: Running) -> float:
    with start(service.url) as running:
        return running.start_up


async def _measure(
    running: Mapping[str, Running], service: Running, *, quick: bool
) -> tuple[Mapping[str, Mapping[str, Blocks]], float]:
    """What `blocks.measure` gives, and the seconds to the first word of the service alone."""
    scenarios = {name: replace(each, blocks=1) if quick else each for name, each in SCENARIOS.items()}
    alone = await measure({"": service}, {"first word": SCENARIOS["first word"]}, service)
    return await measure(running, scenarios, service), alone[""]["first word"].first_word


def table(figures: Mapping[str, Figures]) -> str:
    """The figures of all programs, the proxy's first and as a multiple of each of the others."""
    return markdown_table(["", *figures], *(_line(row, list(figures.values())) for row in ROWS))


def beside(figures: Mapping[str, Figures]) -> float:
    """Cores that the service and the load were busy with, at most."""
    return max(blocks.beside for one in figures.values() for blocks in one.blocks.values())


def _line(row: Row, figures: Sequence[Figures]) -> list[str]:
    product, *others = map(row.value, figures)
    return [row.name, _cell(row, product), *(_cell(row, value, product) for value in others)]


def _cell(row: Row, value: float | None, product: float | None = None) -> str:
    """A value, and what the proxy's is as a multiple of it."""
    if value is None:
        return "n/a"
    return row.form.format(value) + (f" ({product / value:.2f})" if value and product is not None else "")
