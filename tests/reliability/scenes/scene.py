"""What a scene is: something that happens to the running proxy, and what is promised meanwhile."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.reliability.answer import Answer
from tests.reliability.apis import CHAT, Api
from tests.reliability.client import ask
from tests.reliability.service import Service
from tests.reliability.stage import Lane, Proxy

#: Seconds that any answer may take here, far more than it should.
LIMIT = 60.0
#: Seconds that somebody whom nothing happens to may wait, on a machine of two cores that are busy with the scene.
PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class Ground:
    """Where a scene is played.

    Attributes:
        lanes: the first belongs to those whom nothing happens to.
    """

    proxy: Proxy
    client: httpx.AsyncClient
    service: Service
    lanes: Sequence[Lane]

    async def say(self, lane: Lane, api: Api = CHAT, *, stream: bool = False) -> tuple[Answer, bool]:
        """Have the agent say a word of its own; the answer, and whether it is just that."""
        word = f"word-{secrets.token_hex(6)}"
        answer = await ask(self.client, api, api.body(lane.model, f"Say {word}", stream=stream), LIMIT)
        return answer, answer.told.complete and answer.told.text == word

    def memory(self) -> int:
        """Bytes that the proxy's process holds (Linux)."""
        status = Path(f"/proc/{self.proxy.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) * 1024


@dataclass(frozen=True, slots=True)
class Found:
    """What was seen, in words that do not change from run to run, and the promises that were broken."""

    seen: str
    broken: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scene:
    """One scene: what happens, what is promised, and how it is played."""

    name: str
    promise: str
    play: Callable[[Ground], Awaitable[Found]]


def unless(kept: bool, broken: str) -> tuple[str, ...]:
    """`broken` as the only broken promise, unless it was kept."""
    return () if kept else (broken,)
