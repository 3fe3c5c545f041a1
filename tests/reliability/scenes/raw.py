"""Connections on which a scene decides about every byte."""

from __future__ import annotations

import asyncio
import socket
from asyncio import StreamReader, StreamWriter
from collections.abc import Iterable
from urllib.parse import urlsplit

from tests.reliability.apis import Api
from tests.reliability.client import KEY
from tests.reliability.scenes.scene import LIMIT, Ground

Connection = tuple[StreamReader, StreamWriter]


async def connect(ground: Ground, buffer: int | None = None) -> Connection:
    """A connection to the proxy; `buffer`, in bytes, is what the kernel and we take before it is read."""
    where = urlsplit(ground.proxy.url)
    connection = socket.socket()
    if buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    connection.setblocking(False)
    async with asyncio.timeout(LIMIT):
        await asyncio.get_running_loop().sock_connect(connection, (where.hostname, where.port))
    return await asyncio.open_connection(sock=connection, limit=buffer or 65_536)


def head(api: Api, length: int) -> bytes:
    """The beginning of a request with a body of `length` bytes."""
    lines = (f"POST {api.path} HTTP/1.1", "Host: proxy", f"Authorization: Bearer {KEY}", f"Content-Length: {length}")
    return "\r\n".join((*lines, "Content-Type: application/json", "", "")).encode()


def leave(connections: Iterable[Connection]) -> None:
    """Close connections as a client does that is killed."""
    for _, writer in connections:
        writer.transport.abort()
