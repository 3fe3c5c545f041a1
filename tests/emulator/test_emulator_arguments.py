"""Arguments made from a message and a schema: what the text says comes first, and all of it is valid."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from emulator.arguments import MOST_ITEMS, make_arguments

Schema = dict[str, Any]


def one(of: Schema, name: str = "x") -> Schema:
    """Parameters with one required property."""
    return {"type": "object", "properties": {name: of}, "required": [name]}


STRING: Schema = {"type": "string"}
UNIT: Schema = {"type": "string", "enum": ["celsius", "fahrenheit"]}


@pytest.mark.parametrize(
    ("schema", "text", "expected"),
    [
        (one(STRING, "city"), "What is the weather in Recife?", {"city": "Recife"}),
        (one(STRING, "city"), "Qual é o clima em São Paulo hoje?", {"city": "São Paulo"}),
        (one(STRING, "city"), "previsão para Rio de Janeiro", {"city": "Rio de Janeiro"}),
        (one(STRING, "city"), "city: Olinda, please", {"city": "Olinda"}),
        (one(STRING, "city"), "city is 'Porto Alegre'", {"city": "Porto Alegre"}),
        (one(UNIT, "unit"), "the weather in Fahrenheit", {"unit": "fahrenheit"}),
        (one(UNIT, "unit"), "the weather", {"unit": "celsius"}),
        (one({"enum": ["day", "night"]}, "when"), "at night", {"when": "night"}),
        (one({"const": 7}), "whatever", {"x": 7}),
        (one({"type": "integer"}, "days"), "for 5 days", {"days": 5}),
        (one({"type": "number"}), "about -2.5 degrees", {"x": -2.5}),
        (one({"type": "integer", "maximum": 3}), "for 5 or 2 days", {"x": 2}),
        (one({"type": "boolean"}, "verbose"), "verbose=false", {"verbose": False}),
        (one({"type": "boolean"}, "completo"), "completo: não", {"completo": False}),
        (one(STRING, "title"), 'Create the task "Buy milk"', {"title": "Buy milk"}),
        (one(STRING, "path"), "Read src/main.py please.", {"path": "src/main.py"}),
        (one(STRING, "arquivo"), "Leia o README.md.", {"arquivo": "README.md"}),
        (one(STRING, "directory"), "list /etc", {"directory": "/etc"}),
        (one(STRING, "file_path"), "open `a b.txt`", {"file_path": "a b.txt"}),
        (one(STRING, "command"), "run `ls -la`", {"command": "ls -la"}),
        (one(STRING, "url"), "fetch https://example.com/a?b=1 now", {"url": "https://example.com/a?b=1"}),
        (one(STRING, "email"), "write to ana@example.com.", {"email": "ana@example.com"}),
        (one({"type": "string", "format": "date"}), "on 2024-05-06", {"x": "2024-05-06"}),
        (one({"type": "string", "default": "d"}), "hello", {"x": "d"}),
        (one({"type": "string", "examples": ["e"]}), "hello", {"x": "e"}),
        (one(STRING, "query"), "litellm providers", {"query": "litellm providers"}),
        (one(STRING, "answer"), 'It is "31"', {"answer": 'It is "31"'}),
        (one({"type": "null"}), "hello", {"x": None}),
        (one({}, "x"), "x=5", {"x": 5}),
    ],
)
def test_a_parameter_is_taken_from_the_text(schema: Schema, text: str, expected: dict[str, Any]) -> None:
    assert make_arguments(schema, text) == expected


def test_two_parameters_do_not_get_the_same_value() -> None:
    schema = {"properties": {"a": STRING, "b": STRING, "n": {"type": "integer"}, "m": {"type": "integer"}}}
    made = make_arguments({**schema, "required": ["a", "b", "n", "m"]}, "'one' and 'two', 3 and 4")
    assert made == {"a": "one", "b": "two", "n": 3, "m": 4}


def test_a_path_and_a_content_are_told_apart() -> None:
    schema = {"properties": {"path": STRING, "content": STRING}, "required": ["path", "content"]}
    assert make_arguments(schema, 'Write "hello" to a.txt') == {"path": "a.txt", "content": "hello"}


def test_what_is_not_required_is_given_only_when_the_text_speaks_of_it() -> None:
    schema = {"properties": {"city": STRING, "unit": UNIT, "days": {"type": "integer"}, "note": STRING}}
    assert make_arguments(schema, "hello") == {}
    assert make_arguments(schema, "in celsius for 3 days") == {"unit": "celsius", "days": 3}


def test_a_string_stays_a_string_though_it_looks_like_a_number() -> None:
    assert make_arguments(one(STRING, "id"), "id=5") == {"id": "5"}


def test_nested_objects_and_arrays_are_filled() -> None:
    address = {"type": "object", "properties": {"street": STRING, "no": {"type": "integer"}}, "required": ["street"]}
    schema = one({"type": "array", "items": address, "minItems": 2}, "addresses")
    made = make_arguments(schema, "'First Street' and 'Second Street'")
    assert made == {"addresses": [{"street": "First Street"}, {"street": "Second Street"}]}


def test_parts_of_all_of_are_taken_together() -> None:
    part = {"properties": {"b": {"type": "integer"}}, "required": ["b"]}
    made = make_arguments({"properties": {"a": STRING}, "required": ["a"], "allOf": [part]}, "'x' 5")
    assert made == {"a": "x", "b": 5}


@pytest.mark.parametrize("keyword", ["anyOf", "oneOf"])
def test_the_first_branch_that_can_be_fulfilled_is_taken(keyword: str) -> None:
    schema = one({keyword: [{"not": {}}, {"type": "integer", "minimum": 3}, {"type": "null"}]})
    assert make_arguments(schema, "hello") == {"x": 3}


def test_references_are_followed_and_recursion_ends() -> None:
    node = {
        "type": "object",
        "properties": {"v": {"type": "integer"}, "children": {"type": "array", "items": {"$ref": "#/$defs/node"}}},
        "required": ["v", "children"],
    }
    schema = {**one({"$ref": "#/$defs/node"}), "$defs": {"node": node}}
    made = make_arguments(schema, "hello")
    assert Draft202012Validator(schema).is_valid(made)
    assert made["x"]["v"] == 1


@pytest.mark.parametrize(
    "schema",
    [
        {"type": 7},
        {"properties": 7},
        {"required": "x"},
        {"$ref": "#"},
        {"allOf": [{"$ref": "#/nowhere"}]},
        one({"$ref": "https://example.com/schema.json"}),
        one({"type": "string", "pattern": "[a-z]{9}$"}),
        one({"type": "string", "pattern": r"\p{L}+"}),
        one({"type": "integer", "minimum": 5, "maximum": 4}),
        one({"type": "array", "minItems": 10**9, "items": {"type": "string"}}),
        one({"type": "string", "minLength": 10**9}),
        one({"multipleOf": 1e-300, "minimum": 1e300}),
        one({"minimum": 1e999}),
        one({"multipleOf": 0.5, "minimum": 10**400}),
        one(True),  # type: ignore[arg-type]  # a schema may be a boolean
        one(False),  # type: ignore[arg-type]  # likewise
        {"properties": {"x": {"properties": {}}}, "required": ["x", "y"], "additionalProperties": False},
    ],
)
def test_a_schema_that_is_wrong_or_cannot_be_fulfilled_does_no_harm(schema: Schema) -> None:
    made = make_arguments(schema, "hello 'a' 5 x=1")
    assert isinstance(made, dict)
    assert len(json.dumps(made, allow_nan=False)) < 100 * MOST_ITEMS * 10


@pytest.mark.parametrize("depth", [50, 100, 200, 400, 2000])
def test_a_schema_of_great_depth_does_no_harm(depth: int) -> None:
    schema: Schema = {}
    for _ in range(depth):
        schema = one(schema)
    assert make_arguments(schema, "hello").keys() <= {"x"}


@pytest.mark.parametrize(("schema", "expected"), [(True, {"x": 1}), (False, {})])
def test_a_property_may_be_allowed_or_forbidden_as_such(schema: bool, expected: Schema) -> None:
    assert make_arguments({"properties": {"x": schema}}, "x=1") == expected


def lengths(shortest: int) -> st.SearchStrategy[Schema]:
    return st.fixed_dictionaries({}, optional={"minLength": st.integers(0, shortest), "maxLength": st.integers(30, 60)})


def typed(kind: str, **more: Any) -> Schema:
    return {"type": kind, **more}


LEAVES = st.one_of(
    lengths(25).map(lambda limits: typed("string", **limits)),
    st.sampled_from(["date", "date-time", "email", "uri", "uuid", "time", "ipv4", "hostname", "unknown"]).map(
        lambda name: typed("string", format=name)
    ),
    st.sampled_from(["^[a-z]+$", r"^\d{4}-\d{2}-\d{2}$", "^[A-Z]{3}-[0-9]+$", "^https?://", "^.{3,}$"]).map(
        lambda pattern: typed("string", pattern=pattern)
    ),
    st.tuples(st.sampled_from(["integer", "number"]), st.integers(-50, 50), st.integers(0, 50)).map(
        lambda drawn: typed(drawn[0], minimum=drawn[1], maximum=drawn[1] + drawn[2])
    ),
    st.tuples(st.sampled_from([2, 5, 0.5]), st.integers(-50, 50)).map(
        lambda drawn: typed("number", multipleOf=drawn[0], minimum=drawn[1])
    ),
    st.tuples(st.integers(-9, 9), st.integers(2, 9)).map(
        lambda drawn: typed("integer", exclusiveMinimum=drawn[0], exclusiveMaximum=drawn[0] + drawn[1])
    ),
    st.lists(st.text(max_size=5) | st.integers() | st.none(), min_size=1, unique_by=repr).map(lambda of: {"enum": of}),
    st.sampled_from([typed("boolean"), typed("null"), {"type": ["null", "integer"]}, {}, {"const": [1]}]),
)
NAMES = st.sampled_from(["city", "path", "query", "command", "date", "file_name", "unit", "Größe", "a b", "x"])


def deeper(inner: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    objects = st.dictionaries(NAMES, inner, max_size=4).flatmap(
        lambda properties: st.sets(st.sampled_from(sorted(properties)) if properties else st.nothing()).map(
            lambda required: {"type": "object", "properties": properties, "required": sorted(required)}
        )
    )
    arrays = st.tuples(inner, st.integers(0, 3)).map(lambda drawn: typed("array", items=drawn[0], minItems=drawn[1]))
    distinct = st.integers(0, 3).map(lambda n: typed("array", items=STRING, minItems=n, uniqueItems=True))
    return objects | arrays | distinct | st.lists(inner, min_size=1, max_size=3).map(lambda of: {"anyOf": of})


SCHEMAS = st.dictionaries(NAMES, st.recursive(LEAVES, deeper, max_leaves=8), max_size=4).map(
    lambda properties: {"type": "object", "properties": properties, "required": sorted(properties)[::2]}
)
WORDS = st.sampled_from(
    ["in Recife", "'quoted'", "5", "-2.5", "a/b.txt", "x=1", "city: Olinda", "https://e.com", "true"]
)
MESSAGES = st.lists(WORDS | st.text(max_size=10), max_size=8).map(" ".join)


@settings(max_examples=200)
@given(SCHEMAS, MESSAGES)
def test_made_arguments_are_valid_json_that_fits_the_schema(schema: Schema, text: str) -> None:
    made = make_arguments(schema, text)
    assert json.loads(json.dumps(made, allow_nan=False)) == made
    Draft202012Validator(schema).validate(made)


KEYWORDS = st.sampled_from(
    """
    type properties required items enum const anyOf allOf $ref $dynamicRef $schema $id minimum multipleOf pattern format
    minLength default examples additionalProperties x
    """.split()  # noqa: SIM905  # the list form takes a page
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | KEYWORDS
    | st.sampled_from(["#", "#/x", "a:b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYWORDS, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=300)
@given(st.dictionaries(KEYWORDS, VALUES, max_size=5), MESSAGES)
def test_no_schema_is_too_odd(schema: Schema, text: str) -> None:
    assert isinstance(make_arguments(schema, text), dict)


@given(SCHEMAS, MESSAGES)
def test_the_same_message_makes_the_same_arguments(schema: Schema, text: str) -> None:
    assert make_arguments(schema, text) == make_arguments(schema, text)
