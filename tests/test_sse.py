"""Reading an SSE stream: nothing is lost and nothing depends on how the bytes were cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_handler.upstream.sse import EventReader
from tests.support.pieces import cut_into


def read(*pieces: bytes) -> list[tuple[str, str]]:
    reader = EventReader()
    events = [event for piece in pieces for event in reader.feed(piece)] + reader.flush()
    return [(event.event, event.data) for event in events]


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"data: a\n\n", [("message", "a")]),
        (b"data:a\r\n\r\ndata: b\r\n\r\n", [("message", "a"), ("message", "b")]),
        (b"data: a\r\rdata: b\r\r", [("message", "a"), ("message", "b")]),
        (b"\xef\xbb\xbfdata: a\n\n", [("message", "a")]),
        (b"data: a\n\ndata: b", [("message", "a"), ("message", "b")]),
        (b"data: a\n\ndata: b\n", [("message", "a"), ("message", "b")]),
        (b"event: error\ndata: a\n\n", [("error", "a")]),
        (b"data: a\ndata: b\n\n", [("message", "a\nb")]),
        (b": ping\n\n\n\ndata: a\n\n", [("message", "a")]),
        ("data: é\u2028\u0085😀\n\n".encode(), [("message", "é\u2028\u0085😀")]),
        (b"data: \xff\n\n", [("message", "\ufffd")]),
        (b"", []),
        (b"\n\n\n", []),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_events_are_read_whole_however_the_bytes_are_cut(
    stream: bytes, events: list[tuple[str, str]], size: int
) -> None:
    assert read(*cut_into(stream, size)) == events


def test_events_of_one_read_come_together_and_at_once() -> None:
    reader = EventReader()
    assert [event.data for event in reader.feed(b"data: a\n\ndata: b\n\ndata: c")] == ["a", "b"]
    assert [event.data for event in reader.feed(b"\n\n")] == ["c"]


STREAMS = st.lists(st.sampled_from([b"data: x", b"data", b": c", b"\n", b"\r\n", b"\r", b"\xc3\xa9", b"id: 1"]))


@given(STREAMS.map(b"".join), st.integers(1, 20))
def test_nonsense_reads_the_same_however_it_is_cut(stream: bytes, size: int) -> None:
    assert read(*cut_into(stream, size)) == read(stream)
