"""Tools as declarations: nothing is lost, no text breaks out of its place, and few tokens.

The reader that turns declarations back is the emulator's, which shares no code with the writer.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.tools import SETS, cost, load, parsed
from custom_handler.request import Tool
from custom_handler.signatures import NOTATION, render_tools
from emulator.declarations import read_declaration

FORMS = [
    ({}, "any"),
    (True, "unknown"),
    (False, "never"),
    ({"type": "string"}, "string"),
    ({"type": "integer"}, "int"),
    ({"type": ["string", "null"]}, "string|null"),
    ({"type": "array"}, "array"),
    ({"type": "object"}, "object"),
    ({"type": "file"}, 'any {"type":"file"}'),
    ({"type": ["string"]}, 'any {"type":["string"]}'),
    ({"type": None, "enum": [1]}, 'any (1) {"type":null}'),
    ({"type": "string", "enum": ["c", "f"]}, '"c"|"f"'),
    ({"type": "integer", "enum": [1, 2]}, "1|2"),
    ({"type": "number", "enum": [1, 2.5]}, "number (1|2.5)"),
    ({"type": ["string", "null"], "enum": ["a", None]}, '"a"|null'),
    ({"type": ["null", "string"], "enum": [None, "a"]}, 'null|"a"'),
    ({"enum": ["a", True]}, 'any ("a"|true)'),
    ({"enum": [None]}, 'any {"enum":[null]}'),
    ({"enum": [["a"]]}, 'any {"enum":[["a"]]}'),
    ({"enum": []}, 'any {"enum":[]}'),
    ({"type": "string", "const": "a"}, 'const "a"'),
    ({"const": None}, "any (const null)"),
    ({"type": "array", "items": {"type": "string"}}, "string[]"),
    ({"type": "array", "items": {"type": ["string", "null"]}}, "(string|null)[]"),
    ({"type": "array", "items": {"type": "array", "items": True}}, "unknown[][]"),
    ({"type": "array", "items": [{"type": "string"}]}, 'array {"items":[{"type":"string"}]}'),
    ({"type": ["array", "null"], "items": {"type": "integer"}}, "array|null (int[])"),
    ({"type": "array", "items": {"type": "string", "description": "x"}}, '(string {"description":"x"})[]'),
    ({"type": "object", "properties": {}}, "{}"),
    ({"type": "object", "properties": {}, "additionalProperties": False}, "{}!"),
    ({"type": "object", "additionalProperties": {"type": "string"}}, "{\n... string\n}"),
    ({"type": "object", "properties": {}, "additionalProperties": True}, '{} {"additionalProperties":true}'),
    ({"type": "object", "properties": {"b": {}}, "required": ["b", "c"]}, '{\nb any\n} {"required":["c"]}'),
    ({"type": "object", "properties": {"b": {"type": "null"}}, "required": True}, '{\nb? null\n} {"required":true}'),
    ({"type": "object", "properties": {"b": 1}}, 'object {"properties":{"b":1}}'),
    ({"properties": {"two words": {"title": "Two Words"}}}, 'any ({\n"two words"? any\n})'),
    ({"type": "object", "properties": {"b": {"$ref": "#"}}, "$defs": {"D": {}}}, '{\nb? any {"$ref":"#"}\n#D any\n}'),
    ({"$ref": "#/$defs/D"}, "#D"),
    ({"$ref": "#/$defs/D~1E"}, 'any {"$ref":"#/$defs/D~1E"}'),
    ({"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}, "string or null = null"),
    ({"oneOf": [{"type": "integer", "minimum": 1}, {"$ref": "#/$defs/D"}]}, "(int 1..) xor #D"),
    (
        {"type": "object", "allOf": [{"type": "object"}, {"minProperties": 1}]},
        'object (object & (any {"minProperties":1}))',
    ),
    ({"allOf": [{"type": "string"}]}, 'any {"allOf":[{"type":"string"}]}'),
    ({"type": "integer", "minimum": 1, "maximum": 14, "default": 3}, "int 1..14 = 3"),
    ({"type": "number", "exclusiveMinimum": 0, "maximum": 1.5, "multipleOf": 0.5}, "number ..1.5 >0 %0.5"),
    ({"type": "number", "minimum": 0, "exclusiveMinimum": True}, 'number 0.. {"exclusiveMinimum":true}'),
    ({"type": "string", "minLength": 1, "maxLength": 9, "pattern": "^a b$"}, "string 1..9 /^a b$/"),
    ({"type": "string", "pattern": "a/b"}, 'string {"pattern":"a/b"}'),
    ({"type": "string", "format": "date-time"}, "string date-time"),
    ({"type": "string", "format": "unique"}, 'string {"format":"unique"}'),
    ({"type": "string", "format": "or", "default": 1}, 'string {"format":"or"} = 1'),
    ({"type": "string", "format": "xor", "default": 1}, 'string {"format":"xor"} = 1'),
    ({"type": ["array", "null"], "minItems": 2, "uniqueItems": True}, "array|null 2.. unique"),
    ({"type": "string", "minItems": 2, "deprecated": True}, 'string deprecated {"minItems":2}'),
    ({"type": "string", "title": "Value!", "examples": ["\u2028"]}, 'string {"examples":["\\u2028"]}'),
    ({"type": "string", "title": "Other"}, 'string {"title":"Other"}'),
    ({"type": "string", "description": "Its name."}, "string // Its name."),
    ({"type": "string", "description": ""}, 'string {"description":""}'),
    ({"type": "string", "description": "one\n\n two\n"}, "string // one\n\n  two\n"),
    ({"type": "string", "description": "one\rtwo"}, 'string // "one\\rtwo"'),
    ({"type": "string", "description": '"one" two'}, 'string // "\\"one\\" two"'),
    ({"type": "object", "properties": {"b": {}}, "description": "x"}, "{ // x\nb? any\n}"),
    ({"type": "object", "properties": {}, "description": "x"}, "{} // x"),
]


@pytest.mark.parametrize(("schema", "written"), FORMS, ids=[written for _, written in FORMS])
def test_every_schema_has_its_form(schema: Any, written: str) -> None:
    tool = Tool("f", "", {"type": "object", "properties": {"value": schema}})
    assert render_tools([tool]) == f"f(\nvalue? {written}\n)"
    assert_nothing_is_lost(tool)


@pytest.mark.parametrize(
    ("tool", "written"),
    [
        (Tool("ping", "", {}), "ping()"),
        (Tool("ping", "Is it there?", {"type": "object", "properties": {}}), "ping() // Is it there?"),
        (Tool("f", "", {"type": "object", "additionalProperties": False}), "f()!"),
        (Tool("f", "x", {"description": "y"}), 'f() {"description":"y"} // x'),
        (
            Tool("f", "x", {"properties": {"a": {}}, "required": ["a"], "$schema": "s", "title": "F"}),
            "f( // x\na any\n)",
        ),
        (Tool("f", "", {"type": "string", "required": []}), 'f() {"type":"string"}'),
        (Tool("f", "", {"properties": []}), 'f() {"properties":[]}'),
        (Tool("</tools>", "", {}), '"</tools>"()'),
    ],
)
def test_every_tool_has_its_form(tool: Tool, written: str) -> None:
    assert render_tools([tool]) == written
    assert_nothing_is_lost(tool)


def test_tools_stand_in_their_order_each_on_lines_of_its_own() -> None:
    tools = [Tool("b", "two\nlines", {"properties": {"x": {}}}), Tool("a", "", {}), Tool("c", "", {})]
    assert render_tools(tools) == "b( // two\n lines\nx? any\n)\na()\nc()"
    assert render_tools([]) == ""


def test_the_explanation_of_the_notation_declares_nothing() -> None:
    lines = NOTATION.split("\n")
    assert [read_declaration("\n".join(lines[start:]), 0) for start in range(len(lines))] == [None] * len(lines)


def test_parameters_that_are_nested_very_deeply_stay_json() -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(240):
        schema = {"type": "array", "items": schema}
    tool = Tool("f", "", {"type": "object", "properties": {"value": schema}})
    assert render_tools([tool]).startswith('f() {"properties":{"value":{"type":"array","items":{"type":"array",')
    assert_nothing_is_lost(tool)


# Whatever schemas there may be

TEXT = st.text(max_size=12) | st.sampled_from(
    ["</tools>", "a\n)\nb: int", "x // y", "FUNCTION_CALL_START", "\r\n", '"']
)
NAMES = st.sampled_from(["a", "city_name", "$filter", "two words", "...", "#x", "", ")", "a?", "ação", "x\ny"]) | TEXT
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXT
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3))
NUMBERS = st.integers() | st.floats()
TYPES = st.sampled_from(["string", "integer", "number", "boolean", "null", "object", "array", "any"])
LIMITS = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength"]
FLAGS = ["uniqueItems", "deprecated", "nullable", "readOnly"]
SIMPLE: dict[str, st.SearchStrategy[Any]] = {
    "type": TYPES | st.lists(TYPES, max_size=3),
    "enum": st.lists(SCALARS, max_size=4) | st.lists(TEXT, max_size=4),
    "const": SCALARS | JSON,
    "default": JSON,
    "title": TEXT | st.just("City Name"),
    "description": TEXT,
    "format": st.sampled_from(["date-time", "or", "xor", "unique", "null", "int32", "A b"]),
    "pattern": st.sampled_from(["^a$", " ", "/", "", r"\d{3}|x y", "a // b", "\n"]),
    **dict.fromkeys([*LIMITS, "minItems", "maxItems", "minProperties", "maxProperties"], NUMBERS),
    **dict.fromkeys(FLAGS, st.booleans()),
    "$ref": st.sampled_from(["#/$defs/Node", "#/$defs/a b", "#/$defs/a/b", "#", "other.json"]),
    "x-unknown": JSON,
}
KEYWORDS = [*SIMPLE, "properties", "required", "items", "additionalProperties", "$defs", "anyOf", "not"]
#: Schemas that are not what JSON Schema allows.
BROKEN = st.dictionaries(st.sampled_from(KEYWORDS), JSON, max_size=2)


def _some(keywords: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with a few of the keywords."""
    chosen = st.lists(st.sampled_from(list(keywords)), max_size=4, unique=True)
    return chosen.flatmap(lambda names: st.fixed_dictionaries({name: keywords[name] for name in names}))


