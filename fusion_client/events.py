"""Bytes of a stream of Server-Sent Events → events. Sans-I/O: it does not matter how the bytes were cut.

Follows https://html.spec.whatwg.org/multipage/server-sent-events.html, with two exceptions in favour of the reader: an
event at the end of the stream counts without the empty line behind it, and ids and retry times are not kept.
"""

from __future__ import annotations

import codecs
import io
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Event:
    """One event. name: "" for one without."""

    data: str
    name: str = ""


@dataclass(slots=True)
class _Fields:
    """The lines of an event so far."""

    name: str = ""
    data: list[str] = field(default_factory=list)

    def add(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self.data.append(value)
        elif name == "event":
            self.name = value


class EventReader:
    """Reads one stream."""

    def __init__(self) -> None:
        utf8_without_mark = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._decoder = io.IncrementalNewlineDecoder(utf8_without_mark, translate=True)
        self._line: list[str] = []  # pieces of one that is not complete: it may be megabytes
        self._fields = _Fields()

    def feed(self, data: bytes) -> list[Event]:
        """The events that `data` completes."""
        return self._events(self._decoder.decode(data))

    def flush(self) -> list[Event]:
        """The event that the stream ended in, if any."""
        return self._events(self._decoder.decode(b"", final=True) + "\n\n")

    def _events(self, text: str) -> list[Event]:
        *ends, rest = text.split("\n")
        events = [event for end in ends if (event := self._end_line(end))]
        self._line.append(rest)
        return events

    def _end_line(self, end: str) -> Event | None:
        line = "".join([*self._line, end])
        self._line.clear()
        if line:
            self._fields.add(line)
            return None
        ended, self._fields = self._fields, _Fields()
        data = "\n".join(ended.data)
        return Event(data, ended.name) if data else None
