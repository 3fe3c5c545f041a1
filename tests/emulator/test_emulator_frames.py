"""Frames, streams and ids: pure functions, so properties."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.frames import StackSpotDialect, pieces, recut, to_json
from emulator.ids import is_ulid, new_ulid
from emulator.steps import Drop, Hold
from emulator.stream import Item, cut_after, inserted

TEXTS = st.lists(st.text(max_size=8), max_size=8)
DIALECTS = st.builds(
    StackSpotDialect,
    style=st.sampled_from(["delta", "base"]),
    line_end=st.sampled_from(["crlf", "lf"]),
    space=st.booleans(),
)


def text_in(items: list[Item]) -> str:
    return "".join(item for item in items if isinstance(item, str))


@given(st.text(), st.integers(1, 30))
def test_pieces_add_up_and_none_is_longer_than_asked(text: str, size: int) -> None:
    cut = list(pieces(text, size))
    assert "".join(cut) == text
    assert all(0 < len(piece) <= size for piece in cut)


def test_a_piece_needs_a_character() -> None:
    with pytest.raises(ValueError, match="at least one character"):
        list(pieces("x", 0))


@given(TEXTS, st.none() | st.integers(1, 5))
def test_recutting_changes_no_text(deltas: list[str], size: int | None) -> None:
    assert "".join(recut(deltas, size)) == "".join(deltas)


@given(DIALECTS, st.text(st.characters()))
def test_any_text_survives_its_frame(dialect: StackSpotDialect, text: str) -> None:
    frame = dialect.delta(text, {"source": []})
    line, blank = frame[: -2 * len(dialect.blank())], frame[-2 * len(dialect.blank()) :]
    assert blank == dialect.blank() * 2
    assert b"\n" not in line
    assert b"\r" not in line
    value = json.loads(line.removeprefix(b"data:"))
    assert value["message"] == text
    assert ("source" in value) == (dialect.style == "base")


def test_a_surrogate_without_its_half_is_escaped_and_the_rest_is_not() -> None:
    assert to_json({"a": "é\ud83d"}) == r'{"a":"\u00e9\ud83d"}'
    assert to_json({"a": "é🙂"}) == '{"a":"é🙂"}'


@given(TEXTS, st.integers(0, 40))
def test_steps_are_inserted_behind_exactly_n_characters(deltas: list[str], at: int) -> None:
    items = list(inserted(deltas, at, [Hold()]))
    place = items.index(Hold())
    assert text_in(items) == "".join(deltas)
    assert text_in(items[:place]) == "".join(deltas)[:at]


@given(TEXTS, st.integers(0, 40))
def test_a_stream_is_cut_behind_exactly_n_characters(deltas: list[str], at: int) -> None:
    *items, last = cut_after(deltas, at, [Drop()])
    assert last == Drop()
    assert text_in(items) == "".join(deltas)[:at]


@given(TEXTS, st.integers(0, 40), st.integers(0, 40))
def test_two_places_in_one_stream_do_not_disturb_each_other(deltas: list[str], first: int, second: int) -> None:
    items = list(inserted(inserted(deltas, first, [Hold()]), second, [Drop()]))
    assert text_in(items[: items.index(Hold())]) == "".join(deltas)[:first]
    assert text_in(items[: items.index(Drop())]) == "".join(deltas)[:second]


def test_a_cut_reads_no_further_than_it_must() -> None:
    deltas = iter(["ab", "cd", "ef"])
    assert list(cut_after(deltas, 3, [])) == ["ab", "c"]
    assert list(deltas) == ["ef"]


def test_ids_are_ulids_that_differ_and_begin_with_the_time() -> None:
    ids = [new_ulid() for _ in range(100)]
    assert all(is_ulid(one) for one in ids)
    assert len(set(ids)) == 100
    assert ids[0][:6] == ids[-1][:6]
