"""What the proxy adds to LiteLLM: processor time a request and a chunk, and time to the first token."""

from __future__ import annotations

import statistics
import time
from contextlib import ExitStack
from dataclasses import dataclass

import httpx

from benchmarks.proxies import Proxy, Service, proxy, service

_BLOCKS = 10  # of requests to one proxy and then to the other, so that a change of the machine's speed hits both
_REQUESTS = 20  # a block
_CHUNKS = 200


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one proxy: processor seconds a request (not streamed) and a chunk, and seconds to the first token."""

    request: float
    chunk: float
    first_token: float


#: Provider → what it stands for in the table; the last one is the measure.
_HANDLERS = {
    "custom_handler.stackspot_llm": "the proxy",
    "benchmarks.handlers.bare_call": "provider that only sends the request, with httpx",
    "benchmarks.handlers.do_nothing": "provider that does nothing",
}


def table() -> str:
    """The figures of each provider, and its ratio to the one that does nothing."""
    with ExitStack() as stack:
        behind = stack.enter_context(service())
        measurings = [_Measuring(stack.enter_context(proxy(handler, behind)), behind) for handler in _HANDLERS]
        for measuring in measurings:
            measuring.warm_up()
        for _ in range(_BLOCKS):
            for measuring in measurings:
                measuring.block()
        return _format([measuring.figures() for measuring in measurings])


def _format(figures: list[Figures]) -> str:
    base = figures[-1]
    lines = ["| | CPU a request | | CPU a chunk | | time to first token | |", "|---|---|---|---|---|---|---|"]
    for name, one in zip(_HANDLERS.values(), figures, strict=True):
        lines.append(
            f"| {name} | {one.request * 1e3:.2f} ms | {one.request / base.request:.2f} "
            f"| {one.chunk * 1e3:.3f} ms | {one.chunk / base.chunk:.2f} "
            f"| {one.first_token * 1e3:.1f} ms | {(one.first_token - base.first_token) * 1e3:+.1f} ms |"
        )
    return "\n".join(lines)


class _Measuring:
    """Sends requests to one proxy and adds up what they cost."""

    def __init__(self, proxy: Proxy, behind: Service) -> None:
        self._proxy = proxy
        self._behind = behind
        self._client = httpx.Client(base_url=proxy.url, timeout=60)
        self._whole: list[float] = []
        self._short: list[float] = []
        self._long: list[float] = []
        self._first_token: list[float] = []

    def warm_up(self) -> None:
        """Let caches fill and code be loaded."""
        self.block()
        for figures in (self._whole, self._short, self._long, self._first_token):
            figures.clear()

    def block(self) -> None:
        """One block of requests of each kind."""
        self._whole.append(self._cpu(1, stream=False))
        self._short.append(self._cpu(1, stream=True))
        self._long.append(self._cpu(_CHUNKS, stream=True))

    def figures(self) -> Figures:
        """The means of all blocks; of times to the first token, the median."""
        short, long = statistics.mean(self._short), statistics.mean(self._long)
        return Figures(
            request=statistics.mean(self._whole),
            chunk=(long - short) / (_CHUNKS - 1),
            first_token=statistics.median(self._first_token),
        )

    def _cpu(self, words: int, *, stream: bool) -> float:
        """Processor seconds a request."""
        self._behind.prepare(_REQUESTS, words)
        before = self._proxy.cpu_seconds()
        first_tokens = [self._ask(words, stream=stream) for _ in range(_REQUESTS)]
        if stream:
            self._first_token += first_tokens
        return (self._proxy.cpu_seconds() - before) / _REQUESTS

    def _ask(self, words: int, *, stream: bool) -> float:
        """Seconds to the first bytes of an answer, which is read to its end."""
        messages = [{"role": "user", "content": str(words)}]
        body = {"model": "stackspot-chat", "stream": stream, "messages": messages}
        started = time.perf_counter()
        with self._client.stream("POST", "/v1/chat/completions", json=body) as response:
            response.raise_for_status()
            pieces = response.iter_raw()
            next(pieces)
            first = time.perf_counter() - started
            for _ in pieces:
                pass
        return first
