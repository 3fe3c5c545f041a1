"""Text to SSE frames (pure). Both frame styles and both line ends exist in the wild, so both are options."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from emulator.steps import Json

FrameStyle = Literal["delta", "base"]
LineEnd = Literal["crlf", "lf"]

DEFAULT_CHUNK = 4
"""Characters a frame when nothing else is said: about a token."""

_LINE_ENDS = {"crlf": b"\r\n", "lf": b"\n"}


@dataclass(frozen=True, slots=True)
class Dialect:
    """How frames are written.

    `style`: `delta` sends only `message`; `base` repeats the whole base object in every frame.
    `space`: `data: {` or `data:{`, which the SSE standard holds equal.
    """

    style: FrameStyle = "delta"
    line_end: LineEnd = "crlf"
    space: bool = True

    def field(self, name: str, value: str) -> bytes:
        """One SSE line, `name: value`, with its line end. An empty name makes a comment."""
        return f"{name}:{' ' if self.space else ''}{value}".encode() + self.blank()

    def blank(self) -> bytes:
        """A line end; on a line of its own it ends an event."""
        return _LINE_ENDS[self.line_end]

    def data(self, text: str, *, line_ends: int = 2) -> bytes:
        """An event of one `data` line. `line_ends` below 2 leaves out the blank line, or both line ends."""
        return self.field("data", text).removesuffix(self.blank()) + self.blank() * line_ends

    def delta(self, message: str, base: Json) -> bytes:
        """The frame of one text delta."""
        return self.data(to_json({**(base if self.style == "base" else {}), "message": message}))

    def final(self, fields: Json, base: Json, *, line_ends: int = 2) -> bytes:
        """The last frame: stop_reason, tokens and message_id, and no `message`."""
        return self.data(to_json({**(base if self.style == "base" else {}), **fields}), line_ends=line_ends)


def to_json(value: Json) -> str:
    """Compact JSON with raw non-ASCII characters, as the service writes it.

    A lone surrogate has no UTF-8 form: such a value is written with `\\u` escapes, as JSON writers do.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"))
    return text


def pieces(text: str, size: int) -> Iterator[str]:
    """`text` in pieces of `size` characters, the last one shorter."""
    if size < 1:
        raise ValueError(f"a frame needs at least one character, not {size}")
    for start in range(0, len(text), size):
        yield text[start : start + size]


def recut(deltas: Iterable[str], size: int | None) -> Iterator[str]:
    """The same text with no piece longer than `size`; None leaves the pieces as they are."""
    for delta in deltas:
        yield from (delta,) if size is None else pieces(delta, size)
