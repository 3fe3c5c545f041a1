"""Blocks of requests, sent to several programs in turn, so that a change of the machine's speed hits all of them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.load import Load, Question, send
from benchmarks.programs import Running


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is asked in a block.

    Attributes:
        requests: in one block.
        at_once: how many of them are always on their way.
        blocks: how many each program gets.
        only: the programs that get them; empty for all.
    """

    question: Question
    requests: int
    at_once: int
    blocks: int = 4
    only: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Block:
    """How one block went.

    Attributes:
        cpu: processor seconds of the program, a request.
        beside: cores that the service and the load were busy with meanwhile.
    """

    load: Load
    cpu: float
    beside: float


@dataclass(frozen=True, slots=True)
class Blocks:
    """All blocks of one scenario that one program got."""

    blocks: Sequence[Block]

    @property
    def rate(self) -> float:
        """Requests a second: the median of the blocks."""
        return statistics.median(len(block.load.latencies) / block.load.seconds for block in self.blocks)

    @property
    def cpu(self) -> float:
        """Processor seconds a request: the median of the blocks."""
        return statistics.median(block.cpu for block in self.blocks)

    @property
    def first_word(self) -> float:
        """Seconds to the first word: the median of all requests."""
        return statistics.median(seconds for block in self.blocks for seconds in block.load.first_words)

    @property
    def beside(self) -> float:
        """Cores that the service and the load were busy with, at most."""
        return max(block.beside for block in self.blocks)

    def latency(self, percent: int) -> float:
        """Seconds that so many of a hundred requests took at most."""
        latencies = [seconds for block in self.blocks for seconds in block.load.latencies]
        return statistics.quantiles(latencies, n=100)[percent - 1]


async def measure(
    programs: Mapping[str, Running], scenarios: Mapping[str, Scenario], service: Running
) -> Mapping[str, Mapping[str, Blocks]]:
    """Program → scenario → what came of it, after some requests that fill caches and load code."""
    for running in programs.values():
        for scenario in scenarios.values():
            await send(running.url, Question(2, scenario.question.stream), 2 * scenario.at_once, scenario.at_once)
    found: dict[str, dict[str, list[Block]]] = {name: {} for name in programs}
    for number in range(max(scenario.blocks for scenario in scenarios.values())):
        for title, scenario in scenarios.items():
            for name in _turned([*programs], number):
                if number < scenario.blocks and name in (scenario.only or programs):
                    found[name].setdefault(title, []).append(await _block(programs[name], scenario, service))
    return {name: {title: Blocks(blocks) for title, blocks in each.items()} for name, each in found.items()}


def _turned(names: list[str], number: int) -> list[str]:
    """Each time another one goes first: whoever does finds the processor's caches full of something else."""
    first = number % len(names)
    return names[first:] + names[:first]


async def _block(running: Running, scenario: Scenario, service: Running) -> Block:
    before, beside = running.cpu_seconds(), service.cpu_seconds() + time.process_time()
    load = await send(running.url, scenario.question, scenario.requests, scenario.at_once)
    return Block(
        load,
        cpu=(running.cpu_seconds() - before) / scenario.requests,
        beside=(service.cpu_seconds() + time.process_time() - beside) / load.seconds,
    )
