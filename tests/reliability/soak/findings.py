"""What the soak found, as tables and as broken promises."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.reliability import leaks
from tests.reliability.outcome import Outcome
from tests.reliability.soak.load import CLIENTS, KINDS, Load, Request
from tests.reliability.soak.watch import Sample, growth
from tests.support.published import markdown_table

MOST_GROWTH = 0.05
#: Files and sockets: connections that are kept for the next request come and go.
_MOST_MORE_FILES = 64
_MB = 1e6


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that was seen; `log` is the proxy's."""

    load: Load
    samples: Sequence[Sample]
    log: str

    def broken(self) -> list[str]:
        """Every broken promise, in a line."""
        done, first, last = self.load.done, self.samples[len(self.samples) // 5], self.samples[-1]
        lost = self.load.begun - len(done)
        grown = growth(self.samples)
        return [
            *(f"{one.kind.name}, {one.fault}: {what}" for one in done for what in one.broken),
            *([f"{lost} requests have no outcome"] if lost else []),
            *([f"memory grew by {grown:.1%}"] if grown > MOST_GROWTH else []),
            *([f"open files: {first.files}, then {last.files}"] if last.files > first.files + _MOST_MORE_FILES else []),
            *(f"the log has {leak}" for leak in leaks.in_log_of_expected(self.log)),
        ]

    def report(self) -> str:
        """The tables."""
        return "\n".join(("", self._requests(), "", self._process(), "", ""))

    def _requests(self) -> str:
        head = ["", "requests", *map(str, Outcome), "asked of the service", "median time"]
        rows = [_row(kind.name, [one for one in self.load.done if one.kind is kind]) for kind in KINDS]
        return markdown_table(head, *map(list, rows), list(_row("all", self.load.done)))

    def _process(self) -> str:
        first, last = self.samples[len(self.samples) // 5], self.samples[-1]
        rows = [
            ["seconds", f"{last.seconds:.0f}"],
            ["clients", str(CLIENTS)],
            ["requests with a fault", str(sum(one.fault is not None for one in self.load.done))],
            ["requests without an outcome", str(self.load.begun - len(self.load.done))],
            ["promises broken", str(len(self.broken()))],
            ["memory in the second minute, and at most", f"{first.memory / _MB:.0f} MB, {self._most_memory():.0f} MB"],
            ["growth of memory from the second minute to the last", f"{growth(self.samples):+.1%}"],
            ["open files and sockets, in the second minute and at the end", f"{first.files}, {last.files}"],
            ["threads, in the second minute and at the end", f"{first.threads}, {last.threads}"],
        ]
        return markdown_table(["the proxy", ""], *rows)

    def _most_memory(self) -> float:
        return max(sample.memory for sample in self.samples) / _MB


def _row(name: str, requests: Sequence[Request]) -> Iterator[str]:
    counted = Counter(one.attempt.verdict.outcome for one in requests)
    yield name
    yield f"{len(requests):,}"
    yield from (f"{counted[outcome]:,}" for outcome in Outcome)
    yield f"{sum(len(one.attempt.seen.chats) for one in requests):,}"
    times = [one.attempt.answer.seconds for one in requests if one.attempt.verdict.outcome is Outcome.WHOLE]
    yield f"{statistics.median(times) * 1000:.0f} ms" if times else "n/a"
