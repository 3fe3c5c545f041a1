"""`python -m benchmarks.fusion`: what the client of Fusion costs, beside httpx alone that sends the same.

1,000 messages at once, on at most 100 connections, to the emulator in a process of its own; both in turn, a few times,
in the same run. Prints the seconds of each and their ratio.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import httpx

from emulator.fusion.agent_api import DEFAULT_AGENT
from fusion_client import FusionClient
from tests.support.program import Program
from tests.support.proxy import environment, free_port

_KEY = "bench"
_CONNECTIONS = 100


async def with_httpx(url: str, messages: int) -> float:
    """Seconds."""
    limits = httpx.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS)
    headers = {"Authorization": f"Bearer {_KEY}"}
    async with httpx.AsyncClient(limits=limits, headers=headers, timeout=httpx.Timeout(30, pool=None)) as http:

        async def ask(number: int) -> None:
            text, no_files = f"say {number}", list[str]()
            body = {"agent_id": DEFAULT_AGENT, "message": text, "files": no_files, "folder": None}
            answer = await http.post(f"{url}/chat", json=body)
            answer.raise_for_status().json()

        return await _seconds(ask, messages)


async def with_client(url: str, messages: int) -> float:
    """Seconds."""
    async with FusionClient(_KEY, base_url=url) as client:

        async def ask(number: int) -> None:
            await client.send_message(DEFAULT_AGENT, f"say {number}")

        return await _seconds(ask, messages)


async def _seconds(ask: Callable[[int], Awaitable[None]], messages: int) -> float:
    begun = time.perf_counter()
    await asyncio.gather(*(ask(number) for number in range(messages)))
    return time.perf_counter() - begun


@contextmanager
def _service() -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "emulator", "--rpm", "0", "--port", str(port)]
    with Program(command, environment({})) as program:
        program.wait_for(str(port))
        yield f"http://127.0.0.1:{port}/fusion/v1"


def measure(messages: int = 1000, rounds: int = 3) -> tuple[float, float]:
    """Median seconds of httpx alone, and of the client."""
    with _service() as url:
        turns = [(asyncio.run(one(url, messages))) for _ in range(rounds) for one in (with_httpx, with_client)]
    return statistics.median(turns[::2]), statistics.median(turns[1::2])


if __name__ == "__main__":
    httpx_alone, client = measure()
    print(f"httpx alone {httpx_alone:.2f} s, fusion_client {client:.2f} s, ratio {client / httpx_alone:.2f}")
