"""Clients that connect and do nothing, send or read slowly, or leave."""

from __future__ import annotations

import asyncio
import json
import random
from itertools import chain

from tests.reliability import exchange
from tests.reliability.apis import APIS, CHAT, Api
from tests.reliability.attempt import Case, Patience, Visitor
from tests.reliability.scenes.others import others
from tests.reliability.scenes.raw import Connection, connect, head, leave
from tests.reliability.scenes.scene import LIMIT, PATIENCE, Found, Ground, Scene, unless
from tests.reliability.service import CLOSED_WITHIN
from tests.reliability.stage import Lane

_IDLE = 1000
_SLOW_SENDERS, _SLOW_READERS = 100, 20
_WATCHED = 10  # seconds
_LONG = "A long answer of an agent. " * 75_000  # 2 MB
_LEAVING, _STREAMED = 150, 0.7
_MOST_MEMORY = 10 * len(_LONG) * _SLOW_READERS


async def _idle(ground: Ground) -> Found:
    connections = [await connect(ground) for _ in range(_IDLE)]
    async with others(ground) as met:
        await asyncio.sleep(_WATCHED / 2)
    leave(connections)
    return Found("others are answered", met.broken(PATIENCE))


async def _slow_senders(ground: Ground) -> Found:
    await ground.service.prepare(ground.lanes[1])
    body = json.dumps(CHAT.body(ground.lanes[1].model, "Say nothing", stream=False)).encode()
    connections = [await connect(ground) for _ in range(_SLOW_SENDERS)]
    for _, writer in connections:
        writer.write(head(CHAT, len(body)))
    async with others(ground) as met:
        for byte in body[:_WATCHED]:
            for _, writer in connections:
                writer.write(bytes([byte]))
            await asyncio.sleep(1)
    leave(connections)
    seen = await ground.service.seen(ground.lanes[1])
    broken = (*met.broken(PATIENCE), *unless(not seen.chats, "the service was asked"))
    return Found("others are answered; the service is never asked", broken)


async def _slow_readers(ground: Ground) -> Found:
    before = ground.memory()
    lanes = ground.lanes[1 : 1 + _SLOW_READERS]
    connections = [await _ask_and_wait(ground, lane, APIS[number % 3]) for number, lane in enumerate(lanes)]
    async with others(ground) as met:
        for _ in range(_WATCHED):
            for reader, _ in connections:
                await reader.read(1)
            await asyncio.sleep(1)
    grown = ground.memory() - before
    leave(connections)
    left_open = [lane for lane in lanes if (await ground.service.seen_in_the_end(lane)).open]
    broken = (
        *met.broken(PATIENCE),
        *unless(grown <= _MOST_MEMORY, f"memory grew by {grown / 1e6:.0f} MB"),
        *unless(not left_open, f"{len(left_open)} calls left open"),
    )
    return Found("others are answered; memory grows by less than ten times the answers; no call is left open", broken)


async def _ask_and_wait(ground: Ground, lane: Lane, api: Api) -> Connection:
    await ground.service.prepare(lane, {"text": _LONG, "chunk": 16_000, "hold_after": len(_LONG) - 1})
    body = json.dumps(api.body(lane.model, "Tell me everything", stream=True)).encode()
    reader, writer = await connect(ground, buffer=4096)
    writer.write(head(api, len(body)) + body)
    return reader, writer


async def _leaving(ground: Ground) -> Found:
    chance = random.Random(4)  # noqa: S311 # the same moments each time
    visitors = [Visitor(lane, ground.client, ground.service, Patience(LIMIT)) for lane in ground.lanes[1:]]
    async with others(ground) as met:
        left = await asyncio.gather(*(_leave_often(visitor, chance, _LEAVING // len(visitors)) for visitor in visitors))
    return Found("others are answered; no call is left open", (*met.broken(PATIENCE), *chain.from_iterable(left)))


async def _leave_often(visitor: Visitor, chance: random.Random, times: int) -> list[str]:
    """Ask for answers that never end, and leave; the promises broken by that."""
    broken: list[str] = []
    for _ in range(times):
        stream = chance.random() < _STREAMED
        case = Case(exchange.text(), chance.choice(APIS), stream, "endless_empty")
        broken += (await visitor.attempt(case, leaves_after=chance.uniform(0.001, 0.5))).verdict.broken
    return broken


SCENES = (
    Scene(f"{_IDLE:,} connections that ask nothing", "others do not notice", _idle),
    Scene(f"{_SLOW_SENDERS} clients send a byte a second", "others do not notice", _slow_senders),
    Scene(
        f"{_SLOW_READERS} clients read a byte a second of answers of 2 MB, and leave",
        f"others do not notice; memory is bounded; their calls end {CLOSED_WITHIN:g} s after they leave",
        _slow_readers,
    ),
    Scene(f"{_LEAVING} clients leave at random moments", f"their calls end within {CLOSED_WITHIN:g} s", _leaving),
)
