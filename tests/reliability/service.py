"""The emulator, as the runs steer and watch it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.reliability.eventually import eventually
from tests.reliability.stage import Lane

#: Seconds in which a call must have ended once its client has its answer, or has left.
CLOSED_WITHIN = 2.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What the service saw of one lane.

    Attributes:
        chats, tokens: how each request ended: finished, disconnected, dropped, or open.
        waiting: the fault of each scripted reply that nobody asked for; None for a good one.
    """

    chats: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    waiting: list[str | None] = field(default_factory=list)

    @property
    def tries(self) -> int:
        """How often it was asked; a try may end with the token."""
        return max(len(self.chats), len(self.tokens))

    @property
    def open(self) -> int:
        """Requests that are still being answered."""
        return [*self.chats, *self.tokens].count("open")


@asynccontextmanager
async def service_of(url: str) -> AsyncIterator[Service]:
    """The emulator at `url`."""
    async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False, verify=False) as http:  # noqa: S501 # plain HTTP
        yield Service(http)


@dataclass(frozen=True, slots=True)
class Service:
    """A client of the emulator's own endpoints."""

    http: httpx.AsyncClient

    async def prepare(self, lane: Lane, *replies: dict[str, Any], signed_out: bool = False) -> None:
        """Forget all of the lane, and line up replies for it; `signed_out`, its token holds no longer."""
        (await self.http.delete(f"/_emulator/realms/{lane.realm}")).raise_for_status()
        if signed_out:
            (await self.http.post("/_emulator/revoke", params={"realm": lane.realm})).raise_for_status()
        script = [{**reply, "realm": lane.realm} for reply in replies]
        (await self.http.post("/_emulator/script", json=script)).raise_for_status()

    async def seen(self, lane: Lane) -> Seen:
        """What it has seen by now."""
        return Seen(**(await self.http.get(f"/_emulator/realms/{lane.realm}")).raise_for_status().json())

    async def seen_in_the_end(self, lane: Lane) -> Seen:
        """What it has seen once everything has ended, or must have."""
        seen = Seen()

        async def all_ended() -> bool:
            nonlocal seen
            seen = await self.seen(lane)
            return not seen.open

        await eventually(all_ended, CLOSED_WITHIN)
        return seen
