"""The answer of an agent as a stream of events: read by read, folded into text and a report."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
from httpx_sse import ServerSentEvent

from custom_handler.errors import BrokenAnswerError, UpstreamTimeoutError
from custom_handler.surrogates import SurrogateJoiner
from custom_handler.upstream import frames
from custom_handler.upstream.base import Report
from custom_handler.upstream.sse import EventReader

log = logging.getLogger("custom_handler.upstream")

_DRAIN_TIME = 0.05  # seconds


@dataclass(frozen=True, slots=True)
class Read:
    """The events of one read of the socket, and when they came: they may wait long for a client that reads slowly."""

    events: Sequence[ServerSentEvent]
    came: float = field(default_factory=time.monotonic)


async def reads_of(response: httpx.Response, service: str) -> AsyncGenerator[Read, None]:
    """The events of an answer, those of one read of the socket at a time."""
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "text/html":
        raise BrokenAnswerError(
            f"{service} answered with a web page; a login page of a proxy in between would look like this."
        )
    if kind == "application/json":
        yield Read([ServerSentEvent(data=(await response.aread()).decode("utf-8", "replace"))])
        return
    reader = EventReader()
    async for data in response.aiter_bytes():
        yield Read(reader.feed(data))
    yield Read(reader.flush())


async def drain(reads: AsyncGenerator[Any, None]) -> None:
    """Read the stream's end behind the final frame, so that its connection can be used again.

    As a rule it is there already. The answer is complete, so what goes wrong now is no error of it.
    """
    with suppress(TimeoutError, httpx.HTTPError):
        async with asyncio.timeout(_DRAIN_TIME):
            async for _ in reads:
                pass


class AnswerReader:
    """Folds the events of one answer: text to pass on, and the report at the end."""

    def __init__(self, service: str, patience: float) -> None:
        self.report = Report()
        self._service = service
        self._patience = patience
        self._joiner = SurrogateJoiner()
        self._ready = ""
        self._last_progress = time.monotonic()
        self._empty = True

    @property
    def complete(self) -> bool:
        """Whether the service said that it is done; it may keep the connection open all the same."""
        return self.report.stop_reason is not None

    def read(self, read: Read) -> None:
        """Read events that came together.

        Raises:
            BrokenAnswerError: one of them reports an error or cannot be read; the text before it is kept.
            UpstreamTimeoutError: events come, but for too long none of them has had text.
        """
        for event in read.events:
            if frames.is_noise(event.data):
                _log_noise(event.data)
                continue
            frame = frames.read(event.event, event.data)
            self.report = frames.merge(self.report, frame.report)
            self._ready += self._joiner.feed(frame.text)
            self._note_progress(frame.text, read.came)

    def take(self) -> str:
        """The text that can be passed on since the last time."""
        text, self._ready = self._ready, ""
        log.debug("delta %r", text)
        return text

    def end(self) -> str:
        """What was held back.

        Raises:
            BrokenAnswerError: the service closed an answer that had not even begun.
        """
        if self._empty and replace(self.report, sources=()) == Report():
            raise BrokenAnswerError(f"{self._service} closed the answer before it began.")
        return self._joiner.flush()

    def _note_progress(self, text: str, came: float) -> None:
        if text:
            self._empty, self._last_progress = False, came
        elif came - self._last_progress > self._patience:
            raise UpstreamTimeoutError(f"{self._service} sent only empty events for {self._patience:g} s.")


def _log_noise(data: str) -> None:
    if data.strip() != "[DONE]":
        log.warning("Ignored an event of %d characters that is not JSON", len(data))
