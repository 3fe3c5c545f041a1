"""`response_format`: read, told to the model, and checked."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_handler.errors import RequestError
from custom_handler.output import OutputFormat, instruction, parse_format, validate
from custom_handler.schema_keywords import KINDS

PERSON = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "age": {"type": "integer", "minimum": 0},
        "role": {"enum": ["dev", "ops"]},
    },
    "required": ["name", "age"],
    "additionalProperties": False,
}
ANY_OBJECT = OutputFormat()


def json_schema(**fields: Any) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": fields}


@pytest.mark.parametrize(
    ("response_format", "output"),
    [
        (None, None),
        ({"type": "text"}, None),
        ({"type": "json_object"}, ANY_OBJECT),
        (json_schema(name="p", schema=PERSON), OutputFormat(PERSON, "p")),
        (json_schema(name="p", schema=PERSON, strict=None), OutputFormat(PERSON, "p")),
        (
            json_schema(name="p", schema={}, strict=True, description="One."),
            OutputFormat({}, "p", "One.", strict=True),
        ),
        (json_schema(name="p"), OutputFormat(name="p")),
        (json_schema(schema=PERSON), OutputFormat(PERSON)),
    ],
)
def test_formats_are_read(response_format: object, output: OutputFormat | None) -> None:
    assert parse_format(response_format) == output


@pytest.mark.parametrize(
    ("response_format", "param"),
    [
        ("json_object", "response_format"),
        ([], "response_format"),
        ({}, "response_format.type"),
        ({"type": "grammar"}, "response_format.type"),
        ({"type": ["text"]}, "response_format.type"),
        ({"type": "json_schema"}, "response_format.json_schema"),
        ({"type": "json_schema", "json_schema": []}, "response_format.json_schema"),
        (json_schema(name=5), "response_format.json_schema.name"),
        (json_schema(description=5), "response_format.json_schema.description"),
        (json_schema(schema="{}"), "response_format.json_schema.schema"),
        (json_schema(strict="yes"), "response_format.json_schema.strict"),
    ],
)
def test_what_cannot_be_read_is_refused_by_the_name_of_the_field(response_format: object, param: str) -> None:
    with pytest.raises(RequestError) as refused:
        parse_format(response_format)
    assert refused.value.param == param
    assert refused.value.message.startswith(param)


@pytest.mark.parametrize(
    ("schema", "kinds", "item_kinds"),
    [
        ({"type": "object"}, {"object"}, KINDS),
        ({"type": "array", "items": {"type": "string"}}, {"array"}, {"string"}),
        ({"anyOf": [{"type": "array"}, {"type": "null"}]}, {"array", "null"}, KINDS),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"type": "array", "items": {"const": 1}}}}, {"array"}, {"integer"}),
        ({}, KINDS, KINDS),
        ({"type": "strange"}, KINDS, KINDS),
        ({"$ref": "#/nowhere"}, KINDS, KINDS),
    ],
)
def test_the_schema_tells_the_type_of_the_value(schema: Any, kinds: set[str], item_kinds: set[str]) -> None:
    output = OutputFormat(schema)
    assert (set(output.kinds), set(output.item_kinds)) == (kinds, item_kinds)


def test_the_model_is_told_to_write_one_object() -> None:
    told = instruction(ANY_OBJECT)
    assert "one JSON object and nothing else" in told
    assert "Schema" not in told


def test_the_model_is_told_the_schema_without_spaces_and_dialect() -> None:
    told = instruction(OutputFormat(PERSON, "person", "Uma pessoa."))
    schema = told.splitlines()[-1]
    assert json.loads(schema) == {key: value for key, value in PERSON.items() if key != "$schema"}
    assert ": " not in schema
    assert '"person" (Uma pessoa.)' in told


def test_letters_of_the_schema_are_told_as_they_are() -> None:
    assert "ação" in instruction(OutputFormat({"const": "ação"}))


def test_the_model_is_told_the_type_that_the_schema_has() -> None:
    assert "one JSON array and" in instruction(OutputFormat({"type": "array"}))
    assert "one JSON value and" in instruction(OutputFormat({"type": ["array", "object"]}))


def test_with_tools_only_the_answer_without_calls_is_json() -> None:
    assert instruction(ANY_OBJECT, with_tools=True).startswith("Calls of tools are written as told. An answer without")


@pytest.mark.parametrize(
    ("output", "value_text"),
    [
        (ANY_OBJECT, '{"a": [1]}'),
        (OutputFormat(PERSON), '{"name": "Ana", "age": 7, "role": "ops"}'),
        (OutputFormat({"type": "array", "items": {"type": "number"}}), "[1, 2.5]"),
        (OutputFormat({}), "null"),
    ],
)
def test_a_value_that_fits_has_no_problems(output: OutputFormat, value_text: str) -> None:
    assert validate(value_text, output) == ()


@pytest.mark.parametrize(
    ("output", "value_text", "problem"),
    [
        (ANY_OBJECT, "[1]", "the value: found array [1], expected object."),
        (ANY_OBJECT, "", "It is not valid JSON: Expecting value at line 1, column 1."),
        (ANY_OBJECT, '{"a": 1,}', "It is not valid JSON: "),
        (ANY_OBJECT, '{"a": NaN}', "It is not valid JSON: NaN is no JSON value."),
        (ANY_OBJECT, '{"a":' * 100_000, "It is nested too deeply."),
        (ANY_OBJECT, '{"a": ' + "9" * 5000 + "}", "It is not valid JSON: "),
        (OutputFormat(PERSON), '{"age": 1}', "name: missing"),
        (OutputFormat(PERSON), '{"name": "A", "age": 1, "x": 1}', "x: not declared"),
        (OutputFormat(PERSON), '{"name": "A", "age": "7"}', 'age: found string "7", expected integer'),
        (OutputFormat(PERSON), '{"name": "A", "age": 1, "role": "x"}', 'role: found string "x", expected one of "dev"'),
        (OutputFormat({"items": {"type": "null"}}), "[1]", "[0]: found integer 1, expected null"),
        (OutputFormat({"additionalProperties": {"type": "null"}}), '{"the arguments": 1}', '["the arguments"]: found'),
    ],
)
def test_what_is_wrong_is_told(output: OutputFormat, value_text: str, problem: str) -> None:
    problems = validate(value_text, output)
    assert len(problems) == 1
    assert problems[0].startswith(problem)


def test_few_and_short_problems_are_told_of_a_value_with_many_and_long_ones() -> None:
    problems = validate(json.dumps(["b" * 1000] * 100), OutputFormat({"items": {"enum": ["a" * 1000]}}))
    assert 1 < len(problems) <= 5
    assert sum(map(len, problems)) <= 600


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "strange"},
        {"$ref": "#"},
        {"$ref": "#/nowhere"},
        {"$ref": "http://127.0.0.1:9/schema"},
        {"$schema": ["x"], "type": "strange"},
        {"$id": "http://[bad", "$ref": "x"},
        {"multipleOf": 0},
    ],
)
def test_a_schema_that_cannot_be_used_is_not_checked_against(schema: Any) -> None:
    assert validate('{"a": 1}', OutputFormat(schema)) == ()
    assert validate('{"a": 1', OutputFormat(schema)) != ()
    assert "JSON" in instruction(OutputFormat(schema))


KEYWORDS = [
    "type",
    "$ref",
    "items",
    "anyOf",
    "properties",
    "required",
    "enum",
    "minimum",
    "$id",
    "$schema",
    "#",
    "string",
]
SCHEMAS = st.dictionaries(
    st.sampled_from(KEYWORDS),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.sampled_from(KEYWORDS),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYWORDS), inner, max_size=3),
        max_leaves=6,
    ),
)


@given(SCHEMAS, st.sampled_from(["{}", '{"type": 1, "items": [{}]}', "[[1], null]", '"x"', "1e400", "{"]))
def test_no_schema_makes_the_check_fail(schema: Any, value_text: str) -> None:
    problems = validate(value_text, OutputFormat(schema))
    assert all(isinstance(problem, str) for problem in problems)
