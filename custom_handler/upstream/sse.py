"""Bytes of a Server-Sent Events stream → whole events, a read of the socket at a time. Sans-I/O.

httpx-sse does the reading. Around it stands what it would lose: the first event behind a byte order mark, and the last
one when no blank line follows. It gets all complete events of a read at once, so that they can be passed on together.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from typing import cast

import httpx
from httpx_sse import EventSource, ServerSentEvent

_EVENT_END = "\n\n"


class EventReader:
    """Reads one stream."""

    def __init__(self) -> None:
        utf8_without_mark = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._decoder = io.IncrementalNewlineDecoder(utf8_without_mark, translate=True)
        self._pending: list[str] = []  # of an event that is not complete; a list, for it may be megabytes

    def feed(self, data: bytes) -> list[ServerSentEvent]:
        """The events that `data` completes."""
        text = self._decoder.decode(data)
        # A line end may be the last character of what is pending.
        start = self._pending.pop() + text if self._pending else text
        end = start.rfind(_EVENT_END)
        if end < 0:
            self._pending += [start[:-1], start[-1:]] if start else []
            return []
        complete = "".join([*self._pending, start[: end + len(_EVENT_END)]])
        rest = start[end + len(_EVENT_END) :]
        self._pending = [rest] if rest else []
        return _read(complete)

    def flush(self) -> list[ServerSentEvent]:
        """The event that the stream ended in, if any."""
        rest = "".join(self._pending) + self._decoder.decode(b"", final=True)
        return _read(rest + _EVENT_END) if rest.strip() else []


class _Text:
    """As much of an `httpx.Response` as httpx-sse asks for; making a real one for every read takes 20 times as long."""

    headers = {"content-type": "text/event-stream"}  # noqa: RUF012 # never changed

    def __init__(self, text: str) -> None:
        self._text = text

    def iter_text(self) -> Iterator[str]:
        yield self._text


def _read(text: str) -> list[ServerSentEvent]:
    events = EventSource(cast(httpx.Response, _Text(text))).iter_sse()
    # After an event with an id, httpx-sse takes blank lines for events: without data they are none.
    return [event for event in events if event.data]
