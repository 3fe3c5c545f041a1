"""Two workers, as `make run` starts them: one is killed, and in the end all are asked to end."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

from tests.reliability.answer import Answer
from tests.reliability.apis import CHAT
from tests.reliability.client import ask, client_of
from tests.reliability.eventually import eventually
from tests.reliability.scenes.scene import LIMIT, Found, Ground, Scene, unless
from tests.support.program import Program

#: The agent counts; with the pause that the emulator makes between frames, for some six seconds.
COUNT = 250
_COUNTED = ", ".join(map(str, range(1, COUNT + 1)))
_STREAMS = 12
_BACK_WITHIN = 60.0  # seconds; LiteLLM alone takes six to start, on a machine that has nothing else to do
#: What uvicorn logs when a worker is ready.
_STARTED = "Application startup complete."
#: Seconds. uvicorn looks for signals twice a second where it has several workers.
_HEARD_WITHIN = 1.5


async def _worker_killed(ground: Ground) -> Found:
    workers = _workers(ground)
    streams = await _open_streams(ground)
    started = ground.proxy.log().count(_STARTED)
    os.kill(min(workers, key=_sockets), signal.SIGKILL)
    answers = await asyncio.gather(*streams)
    whole = [_is_whole(answer) for answer in answers]
    pretending = [answer for answer in answers if not _is_whole(answer) and answer.told.complete]
    wrong = [answer for answer in answers if not _COUNTED.startswith(answer.told.text)]
    comes_back = await _has_started(ground, started + 1)
    broken = (
        *unless(len(workers) == 2, f"{len(workers)} workers"),
        *unless(any(whole) and not all(whole), f"{sum(whole)} of {_STREAMS} streams were whole"),
        *unless(not pretending, "a cut stream looks complete"),
        *unless(not wrong, "text lost or doubled"),
        *unless(comes_back, "no new worker comes"),
    )
    return Found("its streams break off without a sign of an end, the others are whole; a new worker comes", broken)


async def _asked_to_end(ground: Ground, program: Program) -> Found:
    streams = await _open_streams(ground)
    program.send(signal.SIGTERM)
    await asyncio.sleep(_HEARD_WITHIN)
    late = await _ask(ground, "Say hello")
    answers = await asyncio.gather(*streams)
    code = await asyncio.to_thread(program.end)
    cut = [answer for answer in answers if not _is_whole(answer)]
    broken = (
        *unless(not cut, f"{len(cut)} of {_STREAMS} streams were cut"),
        *unless(late.torn or late.status == 503, f"a new request gets {late.status}"),
        *unless(code == 0, f"exit code {code}"),
    )
    return Found("every stream is whole; a new request is refused; exit code 0", broken)


async def _open_streams(ground: Ground) -> list[asyncio.Task[Answer]]:
    """Streams under way; one after the other, since a worker takes all connections that come at once."""
    streams = []
    for _ in range(_STREAMS):
        streams.append(asyncio.create_task(_ask(ground, f"Count to {COUNT}")))
        await asyncio.sleep(0.15)
    return streams


async def _ask(ground: Ground, prompt: str) -> Answer:
    """An answer over a connection of its own."""
    async with client_of(ground.proxy.url) as client:
        return await ask(client, CHAT, CHAT.body(ground.lanes[0].model, prompt, stream=True), LIMIT)


def _is_whole(answer: Answer) -> bool:
    return answer.told.complete and answer.told.text == _COUNTED


async def _has_started(ground: Ground, times: int) -> bool:
    """Whether so many workers have ever become ready, before patience ends, and requests are answered then."""

    async def started() -> bool:
        return ground.proxy.log().count(_STARTED) >= times and (await ground.say(ground.lanes[0]))[1]

    return await eventually(started, _BACK_WITHIN)


def _workers(ground: Ground) -> list[int]:
    """The processes that serve: those that Python's multiprocessing started below the launcher (Linux)."""
    below = _below(ground.proxy.pid)
    return [pid for pid in below if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def _sockets(pid: int) -> int:
    return sum(str(one.readlink()).startswith("socket:") for one in Path(f"/proc/{pid}/fd").iterdir())


def _below(pid: int) -> list[int]:
    children = [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [below for child in children for below in (child, *_below(child))]


def scenes(program: Program) -> tuple[Scene, ...]:
    """The scenes of this launcher; it does not survive the last one."""
    return (
        Scene("One of two workers is killed in mid-stream", "the other goes on; a new worker comes", _worker_killed),
        Scene(
            "SIGTERM with streams open",
            "they finish; new requests are refused",
            lambda ground: _asked_to_end(ground, program),
        ),
    )
