"""A client that keeps every byte it gets, and gives up after a while."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from tests.reliability import leaks
from tests.reliability.answer import Answer
from tests.reliability.apis import Api
from tests.reliability.apis.api import Json

KEY = f"sk-{leaks.secret()}"


@asynccontextmanager
async def client_of(url: str) -> AsyncIterator[httpx.AsyncClient]:
    """Connections to the proxy; as many as are asked for, and patient: `ask` decides when it is enough."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    headers = {"authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(
        base_url=url,
        headers=headers,
        timeout=None,  # noqa: S113 # `ask` has a limit
        limits=limits,
        trust_env=False,
        verify=False,  # noqa: S501 # plain HTTP
    ) as client:
        yield client


async def ask(client: httpx.AsyncClient, api: Api, body: Json, limit: float) -> Answer:
    """The answer to `body`, as far as it comes within `limit` seconds; then the connection is closed."""
    got, began = _Got(), time.monotonic()
    torn = given_up = False
    try:
        async with asyncio.timeout(limit):
            await got.receive(client, api.path, body)
    except TimeoutError:
        given_up = True
    except httpx.HTTPError:
        torn = True
    told = api.read(got.status or 0, got.body)
    return Answer(got.status, got.head + got.body, told, time.monotonic() - began, torn, given_up)


@dataclass(slots=True)
class _Got:
    """What has come so far."""

    status: int | None = None
    head: str = ""
    pieces: list[bytes] = field(default_factory=list)

    @property
    def body(self) -> str:
        return b"".join(self.pieces).decode("utf-8", "replace")

    async def receive(self, client: httpx.AsyncClient, path: str, body: Json) -> None:
        async with client.stream("POST", path, json=body) as response:
            self.status = response.status_code
            self.head = "".join(f"{name}: {value}\n" for name, value in response.headers.items())
            async for piece in response.aiter_raw():
                self.pieces.append(piece)
