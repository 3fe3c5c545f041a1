"""What can go wrong in the middle of a stream (pure): functions from a good stream to a bad one.

The number given to each is a place in the text, in characters; those that need none ignore it.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from emulator.frames import to_json
from emulator.steps import Drop, Forever, Json, Send
from emulator.stream import Item, Stream, cut_after

Change = Callable[[Stream, int], Stream]

MARKER = "FUNCTION_CALL_START"
NESTING = 100_000
"""Depth of the nested frame: far beyond what a recursive JSON parser can take."""


def drop(*, reset: bool = False) -> Change:
    """The connection is closed after n characters, without the terminating chunk."""
    return lambda stream, at: stream.cut(at, Drop(reset=reset))


def drop_in_marker(stream: Stream, _at: int) -> Stream:
    """The same in the middle of a call's start marker; a text without one gets one at its end."""

    def items() -> Iterator[Item]:
        everything = list(stream.items)
        text = "".join(item for item in everything if isinstance(item, str))
        if MARKER not in text:
            everything.append("\n" + MARKER)
            text += "\n" + MARKER
        yield from cut_after(everything, text.index(MARKER) + len(MARKER) // 2, [Drop()])

    return replace(stream, items=items(), has_final=False)


def cut_in_frame(stream: Stream, at: int) -> Stream:
    """A clean end in the middle of a frame, so that only its JSON tells that something is missing."""
    frame = stream.dialect.delta("never whole", stream.base)
    return stream.cut(at, Send(frame[: frame.index(b"whole")]))


def endless_empty(stream: Stream, at: int) -> Stream:
    """Empty deltas for ever."""
    return stream.cut(at, Forever(stream.dialect.delta("", stream.base)))


def no_final_frame(stream: Stream, _at: int) -> Stream:
    """A plain end after the text."""
    return replace(stream, has_final=False)


def final_line_ends(count: int) -> Change:
    """Fewer line ends than the two that an event needs, behind the final frame."""
    return lambda stream, _at: replace(stream, final_line_ends=count)


def done_marker(stream: Stream, _at: int) -> Stream:
    """OpenAI's `[DONE]` behind the final frame."""
    return replace(stream, closing=stream.dialect.data("[DONE]"))


def tokens(shape: Callable[[int, int], Json]) -> Change:
    """Other fields for the usage: `shape(input, output)`."""
    return lambda stream, _at: replace(stream, tokens=shape)


def error_event(stream: Stream, at: int) -> Stream:
    """A named event, `event: error`, and the end."""
    dialect = stream.dialect
    frame = dialect.field("event", "error") + dialect.data(to_json({"message": "The model failed."}))
    return stream.cut(at, Send(frame))


def error_frame(frame: Json) -> Change:
    """An un-named event that tells of an error, and the end."""
    return lambda stream, at: stream.cut(at, Send(stream.dialect.data(to_json(frame))))


def insert_text(text: str) -> Change:
    """A delta of its own with `text`."""
    return lambda stream, at: stream.insert(at, text)


def insert_frame(data: str) -> Change:
    """A frame with `data`, whatever that is."""
    return lambda stream, at: stream.insert(at, Send(stream.dialect.data(data)))


def ping_after_id(stream: Stream, at: int) -> Stream:
    """An event with an id, then pings: one of a comment only, one with empty data."""
    dialect = stream.dialect
    event = dialect.field("id", "7") + dialect.delta("", stream.base)
    comment = dialect.field("", "ping") + dialect.blank()
    return stream.insert(at, Send(event), Send(comment), Send(dialect.data("")))


def byte_order_mark(stream: Stream, _at: int) -> Stream:
    """EF BB BF before the first frame."""
    return replace(stream, opening=b"\xef\xbb\xbf")


def split_surrogates(stream: Stream, _at: int) -> Stream:
    """Every character beyond the basic plane as two `\\u` escapes, half a frame each."""

    def items() -> Iterator[Item]:
        for item in stream.items:
            yield from _halves(item) if isinstance(item, str) else (item,)

    return replace(stream, items=items())


def no_space(stream: Stream, _at: int) -> Stream:
    """`data:{` instead of `data: {`."""
    return replace(stream, dialect=replace(stream.dialect, space=False))


def gzip(stream: Stream, _at: int) -> Stream:
    """A compressed stream."""
    return replace(stream, gzip=True)


def _halves(text: str) -> Iterator[str]:
    start = 0
    for index, char in enumerate(text):
        if ord(char) > 0xFFFF:
            offset = ord(char) - 0x10000
            yield text[start:index] + chr(0xD800 + (offset >> 10))
            yield chr(0xDC00 + (offset & 0x3FF))
            start = index + 1
    yield text[start:]
