"""Members left out of the text of an object: they alone, wherever they stand and however the text was cut."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from custom_handler.members import WithoutMembers
from tests.support.pieces import cut_at

NAMES = ("step_id", "tool_execution_id")
HOSTILE = '"[}\\",]{\\\\"'


def without(text: str, *cuts: int, names: tuple[str, ...] = NAMES) -> str:
    reader = WithoutMembers(names)
    return "".join([reader.feed(piece) for piece in cut_at(text, cuts)])


TEXTS = {
    "nothing": ("{}", "{}"),
    "white space": (" \n{ \n } ", " \n{ \n } "),
    "no such member": ('{"a" : 1 , "b":[ ]}', '{"a" : 1 , "b":[ ]}'),
    "the only one": ('{"step_id": 1}', "{}"),
    "the first": ('{"step_id": 1, "b": 2}', '{"b": 2}'),
    "one in the middle": ('{"a": 1, "step_id": 2, "b": 3}', '{"a": 1, "b": 3}'),
    "the last": ('{"a": 1, "step_id": 2}', '{"a": 1}'),
    "all": ('{"step_id": 1, "tool_execution_id": 2}', "{}"),
    "several first": ('{"step_id": 1,"tool_execution_id": 2,"a":3,"b":4}', '{"a":3,"b":4}'),
    "several in a row": ('{"a": 1, "step_id": 2, "tool_execution_id": 3, "step_id": 4, "b": 5}', '{"a": 1, "b": 5}'),
    "several last": ('{"a": 1, "step_id": 2, "step_id": 3}', '{"a": 1}'),
    "first and last": ('{"step_id": 1, "a": 2, "step_id": 3}', '{"a": 2}'),
    "lines, the first": ('{\n  "step_id": 1,\n  "b": 2\n}\n', '{\n  "b": 2\n}\n'),
    "lines, the last": ('{\n  "a": 1,\n  "step_id": 2\n}\n', '{\n  "a": 1\n}\n'),
    "white space everywhere": (' { "step_id" : 1 , "b" : 2 , "step_id" : [ ] } ', ' {  "b" : 2  } '),
    "an empty value": ('{"step_id": "", "b": {}, "c": []}', '{"b": {}, "c": []}'),
    "a string": (f'{{"a": {HOSTILE}, "step_id": {HOSTILE}, "b": {HOSTILE}}}', f'{{"a": {HOSTILE}, "b": {HOSTILE}}}'),
    "containers": (f'{{"step_id": [{{"x": {HOSTILE}}}, [[]]], "b": [{{"x": {HOSTILE}}}, [[]]]}}',
                   f'{{"b": [{{"x": {HOSTILE}}}, [[]]]}}'),
    "words": ('{"step_id": null, "a": true, "step_id": -1.5e+3, "b": false}', '{"a": true, "b": false}'),
    "inner members": ('{"a": {"step_id": 1}, "b": [{"step_id": 2}]}', '{"a": {"step_id": 1}, "b": [{"step_id": 2}]}'),
    "a value like a name": ('{"a": "step_id", "b": ["step_id"]}', '{"a": "step_id", "b": ["step_id"]}'),
    "nearly the name": ('{"step_i": 1, "step_id ": 2, "Step_id": 3}', '{"step_i": 1, "step_id ": 2, "Step_id": 3}'),
    "an escaped name": (r'{"\u0073tep_id": 1, "a": 2, "step\u005Fid": 3}', '{"a": 2}'),
    "nothing but escapes": ('{"' + "".join(f"\\u{ord(c):04x}" for c in "tool_execution_id") + '": 1}', "{}"),
    "an escape in another name": (r'{"step_id\"": 1, "\\": 2, "": 3}', r'{"step_id\"": 1, "\\": 2, "": 3}'),
    "a long name": (f'{{"a": 1, "{"step_id" * 50}\\\\": 2, "step_id": 3}}', f'{{"a": 1, "{"step_id" * 50}\\\\": 2}}'),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), TEXTS.values(), ids=TEXTS)
def test_named_members_are_left_out_wherever_the_text_is_cut(text: str, expected: str) -> None:
    assert without(text) == expected
    assert without(text, *range(1, len(text))) == expected
    assert [cut for cut in range(len(text)) if without(text, cut) != expected] == []


def test_a_name_may_have_characters_that_are_written_as_two_escapes() -> None:
    assert without(r'{"\ud83d\ude00": 1, "😀": 2, "a": 3}', names=("😀",)) == '{"a": 3}'


@pytest.mark.parametrize(
    ("text", "given_out"),
    [
        ('{"code": "a\\n', ["{", *[""] * 5, '"code"', ":", " ", '"', "a", "\\", "n"]),
        ('{"a":[{"b', ["{", "", "", '"a"', ":", "[", "{", '"', "b"]),
        ('{"a":1 , "b":', ["{", "", "", '"a"', ":", "1", " ", "", "", "", "", ', "b"', ":"]),
        ('{"step_id":[1],"a":', ["{", *[""] * 16, '"a"', ":"]),
    ],
)
def test_only_a_key_waits_and_the_comma_before_it(text: str, given_out: list[str]) -> None:
    reader = WithoutMembers(NAMES)
    assert [reader.feed(character) for character in text] == given_out


def test_a_key_that_is_too_long_to_be_a_name_does_not_wait_for_its_end() -> None:
    reader = WithoutMembers(["x"])
    assert reader.feed('{"' + "\\u0078" * 3) == '{"' + "\\u0078" * 3
    assert reader.feed('y": "') == 'y": "'


KEYS = st.sampled_from([*NAMES, "a", "step"]) | st.text(max_size=4)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=4,
)
WRITTEN_KEYS = KEYS.map(json.dumps) | st.just(r'"\u0073tep\u005Fid"')
WRITTEN_VALUES = st.builds(json.dumps, VALUES, ensure_ascii=st.booleans(), indent=st.sampled_from([None, 1]))
BLANKS = st.sampled_from(["", " ", "\n\t"])
MEMBERS = st.tuples(BLANKS, WRITTEN_KEYS, BLANKS, st.just(":"), BLANKS, WRITTEN_VALUES, BLANKS).map("".join)
OBJECTS = st.builds("{{{}}}{}".format, st.lists(MEMBERS, max_size=4).map(",".join), BLANKS)


def members_of(text: str) -> list[tuple[str, object]]:
    """The members as they are written, those of the same key too."""
    members: list[tuple[str, object]] = json.JSONDecoder(object_pairs_hook=list).decode(text)
    return members


@given(OBJECTS)
@example('{"step_id": {"a": 1}, "a": {"step_id": 1, "step_id": 2}}')
def test_all_other_members_are_what_they_were_in_order_at_every_cut(text: str) -> None:
    left = without(text)
    assert members_of(left) == [member for member in members_of(text) if member[0] not in NAMES]
    assert {without(text, cut) for cut in range(len(text))} == {without(text, *range(1, len(text)))} == {left}


@given(OBJECTS, st.sampled_from([(), ("none",)]), st.integers(0, 200))
def test_where_nothing_is_named_the_text_is_unchanged(text: str, names: tuple[str, ...], length: int) -> None:
    assert without(text, names=names) == text
    assert text.startswith(without(text[:length], names=names))
