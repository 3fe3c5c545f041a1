"""Answers of reads, kept for a while."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from cachetools import TTLCache

from fusion_client.calls import Call
from fusion_client.models import CacheStats

Answer = TypeVar("Answer")


class ReadCache:
    """Keeps what was read until it is too old, or something is written that may change it.

    A write forgets all that was read of the same kind of thing: `/chat` for a message. What is being read meanwhile
    is not kept, since nobody knows which of the two the service saw first.
    """

    def __init__(self, size: int, ttl: float) -> None:
        self._kept: TTLCache[tuple[Any, ...], Any] = TTLCache(size, ttl)
        self._lock = threading.Lock()  # its figures may be asked for in any thread, which ends what is too old
        self._writes = 0
        self._hits = 0
        self._misses = 0

    async def read(self, call: Call[Answer], fetch: Callable[[], Awaitable[Answer]]) -> Answer:
        """The answer to `call`: the kept one, or what `fetch` gets."""
        key = (call.path, *sorted(call.query.items()))
        with self._lock:
            kept: Answer | None = self._kept.get(key)  # no answer is None
        if kept is not None:
            self._hits += 1
            return kept
        self._misses += 1
        writes = self._writes
        answer = await fetch()
        with self._lock:
            if writes == self._writes:
                self._kept[key] = answer
        return answer

    def written(self, call: Call[Any]) -> None:
        """`call` may have changed something."""
        self._writes += 1
        with self._lock:
            for key in [key for key in self._kept if key[0].split("/")[1] == call.path.split("/")[1]]:
                self._kept.pop(key, None)

    @property
    def stats(self) -> CacheStats:
        """How it was used so far."""
        with self._lock:
            self._kept.expire()
            return CacheStats(hits=self._hits, misses=self._misses, size=len(self._kept))
