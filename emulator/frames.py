"""Text to SSE frames (pure). What exists in the wild in two forms, such as line ends, is an option."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from emulator.steps import Json

FrameStyle = Literal["delta", "base"]
LineEnd = Literal["crlf", "lf"]

DEFAULT_CHUNK = 4
"""Characters a frame when nothing else is said: about a token."""

_LINE_ENDS = {"crlf": b"\r\n", "lf": b"\n"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect(ABC):
    """How the frames of a service are written.

    `space`: `data: {` or `data:{`, which the SSE standard holds equal.
    """

    line_end: LineEnd = "crlf"
    space: bool = True

    @abstractmethod
    def delta(self, message: str, base: Json) -> bytes:
        """The frame of one text delta."""

    @abstractmethod
    def final(self, fields: Json, base: Json, *, line_ends: int = 2) -> bytes:
        """What ends a stream."""

    def field(self, name: str, value: str) -> bytes:
        """One SSE line, `name: value`, with its line end. An empty name makes a comment."""
        return f"{name}:{' ' if self.space else ''}{value}".encode() + self.blank()

    def blank(self) -> bytes:
        """A line end; on a line of its own it ends an event."""
        return _LINE_ENDS[self.line_end]

    def data(self, text: str, *, line_ends: int = 2) -> bytes:
        """An event of one `data` line. `line_ends` below 2 leaves out the blank line, or both line ends."""
        return self.field("data", text).removesuffix(self.blank()) + self.blank() * line_ends


@dataclass(frozen=True, slots=True, kw_only=True)
class StackSpotDialect(Dialect):
    """The frames of StackSpot.

    `style`: `delta` sends only `message`; `base` repeats the whole base object in every frame.
    """

    style: FrameStyle = "delta"

    def delta(self, message: str, base: Json) -> bytes:
        """The frame of one text delta."""
        return self.data(to_json({**(base if self.style == "base" else {}), "message": message}))

    def final(self, fields: Json, base: Json, *, line_ends: int = 2) -> bytes:
        """The last frame: stop_reason, tokens and message_id, and no `message`."""
        return self.data(to_json({**(base if self.style == "base" else {}), **fields}), line_ends=line_ends)


@dataclass(frozen=True, slots=True, kw_only=True)
class FusionDialect(Dialect):
    """The frames of Fusion. `told`: the last event before `[DONE]` carries the chat and its last message (inferred)."""

    told: bool = False

    def delta(self, message: str, base: Json) -> bytes:  # noqa: ARG002  # as its neighbour's, which repeats the base
        """The frame of one token."""
        return self.data(to_json({"token": message}))

    def final(self, fields: Json, base: Json, *, line_ends: int = 2) -> bytes:  # noqa: ARG002  # likewise
        """`[DONE]`, and what is told before it. Nobody has seen a token count."""
        told = to_json({"chat": fields["chat"], "message": cast(list[Json], fields["messages"])[-1]})
        return (self.data(told) if self.told else b"") + self.data("[DONE]", line_ends=line_ends)


def to_json(value: Json | Sequence[Json]) -> str:
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