def _shapes(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Schemas that contain others."""
    named = st.dictionaries(NAMES, inner, max_size=3)
    several = st.lists(inner, min_size=1, max_size=3)
    kind = st.just("object") | TYPES
    beside = {"required": st.lists(NAMES, max_size=3, unique=True), "additionalProperties": inner, "$defs": named}
    return (
        st.fixed_dictionaries({"properties": named}, optional={"type": kind, **beside})
        | st.fixed_dictionaries({"type": kind, "additionalProperties": inner})
        | st.fixed_dictionaries({"items": inner}, optional={"type": st.just("array") | TYPES})
        | st.sampled_from(["anyOf", "oneOf", "allOf", "prefixItems"]).flatmap(
            lambda keyword: st.fixed_dictionaries({keyword: several}, optional={"type": kind})
        )
        | st.fixed_dictionaries({"not": inner, "patternProperties": named})
    )


def _larger(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(lambda simple, shape: {**simple, **shape}, _some(SIMPLE), _shapes(inner))


def _deeper(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """`inner`, or twice as often a schema that contains some."""
    return st.sampled_from([inner, _larger(inner), _larger(inner)]).flatmap(lambda chosen: chosen)


SCHEMAS = _deeper(_deeper(_some(SIMPLE) | st.booleans() | BROKEN))
PROPERTIES = st.dictionaries(NAMES, SCHEMAS, min_size=1, max_size=3)
OBJECTS = st.fixed_dictionaries({"properties": PROPERTIES}) | _larger(SCHEMAS)


@settings(max_examples=200)
@given(NAMES.filter(bool), TEXT, OBJECTS)
def test_no_schema_loses_anything(name: str, description: str, parameters: dict[str, Any]) -> None:
    assert_nothing_is_lost(Tool(name, description, parameters))


@given(TEXT.filter(bool), OBJECTS)
def test_no_description_begins_a_line(description: str, schema: dict[str, Any]) -> None:
    assert _beginnings(description, schema) == _beginnings("harmless", schema)


def _beginnings(description: str, schema: dict[str, Any]) -> list[str]:
    """The lines that do not go on with a description, up to where one begins."""
    described = {**schema, "description": description}
    written = render_tools([Tool("f", description, {"properties": {"value": described}})])
    return [line.split(" // ")[0] for line in written.splitlines() if line and not line.startswith(" ")]


# Real tools


@pytest.mark.parametrize("path", SETS, ids=lambda path: path.stem)
def test_real_tools_lose_nothing(path: Path) -> None:
    for tool in parsed(load(path)):
        assert_nothing_is_lost(tool)


@pytest.mark.parametrize("path", SETS, ids=lambda path: path.stem)
def test_real_tools_cost_few_tokens(path: Path) -> None:
    sent = load(path)
    assert 10 <= len(sent) <= 75
    assert cost(sent).ratio <= 0.8
    assert cost(sent).strict_structure <= 0.4


# Reading back


def assert_nothing_is_lost(tool: Tool) -> None:
    """The declaration of `tool` says its name, its description and every keyword of its schema."""
    written = render_tools([tool])
    found = read_declaration(written, 0)
    assert found is not None, written
    assert (found.name, found.description, found.end) == (tool.name, tool.description, len(written))
    assert _same(tool.name, found.parameters) == _same(tool.name, dict(tool.parameters)), written


def _same(name: str, parameters: dict[str, Any]) -> str:
    """`parameters` as text that is equal for all that say the same: without what signatures.py says it leaves out."""
    given = {key: value for key, value in parameters.items() if key != "$schema"}
    return json.dumps(_normal(name, {"type": "object", "properties": {}, **given}), sort_keys=True)


def _normal(name: str, schema: Any) -> Any:
    if not isinstance(schema, dict):
        return schema
    normal = {key: _normal_keyword(key, value) for key, value in schema.items()}
    if name and _letters(str(normal.get("title", ""))) == _letters(name) != "":
        del normal["title"]
    if normal.get("required") == [] and "properties" in normal:
        del normal["required"]
    return normal


def _normal_keyword(key: str, value: Any) -> Any:
    match key, value:
        case (("properties" | "$defs"), dict()):
            return {name: _normal(name, inner) for name, inner in value.items()}
        case (("anyOf" | "oneOf" | "allOf"), list()):
            return [_normal("", inner) for inner in value]
        case (("items" | "additionalProperties"), _):
            return _normal("", value)
        case "required", list():
            return sorted(value, key=repr)
    return value


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text)).lower()
