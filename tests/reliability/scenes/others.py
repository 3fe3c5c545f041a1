"""Those whom nothing happens to: they ask short questions all the time, and should not notice anything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.reliability.scenes.scene import Ground, unless
from tests.reliability.stage import Lane

_PAUSE = 0.1  # seconds between two questions of one client


@dataclass(slots=True)
class Others:
    """What they met.

    Attributes:
        failed: what they got instead of their answers.
    """

    slowest: float = 0.0
    answered: int = 0
    failed: list[str] = field(default_factory=list)

    def broken(self, patience: float) -> tuple[str, ...]:
        """The promises broken: to answer everybody, within `patience` seconds."""
        return (
            *unless(not self.failed, f"{len(self.failed)} requests of others failed: {set(self.failed)}"),
            *unless(self.slowest <= patience, f"others waited {self.slowest:.1f} s"),
        )

    async def ask(self, ground: Ground, lane: Lane, enough: asyncio.Event) -> None:
        """Ask until it is enough."""
        while not enough.is_set():
            answer, right = await ground.say(lane, stream=self.answered % 2 == 0)
            self.slowest = max(self.slowest, answer.seconds)
            self.answered += right
            if not right:
                self.failed.append(f"{answer.status} {answer.told.error or 'no answer'}")
            await asyncio.sleep(_PAUSE)


@asynccontextmanager
async def others(ground: Ground, count: int = 1) -> AsyncIterator[Others]:
    """`count` clients on the first lane, which ask while the block runs."""
    met, enough = Others(), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            group.create_task(met.ask(ground, ground.lanes[0], enough))
        yield met
        enough.set()
