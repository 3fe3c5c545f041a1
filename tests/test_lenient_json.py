"""What models write as JSON: repaired as it passes, unchanged where it is valid, never invented."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_handler.lenient_json import LenientJson
from tests.support.pieces import cut_into


def may_follow(text: str) -> bool | None:
    """As behind arguments: only the end marker."""
    tail = text.lstrip()
    return None if "END".startswith(tail) and tail != "END" else tail.startswith("END")


def read(text: str, size: int = 10_000_000) -> tuple[str, bool, str]:
    """The strict JSON, whether it is complete, and the rest."""
    reader = LenientJson(may_follow)
    strict = "".join(reader.feed(piece) for piece in cut_into(text, size)) + reader.flush()
    return strict, reader.complete, reader.rest


REPAIRS = {
    "trailing comma": ('{"a": 1,}', {"a": 1}),
    "trailing commas": ('{"a": [1, 2,, ], }', {"a": [1, 2]}),
    "missing comma": ('{"a": "b" "c": [1 2]}', {"a": "b", "c": [1, 2]}),
    "comma too early": ("{,}", {}),
    "single quotes": ("{'a': 'it\\'s', 'b': \"x\"}", {"a": "it's", "b": "x"}),
    "single quote inside": ("{'a': 'it's'}", {"a": "it's"}),
    "double quote inside single quotes": ("{'a': 'say \"hi\"'}", {"a": 'say "hi"'}),
    "Python's words": ("{'a': True, 'b': False, 'c': None}", {"a": True, "b": False, "c": None}),
    "JavaScript's word": ('{"a": undefined}', {"a": None}),
    "names without quotes": ("{a: 1, $b-c: 2}", {"a": 1, "$b-c": 2}),
    "comments": ('{"a": 1, // one\n /* two */ "b": 2}', {"a": 1, "b": 2}),
    "a comment behind the last text": ('{"a": "x", "b": "y" // one\n}', {"a": "x", "b": "y"}),
    "a comment behind a text": ('{"a": "x" /* one */, "b": 1}', {"a": "x", "b": 1}),
    "a comment where a comma is missing": ('{"a": "x" // one\n"b": "y"}', {"a": "x", "b": "y"}),
    "a comment behind a comma": (
        '{"a": "x", // one\n/* two */ "b": 1, // three\n "c": "y"}',
        {"a": "x", "b": 1, "c": "y"},
    ),
    "a comment between braces": ('{"a": ["x" // one\n] /* two */, "b": ["y"] // three\n}', {"a": ["x"], "b": ["y"]}),
    "a comment behind a quote in code": (
        '{"c": "f("x") // one\ng("y" /* two */)"}END',
        {"c": 'f("x") // one\ng("y" /* two */)'},
    ),
    "slashes behind a quote in code": ('{"c": "a = "x" / 2"}END', {"c": 'a = "x" / 2'}),
    "raw line breaks and tabs": ('{"a": "x\r\n\ty"}', {"a": "x\r\n\ty"}),
    "other control characters": ('{"a": "x\x00\x1b"}', {"a": "x\x00\x1b"}),
    "invalid escapes": (r'{"a": "\d+\w \x41"}', {"a": r"\d+\w \x41"}),
    "half an escape": (r'{"a": "\u12 \u"}', {"a": r"\u12 \u"}),
    "loose numbers": (
        '{"a": +1, "b": .5, "c": 5., "d": -.5e3}',
        {"a": 1, "b": 0.5, "c": 5, "d": -500},
    ),
    "numbers with a zero before them": (
        '{"a": 0001, "b": -007, "c": [00, 00.5, 01e2]}',
        {"a": "0001", "b": "-007", "c": ["00", "00.5", "01e2"]},
    ),
    "zeros": ('{"a": 0, "b": 0.5, "c": -0, "d": [0e1]}', {"a": 0, "b": 0.5, "c": 0, "d": [0]}),
    "white space of other alphabets": ('{\u00a0"a":\u3000 1}', {"a": 1}),
    "quotes in code": ('{"code": "print("a", "b")"}\nEND', {"code": 'print("a", "b")'}),
    "quotes in code, more follows": ('{"code": "say("hi")", "line": 3}', {"code": 'say("hi")', "line": 3}),
    "quotes in HTML": ('{"html": "<a href="x">y</a>"}', {"html": '<a href="x">y</a>'}),
    "JSON in a string": ('{"body": "{"a": "b"}"}END', {"body": '{"a": "b"}'}),
    "braces in code, then more code": ('{"c": "x = {"a": "b"}\nprint(x)"}\nEND', {"c": 'x = {"a": "b"}\nprint(x)'}),
}


@pytest.mark.parametrize(("text", "value"), REPAIRS.values(), ids=REPAIRS)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 10_000])
def test_drift_is_repaired_however_it_is_cut(text: str, value: object, size: int) -> None:
    strict, complete, _ = read(text, size)
    assert complete
    assert json.loads(strict) == value


@pytest.mark.parametrize(
    "text",
    [
        '{"a": NaN}',
        '{"a": 1\u0663}',
        "{a}",
        '{"a": word}',
        '{"a": 1]',
        "}",
        "5",
        '"text"',
        "{[1]}",
        '{"a": {"b"}}',
        "[1, 2}",
        '{"a" 1, "b": 2}x',
    ],
)
@pytest.mark.parametrize("size", [1, 1000])
def test_what_is_no_json_never_becomes_complete(text: str, size: int) -> None:
    assert not read(text, size)[1]


@pytest.mark.parametrize(
    "text",
    [
        '{"a": "x" // one',
        '{"a": "x" /',
        '{"a": "x" /* }',
        '{"a": "x',
        '{"a": 1, "b"',
        '{"a": [1, 2',
        '{"a": tru',
        '{"a": 1, // x',
        "{'a': 'b\\",
    ],
)
def test_what_does_not_end_is_not_ended(text: str) -> None:
    strict, complete, _ = read(text)
    assert not complete
    with pytest.raises(ValueError, match=r"Expecting|Unterminated|Invalid"):
        json.loads(strict)


def test_what_stands_behind_the_value_is_left() -> None:
    assert read('{"a": 1} and {"more": 2}') == ('{"a": 1}', True, ' and {"more": 2}')


def test_text_is_given_out_as_soon_as_it_is_certain() -> None:
    reader = LenientJson()
    assert reader.feed('{"code": "print(1)') == '{"code": "print(1)'
    assert reader.feed('"') == ""
    assert reader.feed("}") == '"}'
    assert reader.complete


@pytest.mark.parametrize("begin", ['{"x": "v", ', '{x: "v", ', "{'x': 'v', ", '{"x": "v" // one\n, ', '{"x": ["v"], '])
@pytest.mark.parametrize(
    "member", ['"a":1,', "'a':[],", '"a":{} ,\n', '"a":1, // one\n', '"a":/**/1,', '"a":"b",', '"a":1\n']
)
@pytest.mark.parametrize("size", [50, 1_000_000])
def test_many_members_are_no_reason_to_fail(begin: str, member: str, size: int) -> None:
    if begin.startswith("{x"):
        member = member.replace('"a"', "a")
    assert read(begin + member * 1_500 + "}", size)[1]


@pytest.mark.parametrize(("begin", "end"), [('{"x":', "}"), ("[", "]"), ("['x' /**/, ", " // one\n]")])
@pytest.mark.parametrize("size", [50, 1_000_000])
def test_deep_values_are_no_reason_to_fail(begin: str, end: str, size: int) -> None:
    assert read(begin * 1_500 + '"v"' + end * 1_500, size)[1]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.text(), JSON, max_size=5)


@given(OBJECTS, st.booleans(), st.sampled_from([None, 1, "\t"]), st.integers(1, 9))
def test_valid_json_passes_unchanged_however_it_is_cut(
    value: object, ascii_only: bool, indent: int | str | None, size: int
) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    assert read(text + "END", size) == (text, True, "END")


PARTS = [*"{}[]\"',:\\ \n/*ax01.-", "true", "NaN", "\\u00e9", "//", "/**/", '": "', '{"a": "', "END"]
NONSENSE = st.lists(st.sampled_from(PARTS), max_size=40)


@given(NONSENSE.map("".join), st.integers(1, 5))
def test_nonsense_reads_the_same_however_it_is_cut_and_is_strict_when_complete(text: str, size: int) -> None:
    strict, complete, rest = read(text, size)
    assert read(text) == (strict, complete, rest)
    if complete:
        json.loads(strict)


@given(NONSENSE.map("".join), st.integers(1, 5))
def test_a_whole_value_is_mended_if_it_was_written_otherwise(text: str, size: int) -> None:
    reader = LenientJson(may_follow)
    strict = "".join(reader.feed(piece) for piece in cut_into(text, size)) + reader.flush()
    if reader.complete:
        assert reader.mended == (strict != text.removesuffix(reader.rest))
