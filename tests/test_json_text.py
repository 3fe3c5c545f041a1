"""The JSON value in what a model writes: exactly that, as it is written, whatever stands around it."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from custom_handler.json_text import JsonText
from custom_handler.output import OutputFormat
from tests.support.pieces import cut_at

OBJECT = OutputFormat()
NUMBERS = OutputFormat({"type": "array", "items": {"type": "integer"}})
OBJECTS = OutputFormat({"type": "array", "items": {"type": "object"}})
FLAGS = OutputFormat({"type": "array", "items": {"type": ["boolean", "null"]}})
ANYTHING = OutputFormat({})
FORMATS = [OBJECT, NUMBERS, OBJECTS, FLAGS, ANYTHING, OutputFormat({"type": "string"})]
EVERYWHERE = list(range(1, 400))
CUTS = st.lists(st.integers(0, 80), max_size=12)


def value_in(pieces: list[str], output: OutputFormat = OBJECT) -> tuple[str, bool]:
    reader = JsonText(output)
    given_out = "".join([reader.feed(piece) for piece in pieces]) + reader.flush()
    return given_out, reader.complete


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1}', '{"a": 1}'),
        (' \n{"a": 1}\n', '{"a": 1}'),
        ('\ufeff{"a": 1}', '{"a": 1}'),
        ("{}", "{}"),
        ("{ \n }", "{ \n }"),
        ('Sure!\n```json\n{"a": [1, {}]}\n```\nAnything else?', '{"a": [1, {}]}'),
        ('```\n{"a": 1}```', '{"a": 1}'),
        ('```json {"a": 1}```', '{"a": 1}'),
        ('Here it is: {"a": 1}. Done.', '{"a": 1}'),
        ('Claro, {"ação": "}{"} é isso', '{"ação": "}{"}'),
        ('See [1] and {name}, use {} or {"x"}.\n{"a": 1}', '{"a": 1}'),
        ('The set {"x", "y"} is\n\n  {"a": 1}', '{"a": 1}'),
        ('{"a": "\\"}", "b": "\\\\"} {"c": 2}', '{"a": "\\"}", "b": "\\\\"}'),
        ('{"code": "```json\\n{}\\n```"}\n```', '{"code": "```json\\n{}\\n```"}'),
        ('[{"a": 1}]', '{"a": 1}'),
        ("I would answer {} here.", "{}"),
        ('The {"key": value} form:\n{"a": "x"}', '{"a": "x"}'),
        ('The {"key":value}, {"key" : ...} and {"key":} forms: {"a": "x"}', '{"a": "x"}'),
        ('It is {"a":\n    // one\n 1}', '{"a":\n    \n 1}'),
        ("It is {\"a\": 'x'}", '{"a": "x"}'),
        ('It is {"a" : None}', '{"a" : null}'),
        ("{'a': 1}", '{"a": 1}'),
        ("{a: 1}", '{"a": 1}'),
        ("{// none\n}", "{\n}"),
        ('{"a": "\U0001f600\ud83d"}', '{"a": "\U0001f600\ud83d"}'),
    ],
)
def test_an_object_is_found(text: str, value: str) -> None:
    for cuts in ([], EVERYWHERE, [1], [2], [9]):
        assert value_in(cut_at(text, cuts)) == (value, True)


@pytest.mark.parametrize(
    ("output", "text", "value"),
    [
        (NUMBERS, "As told in [a] and [b](url):\n[1, 2]", "[1, 2]"),
        (NUMBERS, "Result: [-1]", "[-1]"),
        (NUMBERS, "The numbers [3, 4] are it.", "[3, 4]"),
        (NUMBERS, '{"items": [1]}', "[1]"),
        (NUMBERS, "[]", "[]"),
        (OBJECTS, 'See [1].\n[2] says so. Here [{"a": 1}, {"b": [2]}] it is', '[{"a": 1}, {"b": [2]}]'),
        (OBJECTS, 'The [{"key": value}] form is [{"a": 1}]', '[{"a": 1}]'),
        (OBJECTS, "```json\n[\n  {}\n]\n```", "[\n  {}\n]"),
        (FLAGS, "[text](url)\n[true, null]", "[true, null]"),
        (OutputFormat({"type": "array", "items": {"type": "string"}}), 'x\n["a]"]', '["a]"]'),
        (OutputFormat({"type": "array", "items": {"type": "array"}}), "see\n[[1], []]", "[[1], []]"),
        (OutputFormat({"type": "string"}), 'The name is "Ana", not {"b": 1}.', '"Ana"'),
        (OutputFormat({"type": "number"}), "v2 of it: 42.", "42"),
        (OutputFormat({"type": "number"}), "```json\n-4.5e3\n```", "-4.5e3"),
        (OutputFormat({"type": "integer"}), "Not 4.5 but 5.", "5"),
        (OutputFormat({"type": "integer"}), "Not 4.5 but -5.0.", "-5"),
        (OutputFormat({"type": "integer"}), "Not 1e300 but 1e3", "1000"),
        (OutputFormat({"type": "number"}), "It is 5.0.", "5.0"),
        (OutputFormat({"type": "boolean"}), "Untrue? It is true.", "true"),
        (OutputFormat({"enum": ["a", None]}), "null", "null"),
        (ANYTHING, "[1, 2]", "[1, 2]"),
        (ANYTHING, '"a"', '"a"'),
        (OutputFormat({"$ref": "#/$defs/r", "$defs": {"r": {"type": "object"}}}), '[{"a": 1}]', '{"a": 1}'),
    ],
)
def test_the_schema_tells_how_the_value_begins(output: OutputFormat, text: str, value: str) -> None:
    for cuts in ([], EVERYWHERE, [1], [2], [9]):
        assert value_in(cut_at(text, cuts), output) == (value, True)


@pytest.mark.parametrize("text", ["", "I cannot do that.", "{name} [x] {", "{NaN} NaN", '.{"a" "b"}!{', "{" * 5000])
def test_without_a_value_nothing_is_given_out(text: str) -> None:
    assert value_in([text]) == ("", False)
    assert value_in(list(text)) == ("", False)


@pytest.mark.parametrize("text", ['{"a": [1, 2', '{"a": "b', '{"a": {"b": 1}'])
def test_a_value_that_is_cut_off_is_not_complete(text: str) -> None:
    assert value_in([text]) == (text, False)
    assert value_in(list(text)) == (text, False)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
PROSE = st.text(st.sampled_from("abc é\n`.,;!?\U0001f600([)]"), max_size=60)


@given(st.dictionaries(st.text(), JSON, max_size=4), PROSE, st.sampled_from(["\n", "\n```json\n", ": "]), PROSE, CUTS)
def test_valid_json_comes_through_unchanged(
    value: dict[str, object], before: str, opening: str, after: str, cuts: list[int]
) -> None:
    for indent, ascii_only in itertools.product((None, 2), (True, False)):
        written = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
        pieces = cut_at(f"{before}{opening}{written}{after}", cuts)
        assert value_in(pieces) == (written, True)


@given(JSON, CUTS)
def test_any_valid_json_is_found_where_any_is_allowed(value: object, cuts: list[int]) -> None:
    written = json.dumps(value, ensure_ascii=False)
    assert value_in(cut_at(written, cuts), ANYTHING) == (written, True)


HOSTILE = st.text(st.sampled_from("{}[]\":'\\\n`a1-, /tn$"), max_size=80)


@given(HOSTILE, st.sampled_from(FORMATS), CUTS)
@example('{ "a" : 1}', OBJECT, EVERYWHERE)
@example("x [ tru", FLAGS, EVERYWHERE)
@example("x\n" + " " * 62 + "{a: 1}", OBJECT, EVERYWHERE)
@example('x {"a":' + " " * 70 + '1} {"b": 2}', OBJECT, EVERYWHERE)
@example('x {"a"' + " " * 8 + ":" + " " * 64 + '1} {"b": 2}', OBJECT, EVERYWHERE)
@example(": " + " " * 64 + "{" + " " * 70 + "}", OBJECT, EVERYWHERE)
@example('.{"' + "a" * 70 + '": 1} {"b": 2}', OBJECT, EVERYWHERE)
def test_what_is_found_does_not_depend_on_the_pieces(text: str, output: OutputFormat, cuts: list[int]) -> None:
    found = value_in([text], output)
    assert value_in(cut_at(text, cuts), output) == found
    if found[1]:
        json.loads(found[0])


def test_the_value_is_given_out_character_by_character() -> None:
    reader = JsonText(OBJECT)
    given_out = [reader.feed(character) for character in 'Ok:\n{"a": 1}.']
    assert given_out == ["", "", "", "", "", '{"', *'a": ', "", "1}", ""]


def test_within_a_sentence_an_object_waits_for_its_first_value() -> None:
    reader = JsonText(OBJECT)
    given_out = [reader.feed(piece) for piece in ("So ", '{"', "a", '"', ":", " ", '"', 'b"}')]
    assert given_out == ["", "", "", "", "", "", '{"a": "', 'b"}']


def test_the_value_is_mended_as_it_passes() -> None:
    reader = JsonText(OBJECT)
    given_out = [reader.feed(piece) for piece in ("Here:\n{'a': ", "True", ", } and more {")]
    assert given_out == ['{"a": ', "", "true }"]
    assert not reader.feed("{}")
    assert reader.complete


@pytest.mark.parametrize("prose", ["{ " * 300, "{" + " " * 600, '{"a ' * 150, "[ " * 300, "```json\n" * 80, "{a" * 300])
def test_no_prose_hides_the_value_behind_it(prose: str) -> None:
    for size in (1, 7, 1000):
        pieces = cut_at(f'Well, {prose}.\n{{"a": 1}}', list(range(0, 1000, size)))
        assert value_in(pieces, ANYTHING) == ('{"a": 1}', True)
