"""What the proxy's process holds while it works (Linux)."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_EVERY = 1.0  # seconds


@dataclass(frozen=True, slots=True)
class Sample:
    """One look: seconds since the start, bytes of memory, open files and sockets, threads, processor seconds."""

    seconds: float
    memory: int
    files: int
    threads: int


async def watch(pid: int, samples: list[Sample]) -> None:
    """Look at the process once a second, for ever."""
    clock = asyncio.get_running_loop().time
    began = clock()
    while True:
        samples.append(_look(pid, clock() - began))
        await asyncio.sleep(_EVERY)


def growth(samples: Sequence[Sample], minute: float = 60.0) -> float:
    """By what part memory grew from the second minute to the last.

    The medians of both are compared: a large request that is there at the moment counts for nothing. Of a run that is
    shorter than five minutes, a minute is a fifth.
    """
    end = samples[-1].seconds
    minute = min(minute, end / 5)
    second = [sample.memory for sample in samples if minute <= sample.seconds < 2 * minute]
    last = [sample.memory for sample in samples if sample.seconds >= end - minute]
    return statistics.median(last) / statistics.median(second) - 1


def _look(pid: int, seconds: float) -> Sample:
    status = Path(f"/proc/{pid}/status").read_text()
    numbers = {name: status.partition(f"{name}:")[2].split()[0] for name in ("VmRSS", "Threads")}
    files = sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    return Sample(seconds, int(numbers["VmRSS"]) * 1024, files, int(numbers["Threads"]))
