"""What the clients of the soak ask, how often, and what goes wrong meanwhile."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from emulator import FAULTS
from tests.reliability import exchange
from tests.reliability.apis import APIS
from tests.reliability.apis.api import Question, Tool
from tests.reliability.attempt import Attempt, Case, Visitor
from tests.reliability.exchange import Exchange
from tests.support.program import ROOT

CLIENTS = 32
FAULTY, LEAVING = 0.02, 0.02
_STREAMED = 0.7
_THINK = 3.0  # seconds between two requests of a client, on average
_LARGE, _TOOLS = 230_000, 36  # bytes and tools of a large request
_LONG = 2400  # words of a long answer: some three thousand pieces
_LEAVE_WITHIN = 1.0  # seconds


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of request: its share of all, what is asked, and whether it is always streamed."""

    name: str
    share: float
    exchange: Callable[[], Exchange]
    streamed: bool = False


def _large() -> Exchange:
    asked = exchange.call()
    tools = (*_tools()[: _TOOLS - 1], *asked.question.tools)
    rest = _LARGE - len(json.dumps([[tool.name, tool.description, tool.parameters] for tool in tools]))
    talk = "Some words of a long talk. " * (rest // 27)
    return replace(asked, question=Question(f"{asked.question.prompt} {talk}", tools))


def _tools() -> list[Tool]:
    folder = ROOT / "tests" / "corpus" / "tool_sets"
    files = [folder / f"{name}.json" for name in ("coding_agent", "file_and_git_server")]
    functions = [tool["function"] for file in files for tool in json.loads(file.read_text("utf-8"))]
    return [Tool(one["name"], one["description"], one["parameters"]) for one in functions]


KINDS = (
    Kind("small chats", 0.6, exchange.text),
    Kind(f"{_LARGE // 1000} kB with {_TOOLS} tools, answered with a call", 0.25, _large),
    Kind("streams of some thousand pieces", 0.15, lambda: exchange.text(_LONG), streamed=True),
)


@dataclass(frozen=True, slots=True)
class Request:
    """One request of the soak: what it was, and what came of it."""

    kind: Kind
    fault: str | None
    attempt: Attempt
    broken: tuple[str, ...]


@dataclass(slots=True)
class Load:
    """All requests so far."""

    done: list[Request] = field(default_factory=list)
    begun: int = 0

    async def ask(self, visitor: Visitor, chance: random.Random, until: float) -> None:
        """Be one client until the loop's clock says `until`."""
        clock = asyncio.get_running_loop().time
        await asyncio.sleep(chance.uniform(0, 2 * _THINK))
        while clock() < until:
            await self._one(visitor, chance)
            await asyncio.sleep(chance.expovariate(1 / _THINK))

    async def _one(self, visitor: Visitor, chance: random.Random) -> None:
        kind = chance.choices(KINDS, [kind.share for kind in KINDS])[0]
        fault = chance.choice(list(FAULTS)) if chance.random() < FAULTY else None
        stream = kind.streamed or chance.random() < _STREAMED
        case = Case(kind.exchange(), chance.choice(APIS), stream, fault, stays=chance.random() < 0.5)
        leaves_after = chance.uniform(0.01, _LEAVE_WITHIN) if chance.random() < LEAVING else None
        self.begun += 1
        tried = await visitor.attempt(case, leaves_after)
        broken = (*tried.verdict.broken, *tried.leaked, *(await visitor.recover() if fault else ()))
        self.done.append(Request(kind, fault, tried, broken))
