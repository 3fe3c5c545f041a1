"""Requests to a proxy, so many at once, and how long they took; everything that comes back is checked."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

import aiohttp

#: Characters of a word, space included.
WORD_LENGTH = len("word0 ")
_WORD = b"word"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked.

    Attributes:
        words: words of the answer, each a frame of the service.
        stream: whether the client wants it as it comes.
        pause: milliseconds between two of the service's frames.
    """

    words: int = 1
    stream: bool = False
    pause: int = 0

    @property
    def body(self) -> dict[str, object]:
        """The body of the request."""
        wanted = f"{self.words} words" + (f" every {self.pause} ms" if self.pause else "")
        messages = [{"role": "user", "content": wanted}]
        return {"model": "stackspot-chat", "stream": self.stream, "messages": messages}


@dataclass(frozen=True, slots=True)
class Load:
    """How a number of requests went.

    Attributes:
        seconds: from the first request to the last answer.
        latencies: seconds of each request to the end of its answer.
        first_words: seconds of each to its first word.
    """

    seconds: float
    latencies: list[float]
    first_words: list[float]


async def send(url: str, question: Question, requests: int, at_once: int) -> Load:
    """Ask so many times, always `at_once` of them on their way.

    Connections are new each time: servers close those that nobody used for a few seconds.

    Raises:
        RuntimeError: an answer is not the one that was asked for.
    """
    left = iter(range(requests))
    latencies: list[float] = []
    first_words: list[float] = []

    async def worker() -> None:
        for _ in left:
            begun = time.perf_counter()
            first_words.append(await _ask(session, question) - begun)
            latencies.append(time.perf_counter() - begun)

    async with aiohttp.ClientSession(url, connector=aiohttp.TCPConnector(limit=0)) as session:
        begun = time.perf_counter()
        await asyncio.gather(*(worker() for _ in range(at_once)))
        return Load(time.perf_counter() - begun, latencies, first_words)


async def _ask(session: aiohttp.ClientSession, question: Question) -> float:
    """When the first word came."""
    content, first = bytearray(), 0.0
    async with session.post("/v1/chat/completions", json=question.body) as answer:
        async for piece in answer.content.iter_any():
            content += piece
            if not first and _WORD in content:
                first = time.perf_counter()
    if answer.status != 200 or content.count(_WORD) != question.words:
        raise RuntimeError(f"{answer.url} answered {answer.status}: {bytes(content[:500])!r}")
    return first
