"""Performs the steps of an answer on a real connection, and notices a client that goes away meanwhile."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope
from starlette.types import Send as AsgiSend
from uvicorn.protocols.http.h11_impl import H11Protocol

from emulator.recording import Recorded
from emulator.steps import Drop, Forever, Hold, Send, Start, Step, Wait


class OpenProtocol(H11Protocol):
    """uvicorn's HTTP/1.1 protocol that hands its transport to the application, so that it can be closed."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


class Played:
    """An ASGI answer made of steps.

    blocking: the next step may take long to come. limit: seconds after which the connection is closed.
    close: called when all is over, however it ended.
    """

    def __init__(
        self,
        steps: Iterable[Step],
        record: Recorded,
        *,
        blocking: bool = False,
        limit: float | None = None,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        self._steps = iter(steps)
        self._record = record
        self._blocking = blocking
        self._limit = limit
        self._close = close

    async def __call__(self, scope: Scope, receive: Receive, send: AsgiSend) -> None:
        transport: asyncio.Transport = scope["state"]["transport"]
        player = asyncio.create_task(self._play(transport, send))
        watcher = asyncio.create_task(_gone(receive))
        try:
            await asyncio.wait({player, watcher}, timeout=self._limit, return_when=asyncio.FIRST_COMPLETED)
            left = watcher.done() and not player.done()
            if player.done():
                await player
            elif not left:
                self._drop(transport)
            if self._record.dropped:
                # Only after the connection is lost may the application return: uvicorn would complain.
                await watcher
        finally:
            await _cancel(player, watcher)
            self._close()
        self._record.update(disconnected=left)

    def _drop(self, transport: asyncio.Transport, *, reset: bool = False) -> None:
        self._record.update(dropped=True)
        _close(transport, reset=reset)

    async def _play(self, transport: asyncio.Transport, send: AsgiSend) -> None:
        async for step in _each(self._steps, self._blocking):
            if isinstance(step, Drop):
                self._drop(transport, reset=step.reset)
                return
            await self._perform(step, send)
        await send({"type": "http.response.body"})

    async def _perform(self, step: Start | Send | Wait | Hold | Forever, send: AsgiSend) -> None:
        match step:
            case Start(status, headers):
                await send({"type": "http.response.start", "status": status, "headers": _raw(headers)})
            case Send(data):
                await self._send(send, data)
            case Wait(seconds):
                await asyncio.sleep(seconds)
            case Hold():
                await self._record.hold()
            case _:
                while True:
                    await self._send(send, step.data)
                    await asyncio.sleep(step.every)

    async def _send(self, send: AsgiSend, data: bytes) -> None:
        await send({"type": "http.response.body", "body": data, "more_body": True})
        self._record.update(frames=self._record.frames + 1)


async def _each(steps: Iterator[Step], blocking: bool) -> AsyncIterator[Step]:
    """The steps one by one; those of a slow writer are awaited in a thread, so that the server lives on."""
    while step := await run_in_threadpool(next, steps, None) if blocking else next(steps, None):
        yield step


async def _gone(receive: Receive) -> None:
    """Return when the client has gone away, or the answer is complete."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _cancel(*tasks: "asyncio.Task[Any]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


def _close(transport: asyncio.Transport, *, reset: bool) -> None:
    if reset:
        # Lingering for zero seconds makes the kernel answer with RST instead of FIN.
        linger = struct.pack("ii", 1, 0)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        transport.abort()
    else:
        # Not abort: bytes that are still in the transport's buffer have been promised to arrive.
        transport.close()


def _raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
