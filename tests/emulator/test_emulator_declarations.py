"""Reading tools that are declared in the short form."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.declarations import Declaration, read_declaration

WEATHER = """\
get_weather( // Current weather.
 Of a city.

 And more.
city string 1..80 // Its name.
days? int 1..14 = 3
unit? "c"|"f" // "quoted\\nline"
places? { // One place.
lat number -90..90
}![] 1..5
#Node string or null
... unknown
) {"title":"Weather"}
next"""


def test_a_declaration_is_read_up_to_its_end() -> None:
    found = read_declaration(WEATHER, 0)
    assert found == Declaration(
        name="get_weather",
        description="Current weather.\nOf a city.\n\nAnd more.",
        parameters={
            "type": "object",
            "properties": {
                "city": {"type": "string", "minLength": 1, "maxLength": 80, "description": "Its name."},
                "days": {"type": "integer", "minimum": 1, "maximum": 14, "default": 3},
                "unit": {"type": "string", "enum": ["c", "f"], "description": "quoted\nline"},
                "places": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "description": "One place.",
                        "properties": {"lat": {"type": "number", "minimum": -90, "maximum": 90}},
                        "required": ["lat"],
                        "additionalProperties": False,
                    },
                    "minItems": 1,
                    "maxItems": 5,
                },
            },
            "required": ["city"],
            "$defs": {"Node": {"anyOf": [{"type": "string"}, {"type": "null"}]}},
            "additionalProperties": True,
            "title": "Weather",
        },
        end=WEATHER.index("\nnext"),
    )


@pytest.mark.parametrize(
    ("written", "schema"),
    [
        ("any", {}),
        ("unknown", True),
        ("any (never)", {}),
        ("string|null", {"type": ["string", "null"]}),
        ('any ("a"|1|null)', {"enum": ["a", 1, None]}),
        ("const 5", {"type": "integer", "const": 5}),
        (
            "(string date)[][]",
            {"type": "array", "items": {"type": "array", "items": {"type": "string", "format": "date"}}},
        ),
        ("#Node xor (int >0)", {"oneOf": [{"$ref": "#/$defs/Node"}, {"type": "integer", "exclusiveMinimum": 0}]}),
        ("number %0.5 deprecated", {"type": "number", "multipleOf": 0.5, "deprecated": True}),
        ("string /^a b$/ = {}", {"type": "string", "pattern": "^a b$", "default": {}}),
        ('{} {"required":["a"]}', {"type": "object", "properties": {}, "required": ["a"]}),
    ],
)
def test_every_form_of_a_schema_is_read(written: str, schema: Any) -> None:
    found = read_declaration(f"f(\nx? {written}\n)", 0)
    assert found is not None
    assert found.parameters["properties"] == {"x": schema}


@pytest.mark.parametrize(
    "text",
    [
        "FUNCTION_CALL_START",
        "get_weather() is a function",
        "get_weather(city)",
        "f(\nx strange\n)",
        "f(\nx string",
        "f(\nx: string\n)",
        'f() {"broken',
        'f() // "broken',
        "f(\nx " + "(" * 5000,
        "",
    ],
)
def test_what_is_no_declaration_is_none(text: str) -> None:
    assert read_declaration(text, 0) is None


PIECES = st.sampled_from(
    [*WEATHER.split("\n"), "f(", ")", "x ", "string", "any (", '{"required":7}', " = 1", "\n", "\n)"]
)


@given(st.lists(PIECES | st.text(max_size=5), max_size=12).map("".join))
def test_no_text_is_too_odd_to_be_read(text: str) -> None:
    found = read_declaration(text, 0)
    assert found is None or found.end <= len(text)
