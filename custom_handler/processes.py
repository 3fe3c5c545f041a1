"""Child processes that live and die together: when one ends, or a signal asks for the end, all are ended.

Each child leads a process group of its own. So Ctrl-C, which a terminal sends to its whole foreground group, reaches
the launcher alone, and what a child started in turn (worker processes) is ended with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

#: Seconds for answers under way after the first signal. It ends what hangs: who stops a container or a service kills it
#: earlier, after a time of his own.
GRACE = 600.0

_SET_PARENT_DEATH_SIGNAL = 1  # prctl(2)
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True, slots=True)
class Command:
    """A program to run.

    Attributes:
        name: as a message calls it, such as `the proxy`.
        arguments: the program and its arguments.
        environment: all of its environment variables.
        when_orphaned: what Linux sends it when the launcher was killed. SIGTERM is for a program with worker processes,
            which it has to end itself.
    """

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    when_orphaned: signal.Signals = signal.SIGKILL


@dataclass(frozen=True, slots=True)
class Ended:
    """A child that ended by itself; `code` is negative for a signal, as in `subprocess`."""

    name: str
    code: int

    def __str__(self) -> str:
        how = f"was ended by {signal.Signals(-self.code).name}" if self.code < 0 else f"ended (exit code {self.code})"
        return f"{self.name} {how}"


@dataclass(frozen=True, slots=True)
class _Child:
    name: str
    process: Process

    async def end(self) -> Ended:
        return Ended(self.name, await self.process.wait())

    def ask_to_end(self) -> None:
        # It alone: a server with worker processes ends those itself, and hangs when they are ended behind its back.
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()

    def kill_group(self) -> None:
        # The group may be gone or, as macOS says it (EPERM), nothing but a zombie; or it outlives its leader.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)


async def run(
    commands: Sequence[Command],
    when_started: Callable[[], Awaitable[None]],
    when_ending: Callable[[Ended | None], None],
    grace: float = GRACE,
) -> Ended | None:
    """Run `commands` until the end of one of them, or SIGINT, SIGTERM or SIGHUP.

    Args:
        commands: started in this order, without waiting for one another. They share this program's output.
        when_started: awaited beside the children once all are started; cancelled when the end comes first.
        when_ending: called with what will be returned, before the other children are ended. A signal that comes after
            that ends them at once.
        grace: seconds until they are ended anyway.

    Returns:
        The child that ended by itself, or None after a signal. No child is left in either case.

    Raises:
        OSError: a program cannot be started; those before it were ended.
    """
    signals = _queue_signals()
    async with _children(commands, signals, grace) as children:
        started = asyncio.ensure_future(when_started())
        try:
            ended = await _first_end(children, signals)
        finally:
            started.cancel()
        when_ending(ended)
        return ended


def _queue_signals() -> asyncio.Queue[signal.Signals]:
    signals: asyncio.Queue[signal.Signals] = asyncio.Queue()
    for number in SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, signals.put_nowait, number)
    return signals


@asynccontextmanager
async def _children(
    commands: Sequence[Command], signals: asyncio.Queue[signal.Signals], grace: float
) -> AsyncIterator[Sequence[_Child]]:
    children: list[_Child] = []
    try:
        for command in commands:
            # One at a time: when a later one cannot be started, those before it must be known to be ended.
            children.append(_Child(command.name, await _start(command)))  # noqa: PERF401
        yield children
    finally:
        await _end_all(children, signals, grace)


async def _start(command: Command) -> Process:
    return await asyncio.create_subprocess_exec(
        *command.arguments,
        env=command.environment,
        stdin=subprocess.DEVNULL,
        process_group=0,
        preexec_fn=partial(_die_with_parent, command.when_orphaned),
    )


def _die_with_parent(
    number: signal.Signals,
) -> None:  # pragma: no cover - between fork and exec nothing can be measured
    """In the child: have Linux end it when the launcher is gone, even when that was killed and could end nothing."""
    if _LIBC:
        _LIBC.prctl(_SET_PARENT_DEATH_SIGNAL, number)


async def _first_end(children: Sequence[_Child], signals: asyncio.Queue[signal.Signals]) -> Ended | None:
    asked = asyncio.create_task(signals.get())
    ends = [asyncio.create_task(child.end()) for child in children]
    done, pending = await asyncio.wait([asked, *ends], return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    return None if asked in done else next(end.result() for end in ends if end in done)


async def _end_all(children: Sequence[_Child], signals: asyncio.Queue[signal.Signals], grace: float) -> None:
    """Ask the children to end; after `grace` seconds, or on a further signal, end them."""
    ends = asyncio.ensure_future(_end_in_turn(children))
    asked_again = asyncio.ensure_future(signals.get())
    futures: list[asyncio.Future[Any]] = [ends, asked_again]
    await asyncio.wait(futures, timeout=grace, return_when=asyncio.FIRST_COMPLETED)
    asked_again.cancel()
    for child in children:
        child.kill_group()
    await ends


async def _end_in_turn(children: Sequence[_Child]) -> None:
    """The last one first: while it finishes its work, it may need those that were started before it."""
    for child in reversed(children):
        child.ask_to_end()
        await child.end()
