"""Arguments against a tool's schema: what is coerced, what is left alone, and what the model is told."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from jsonschema.validators import extend

from custom_handler import schema_work
from custom_handler.schema import Checked, check
from custom_handler.schema_coercion import WrittenFloat

INTEGER, NUMBER, STRING, BOOLEAN, NULL = ({"type": t} for t in ("integer", "number", "string", "boolean", "null"))
OBJECT: dict[str, Any] = {"type": "object"}
UNITS = {"enum": ["celsius", "fahrenheit"]}
POINT = {"type": "object", "properties": {"x": INTEGER, "y": INTEGER}, "required": ["x"]}
SHAPE = {
    "oneOf": [
        {"type": "object", "properties": {"kind": {"const": "circle"}, "r": NUMBER}, "required": ["kind", "r"]},
        {"type": "object", "properties": {"kind": {"const": "square"}, "a": NUMBER}, "required": ["kind", "a"]},
    ]
}


def array(items: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def any_of(*branches: Mapping[str, Any]) -> dict[str, Any]:
    return {"anyOf": list(branches)}


def tool(value: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """The parameters of a tool with one required property, `v`."""
    return {"type": "object", "properties": {"v": value}, "required": ["v"], **more}


def written(value: Any) -> str:
    """Tells 5, 5.0, true and "5" apart, which `==` does not."""
    return json.dumps(value)


COERCED = {
    "digits for an integer": (INTEGER, "5", 5),
    "digits with white space": (INTEGER, " -5\n", -5),
    "an integral text for an integer": (INTEGER, "5.0", 5),
    "a power of ten for an integer": (INTEGER, "1e3", 1000),
    "more digits than a float holds": (INTEGER, "12345678901234567890.0", 12345678901234567890),
    "zero": (INTEGER, "0", 0),
    "an integral float for an integer": (INTEGER, 5.0, 5),
    "digits for a number": (NUMBER, "5", 5),
    "a fraction for a number": (NUMBER, "-2.50", -2.5),
    "a power of ten for a number": (NUMBER, "1e3", 1000),
    "true as text": (BOOLEAN, "true", True),
    "false as Python writes it": (BOOLEAN, " False ", False),
    "null as text": ({"type": ["integer", "null"]}, "null", None),
    "an integer for a string": (STRING, 5, "5"),
    "a float for a string": (STRING, 2.5, "2.5"),
    "a float as it was written": (STRING, WrittenFloat("1.10"), "1.10"),
    "a boolean for a string": (STRING, True, "true"),
    "an object for a string": (STRING, {"a": [1, "é"]}, '{"a":[1,"é"]}'),
    "objects for a string": (STRING, [{"a": 1}, {}], '[{"a":1},{}]'),
    "one text in an array for a string": (STRING, ["a"], "a"),
    "one number in an array for a string": (STRING, [5], "5"),
    "one text in an array for an integer": (INTEGER, ["5"], 5),
    "one object in an array for an object": (POINT, [{"x": 1}], {"x": 1}),
    "an object as text": (POINT, ' {"x": 1} ', {"x": 1}),
    "an object as text with text in it": (POINT, '{"x": "1"}', {"x": 1}),
    "an array as text": (array(INTEGER), "[1, 2]", [1, 2]),
    "an array as text with text in it": (array(INTEGER), '["1", 2]', [1, 2]),
    "a bare text for an array": (array(STRING), "a", ["a"]),
    "a bare integer for an array": (array(INTEGER), 5, [5]),
    "a bare digit for an array of integers": (array(INTEGER), "5", [5]),
    "a bare integer for an array of texts": (array(STRING), 5, ["5"]),
    "a bare object for an array": (array(POINT), {"x": "1"}, [{"x": 1}]),
    "a bare object as text for an array": (array(POINT), '{"x": 1}', [{"x": 1}]),
    "a bare object as text for an array of texts": (array(STRING), '{"x": 1}', ['{"x": 1}']),
    "a bare text in an object in an array": (array({**OBJECT, "properties": {"p": array(STRING)}}),
                                             [{"p": "x"}], [{"p": ["x"]}]),
    "a bare integer for an array of arrays": (array(array(INTEGER)), 5, [[5]]),
    "arrays as text in an array": (array(array(INTEGER)), ["[1, 2]", "[]"], [[1, 2], []]),
    "texts in arrays in an array": (array(array(INTEGER)), [["1"], [2]], [[1], [2]]),
    "another case of an enumerated text": (UNITS, "Celsius", "celsius"),
    "white space around an enumerated text": (UNITS, " celsius\n", "celsius"),
    "another case of a constant": ({"const": "GET"}, "get", "GET"),
    "digits for an enumerated integer": ({"enum": [1, 2]}, "2", 2),
    "an integer for an enumerated text": ({"enum": ["1", "2"]}, 2, "2"),
    "a boolean for an enumerated text": ({"enum": ["True", "False"]}, True, "True"),
    "null for an optional property": (POINT, {"x": 1, "y": None}, {"x": 1}),
    "another case of a required name": (POINT, {"X": 1}, {"x": 1}),
    "camel case for a required name": ({**OBJECT, "required": ["file_path"], "properties": {"file_path": STRING}},
                                       {"filePath": 1}, {"file_path": "1"}),
    "null beside another spelling that has the value": ({**OBJECT, "properties": {"file_path": STRING},
                                                        "additionalProperties": False},
                                                       {"file_path": None, "filePath": "a"}, {"file_path": "a"}),
    "another name where others are refused": ({**OBJECT, "properties": {"dry-run": BOOLEAN},
                                                "additionalProperties": False},
                                              {"dry_run": "true"}, {"dry-run": True}),
    "inside objects and arrays": (array({**OBJECT, "properties": {"p": array(POINT)}}),
                                  [{"p": [{"x": "1"}, {"x": 2}]}], [{"p": [{"x": 1}, {"x": 2}]}]),
    "values of free names": ({**OBJECT, "additionalProperties": INTEGER}, {"a": "1", "b": 2}, {"a": 1, "b": 2}),
    "values of names by pattern": ({**OBJECT, "patternProperties": {"^n_": INTEGER}}, {"n_a": "1", "b": "2"},
                                   {"n_a": 1, "b": "2"}),
    "the first places of an array": ({"type": "array", "prefixItems": [INTEGER, STRING], "items": BOOLEAN},
                                     ["1", 2, "true"], [1, "2", True]),
    "a type list": ({"type": ["integer", "boolean"]}, "true", True),
    "a union": (any_of(INTEGER, NULL), "5", 5),
    "a union of structures": (any_of(array(INTEGER), POINT), "5", [5]),
    "the alternative that its kind tells": (SHAPE, {"kind": "square", "a": "2.5"}, {"kind": "square", "a": 2.5}),
    "an alternative as text": (SHAPE, '{"kind": "circle", "r": 1}', {"kind": "circle", "r": 1}),
    "an enumeration or null": (any_of(UNITS, NULL), "CELSIUS", "celsius"),
    "all of several schemas": ({"allOf": [INTEGER, {"minimum": 1}]}, "5", 5),
    "a property of several schemas": ({"allOf": [{"properties": {"x": NUMBER}},
                                                 {"properties": {"x": {"minimum": 1}}}], **OBJECT},
                                      {"x": "2"}, {"x": 2}),
    "beside what cannot be mended": (POINT, {"x": "1", "y": "?"}, {"x": 1, "y": "?"}),
}  # fmt: skip


@pytest.mark.parametrize(("schema", "value", "expected"), COERCED.values(), ids=COERCED)
def test_harmless_differences_are_coerced(schema: dict[str, Any], value: Any, expected: Any) -> None:
    checked = check({"v": value}, tool(schema))
    assert written(checked.arguments) == written({"v": expected})
    assert checked.changed


LEFT_ALONE = {
    "digits in a string": (STRING, "5"),
    "true in a string": (STRING, "true"),
    "an object's JSON in a string": (STRING, '{"a": 1}'),
    "an array's JSON in a string": (STRING, '["a"]'),
    "white space in a string": (STRING, " a "),
    "an empty string": (STRING, ""),
    "a number in a union of both": (any_of(STRING, INTEGER), 5),
    "digits in a union of both": (any_of(INTEGER, STRING), "5"),
    "an object in a union of both": (any_of(STRING, OBJECT), {"a": 1}),
    "anything where no type is named": ({}, "5"),
    "an integral float for a number": (NUMBER, 5.0),
    "null where it is allowed": (any_of(INTEGER, NULL), None),
    "null where OpenAPI allows it": ({"type": "integer", "nullable": True}, None),
    "null where OpenAPI allows it in an enumeration": ({**UNITS, "nullable": True}, None),
    "a text within its bounds": ({"type": "string", "minLength": 1, "maxLength": 1}, "é"),
    "an array of one array": (array(array(STRING)), [["a"]]),
    "another spelling of an optional name": ({**OBJECT, "properties": {"file_path": STRING}}, {"filePath": "a"}),
    "names that nobody declared": (POINT, {"x": 1, "z": "5"}),
    "a default that is not given": ({**OBJECT, "properties": {"n": {"type": "integer", "default": 1}}}, {}),
    "a text of another format": ({"type": "string", "format": "date"}, "today"),
}


@pytest.mark.parametrize(("schema", "value"), LEFT_ALONE.values(), ids=LEFT_ALONE)
def test_what_fits_is_left_alone(schema: dict[str, Any], value: Any) -> None:
    checked = check({"v": value}, tool(schema))
    assert written(checked.arguments) == written({"v": value})
    assert (checked.problems, checked.changed) == ((), False)


PROBLEMS = {
    "no number": (INTEGER, "abc", 'v: found string "abc", expected integer.'),
    "an empty text for a number": (NUMBER, "", 'v: found string "", expected number.'),
    "an empty text for an enumeration": (UNITS, "", 'v: found string "", expected one of "celsius", "fahrenheit".'),
    "an empty text for an array": (array(STRING), "", 'v: found string "", expected array of string.'),
    "a fraction for an integer": (INTEGER, 5.5, "v: found number 5.5, expected integer."),
    "a fraction as text for an integer": (INTEGER, "5.5", 'v: found string "5.5", expected integer.'),
    "a leading zero": (INTEGER, "007", 'v: found string "007", expected integer.'),
    "a decimal comma": (NUMBER, "5,5", 'v: found string "5,5", expected number.'),
    "a unit": (NUMBER, "5 kg", 'v: found string "5 kg", expected number.'),
    "beyond all numbers": (NUMBER, "1e999", 'v: found string "1e999", expected number.'),
    "infinite": (NUMBER, "Infinity", 'v: found string "Infinity", expected number.'),
    "a large float for an integer": (INTEGER, 1e300, "v: found number 1e+300, expected integer."),
    "yes for a boolean": (BOOLEAN, "sim", 'v: found string "sim", expected boolean.'),
    "a number for a boolean": (BOOLEAN, 1, "v: found integer 1, expected boolean."),
    "a boolean for a number": (INTEGER, True, "v: found boolean true, expected integer."),
    "null for a required property": (STRING, None, "v: found null, expected string."),
    "null for an array": (array(STRING), None, "v: found null, expected array of string."),
    "several texts for a string": (STRING, ["a", "b"], 'v: found array ["a", "b"], expected string.'),
    "no text for a string": (STRING, [], "v: found array [], expected string."),
    "an array in an array for a string": (STRING, [["a"]], 'v: found array [["a"]], expected string.'),
    "an object for an array of texts": (array(STRING), {"a": 1}, 'v: found object {"a": 1}, expected array of string.'),
    "bare integers for an array of arrays": (array(array(INTEGER)), [[1], 2],
                                             "v[1]: found integer 2, expected array of integer."),
    "bare integers for an array of arrays, as text": (array(array(INTEGER)), "[1, 2]",
                                                      'v: found string "[1, 2]", expected array of array of integer.'),
    "a bare text in a union for an array of arrays": (array(any_of(array(STRING), OBJECT)), ["a"],
                                           'v[0]: found string "a", expected array of string or object.'),
    "a broken array as text": (array(STRING), '["a"', 'v: found string "[\\"a\\"", expected array of string.'),
    "a text that is no object": (OBJECT, "a", 'v: found string "a", expected object.'),
    "a text with NaN in it": (OBJECT, '{"a": NaN}', 'v: found string "{\\"a\\": NaN}", expected object.'),
    "two that differ in case only": ({"enum": ["a", "A"]}, "a ", 'v: found string "a ", expected one of "a", "A".'),
    "another value": ({"const": 1}, 2, "v: found integer 2, expected 1."),
    "a bound": ({"type": "integer", "minimum": 1, "maximum": 9}, "0",
                'v: found string "0", expected integer, at least 1, at most 9.'),
    "a bound that another type would not have": ({"minimum": 5}, 3,
                                                 "v: found integer 3, expected a value, at least 5."),
    "a bound within a union": (any_of({"type": "integer", "minimum": 5}, STRING), 3,
                               "v: found integer 3, expected integer, at least 5."),
    "a length": ({"type": "string", "minLength": 3}, "ab",
                 'v: found string "ab", expected string, at least 3 characters.'),
    "too long": ({"type": "string", "maxLength": 1}, "ab",
                 'v: found string "ab", expected string, at most 1 characters.'),
    "a property that must not be": ({"properties": {"a": False}, "required": ["a"]}, {},
                                    "v.a: missing, expected nothing."),
    "a pattern": ({"type": "string", "pattern": "^a+$"}, "b",
                  'v: found string "b", expected string, matching the regular expression "^a+$".'),
    "a number of items": ({**array(STRING), "maxItems": 1}, ["a", "b"],
                          'v: found array ["a", "b"], expected array of string, at most 1 items.'),
    "a nested value": (array(POINT), [{"x": 1}, {"x": "?"}], 'v[1].x: found string "?", expected integer.'),
    "a missing property": (array(POINT), [{"y": 1}], "v[0].x: missing, expected integer."),
    "a missing property of any type": ({**OBJECT, "required": ["a"]}, {}, "v.a: missing, expected a value."),
    "a name that needs quotes": ({"properties": {"a b": INTEGER}}, {"a b": "?"},
                                 'v["a b"]: found string "?", expected integer.'),
    "a refused name": ({**POINT, "additionalProperties": False}, {"x": 1, "z": 5},
                       "v.z: not declared, expected only x, y."),
    "a refused name where nothing is declared": ({**OBJECT, "additionalProperties": False}, {"z": 5},
                                                 "v.z: not declared, expected no property."),
    "two spellings of one name": (POINT, {"X": 1, "x_": 2}, "v.x: missing, expected integer."),
    "no type of a union": (any_of(INTEGER, NULL), "a", 'v: found string "a", expected integer or null.'),
    "no value of a union": (any_of({"const": "a"}, {"const": "b"}), "c", 'v: found string "c", expected "a" or "b".'),
    "one alternative's property": (SHAPE, {"kind": "square", "a": "?"}, 'v.a: found string "?", expected number.'),
    "a kind that no alternative has": (SHAPE, {"kind": "line", "a": "?"},
                                       'v.kind: found string "line", expected one of "circle", "square".'),
    "more than one alternative": ({"oneOf": [INTEGER, NUMBER]}, 5,
                                  "v: found integer 5, expected a value that fits exactly one of the alternatives."),
    "a value that is forbidden": ({"not": STRING}, "a",
                                  'v: found string "a", expected a value that passes not: {"type": "string"}.'),
    "a place where nothing may be": ({"type": "array", "prefixItems": [False]}, [1],
                                     "v: found integer 1, expected no such value."),
}  # fmt: skip


@pytest.mark.parametrize(("schema", "value", "problem"), PROBLEMS.values(), ids=PROBLEMS)
def test_what_is_in_doubt_is_told(schema: dict[str, Any], value: Any, problem: str) -> None:
    checked = check({"v": value}, tool(schema))
    assert checked.problems == (problem,)
    assert written(checked.arguments) == written({"v": value})
    assert not checked.changed


def test_a_number_keeps_its_digits_where_a_string_is_wanted() -> None:
    arguments = json.loads('{"v": 1.10, "w": 1.10}', parse_float=WrittenFloat)
    assert written(check(arguments, tool(STRING)).arguments) == '{"v": "1.10", "w": 1.1}'


def test_a_missing_argument_is_told() -> None:
    assert check({}, tool(any_of(STRING, NULL))).problems == ("v: missing, expected null or string.",)


def test_an_array_of_one_object_is_a_text_with_its_brackets() -> None:
    assert check({"v": [{"a": 1}]}, tool(STRING)).arguments == {"v": '[{"a":1}]'}


# What agents add


@pytest.mark.parametrize("name", ["step_id", "tool_execution_id"])
@pytest.mark.parametrize("schema", [tool(STRING), tool(STRING, additionalProperties=False), {}])
def test_what_agents_add_is_dropped(name: str, schema: dict[str, Any]) -> None:
    assert check({"v": "a", name: "1"}, schema) == Checked({"v": "a"}, (), changed=True)


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"step_id": STRING}},
        {"required": ["step_id"]},
        {"additionalProperties": STRING},
        {"patternProperties": {"_id$": STRING}},
        {"allOf": [{"properties": {"step_id": STRING}}]},
        {"anyOf": [{"oneOf": [{"required": ["step_id"]}]}, {}]},
        {"$ref": "#/$defs/a", "$defs": {"a": {"properties": {"step_id": STRING}}}},
    ],
)
def test_what_the_schema_declares_is_kept(schema: dict[str, Any]) -> None:
    assert check({"step_id": "1"}, schema) == Checked({"step_id": "1"}, (), changed=False)


# References and recursion

TREE = {
    "$ref": "#/$defs/node",
    "$defs": {"node": {**OBJECT, "properties": {"n": INTEGER, "next": any_of({"$ref": "#/$defs/node"}, NULL)}}},
}


def test_references_are_followed_to_every_depth_that_somebody_writes() -> None:
    given, expected = {"n": "0"}, {"n": 0}
    for n in range(1, 8):
        given, expected = {"n": str(n), "next": given}, {"n": n, "next": expected}  # type: ignore[dict-item]
    assert check(given, TREE) == Checked(expected, (), changed=True)


def test_arguments_of_endless_depth_pass_unchecked() -> None:
    given: dict[str, Any] = {"n": "0"}
    for _ in range(400):
        given = {"next": given}
    assert check(given, TREE) == Checked(given, (), changed=False)


DOUBLING = {f"d{n}": any_of({"$ref": f"#/$defs/d{n + 1}"}, {"$ref": f"#/$defs/d{n + 1}"}) for n in range(40)}

UNUSABLE = {
    "no type of JSON": tool({"type": "any"}),
    "no schema at all": {"properties": 5},
    "not JSON": {"properties": {"v": {"enum": [object()]}}},
    "refers to itself": {"$ref": "#"},
    "unions of itself": {"anyOf": [{"$ref": "#"}, {"$ref": "#"}]},
    "refers to nothing": tool({"$ref": "#/$defs/gone"}),
    "refers to no schema": {**tool({"$ref": "#/x/0"}), "x": [5]},
    "refers to a type that JSON has not": {**tool({"$ref": "#/x"}), "x": {"type": "any"}},
    "work without end": {**tool({"$ref": "#/$defs/d0"}), "$defs": {**DOUBLING, "d40": False}},
    "wants no object": {"type": "string"},
    "refers to what is no address": tool({"$ref": "http://["}),
    "refers to an index of an object": {**tool({"$ref": "#/x/a"}), "x": [5]},
    "an infinite bound": tool({"type": "integer", "minimum": float("inf")}),
    "an older draft than 4": {**tool({"type": "any"}), "$schema": "http://json-schema.org/draft-03/schema#"},
    "invalid in the draft that it names": {
        **tool({"type": "integer", "exclusiveMinimum": True}),
        "$schema": "https://json-schema.org/draft/2020-12/schema",
    },
}


@pytest.mark.parametrize("schema", UNUSABLE.values(), ids=UNUSABLE)
def test_an_unusable_schema_leaves_arguments_unchecked(schema: dict[str, Any]) -> None:
    given = {"v": "5", "step_id": 1}
    assert check(given, schema) == Checked(given, (), changed=False)


def test_a_schema_nested_without_end_leaves_arguments_unchecked() -> None:
    schema: dict[str, Any] = {}
    for _ in range(5_000):
        schema = {"items": schema}
    assert check({"v": "5"}, schema) == Checked({"v": "5"}, (), changed=False)


@pytest.mark.parametrize("keyword", ["$ref", "$schema", "$id", "$dynamicRef"])
def test_nothing_is_ever_fetched(keyword: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/schema"
        check({"v": "5"}, tool({keyword: url}))
        check({"v": "5"}, {keyword: url, **tool(INTEGER)})
        with pytest.raises(BlockingIOError):
            server.accept()


# Dialects


@pytest.mark.parametrize("draft", ["draft-04", "draft-06", "draft-07", "draft/2019-09", "draft/2020-12"])
def test_every_draft_from_4_on_is_read(draft: str) -> None:
    for start in ("http://", "https://"):
        for end in ("schema", "schema#"):
            schema = {**tool(INTEGER), "$schema": f"{start}json-schema.org/{draft}/{end}"}
            assert check({"v": "5"}, schema) == Checked({"v": 5}, (), changed=True)


@pytest.mark.parametrize("dialect", [{}, {"$schema": "http://json-schema.org/draft-04/schema#"}])
def test_bounds_as_draft_4_writes_them_are_kept(dialect: dict[str, str]) -> None:
    schema = {**tool({"type": "integer", "minimum": 1, "exclusiveMinimum": True}), **dialect}
    assert check({"v": 1}, schema).problems
    assert check({"v": "2"}, schema) == Checked({"v": 2}, (), changed=True)


def test_a_reference_that_is_no_text_is_left_out() -> None:
    schema = {**tool({"$ref": 5, "type": "integer"}), "$schema": "http://json-schema.org/draft-04/schema#"}
    assert check({"v": "?"}, schema).problems == ()


def test_places_of_an_array_as_draft_7_writes_them_are_coerced() -> None:
    schema = tool({"type": "array", "items": [INTEGER, STRING], "additionalItems": BOOLEAN})
    assert check({"v": ["1", 2, "true"]}, schema) == Checked({"v": [1, "2", True]}, (), changed=True)


def test_a_dialect_named_further_down_changes_nothing() -> None:
    inner = {"$schema": "http://json-schema.org/draft-07/schema#", "type": "integer", "nullable": True}
    assert check({"v": None}, tool(inner)) == Checked({"v": None}, (), changed=False)
    assert check({"v": "5"}, tool(inner)) == Checked({"v": 5}, (), changed=True)


def test_a_schema_that_its_owner_changes_is_read_anew() -> None:
    schema = tool(INTEGER)
    assert check({"v": "5"}, schema).changed
    schema["properties"]["v"] = STRING
    assert not check({"v": "5"}, schema).changed


# Bounds of the work


@pytest.mark.parametrize(
    "pattern", ["^(a+)+$", "^(a|a)*$", r"\p{L}", "^(?:a?){30}a{30}b", "a*" * 20 + "b", "(", "[[a]"]
)
def test_a_pattern_that_may_take_too_long_or_cannot_be_read_is_left_out(pattern: str) -> None:
    assert check({"v": "a" * 40 + "!"}, tool({"type": "string", "pattern": pattern})).problems == ()


@pytest.mark.parametrize("pattern", ["^(a+)+$", r"\p{L}"])
def test_a_name_that_such_a_pattern_may_declare_is_not_refused(pattern: str) -> None:
    schema = {"patternProperties": {pattern: INTEGER}, "additionalProperties": False}
    assert check({"a" * 40 + "!": "5"}, schema).problems == ()


def test_a_long_array_of_objects_is_not_compared_pair_by_pair() -> None:
    items = [{"a": 1}] * 1_000
    schema = tool({"type": "array", "uniqueItems": True})
    assert check({"v": items[:2]}, schema).problems
    assert check({"v": items}, schema).problems == ()


def test_a_value_too_large_to_check_passes_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema_work, "MOST_WORK", 1_000)
    given = {"v": ["a"] * 1_100}
    assert check(given, tool(array(STRING))) == Checked(given, (), changed=False)


def test_a_number_too_large_to_divide_passes_as_it_is() -> None:
    given = {"v": 10**400}
    assert check(given, tool({"type": "integer", "multipleOf": 0.1})) == Checked(given, (), changed=False)


def test_of_a_value_too_large_to_coerce_the_first_problems_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema_work, "MOST_WORK", 1_000)
    checked = check({"v": ["5"] * 1_100}, tool(array(INTEGER)))
    assert checked.problems[0] == 'v[0]: found string "5", expected integer.'
    assert not checked.changed


# The sentences


def test_at_most_five_problems_are_told() -> None:
    checked = check({"v": ["?"] * 9}, tool(array(INTEGER)))
    assert checked.problems == tuple(f'v[{at}]: found string "?", expected integer.' for at in range(5))


def test_problems_together_stay_within_six_hundred_characters() -> None:
    schema = tool({**OBJECT, "additionalProperties": {"enum": ["e" * 100, "f" * 100]}})
    problems = check({"v": {letter * 60: "x" * 60 for letter in "abcde"}}, schema).problems
    assert 1 < len(problems) < 5
    assert len("".join(problems)) <= 600


def test_one_problem_is_told_once() -> None:
    schema = {"type": "object", "required": ["a", "b"], "allOf": [{"required": ["a"]}]}
    assert check({}, schema).problems == ("a: missing, expected a value.", "b: missing, expected a value.")


def test_long_values_schemas_and_paths_are_cut() -> None:
    name = "n" * 500
    schema = tool({"properties": {name: {"enum": ["e" * 500] * 1 + ["f" * 500]}}})
    (problem,) = check({"v": {name: "x" * 5_000}}, schema).problems
    assert len(problem) < 350
    assert problem.startswith("…nnn")
    assert ': found string "xxx' in problem


def test_half_characters_are_mended_in_a_problem() -> None:
    (problem,) = check({"v": "\ud83d"}, tool(INTEGER)).problems
    assert problem == 'v: found string "\ufffd", expected integer.'


# Whatever comes

NAMES = st.sampled_from(["a", "b", "file_path", "filePath", "x y"])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | st.sampled_from(["5", " 5.0 ", "true", "null", "RED", '{"a": 1}', '["a"]', "[1", "1e3", ""])
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=8
)
ARGUMENTS = st.dictionaries(NAMES, VALUES, max_size=3)

LEAVES = st.sampled_from(
    [
        *({"type": kind} for kind in ("integer", "number", "string", "boolean", "null", "array", "object")),
        {"type": ["integer", "null"]},
        {"type": ["string", "boolean"]},
        {"enum": ["red", "green", 5, None]},
        {"const": "red"},
        {"type": "integer", "minimum": 3},
        {"type": "string", "minLength": 2, "pattern": "^[a-z]*$"},
        {"$ref": "#"},
        {"$ref": "#/$defs/d"},
        {},
        True,
        False,
    ]
)


def larger(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return objects(inner) | st.one_of(
        st.builds(array, inner),
        st.builds(lambda some: {"anyOf": some}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda some: {"oneOf": some}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda some: {"allOf": some}, st.lists(inner, min_size=1, max_size=2)),
        st.builds(lambda some: {"prefixItems": some, "items": some[0]}, st.lists(inner, min_size=1, max_size=2)),
    )


def objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {"type": st.just("object"), "properties": st.dictionaries(NAMES, inner, max_size=3)},
        optional={
            "required": st.lists(NAMES, max_size=2, unique=True),
            "additionalProperties": st.booleans() | inner,
            "patternProperties": st.dictionaries(st.sampled_from(["^a", "path$"]), inner, max_size=1),
        },
    )


SCHEMAS = st.recursive(LEAVES, larger, max_leaves=8)
PARAMETERS = st.builds(lambda root, d: {**root, "$defs": {"d": d}}, objects(SCHEMAS), SCHEMAS)


STRICT_TYPES = Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _, value: type(value) is int)
STRICT: Any = extend(Draft202012Validator, type_checker=STRICT_TYPES)  # type: ignore[no-untyped-call]


def fits(value: Any, schema: Mapping[str, Any]) -> bool:
    """What jsonschema itself says, but that no float is an integer; where a reference goes in circles, nothing."""
    try:
        return not list(STRICT(schema).iter_errors(value))
    except RecursionError:
        reject()


@given(ARGUMENTS, PARAMETERS)
def test_arguments_that_fit_are_returned_unchanged(arguments: dict[str, Any], schema: dict[str, Any]) -> None:
    if fits(arguments, schema):
        checked = check(arguments, schema)
        assert written(checked.arguments) == written(arguments)
        assert (checked.problems, checked.changed) == ((), False)


@given(ARGUMENTS, PARAMETERS)
def test_arguments_fit_in_the_end_exactly_if_there_is_no_problem(
    arguments: dict[str, Any], schema: dict[str, Any]
) -> None:
    checked = check(arguments, schema)
    assert (not checked.problems) == fits(checked.arguments, schema)


@given(ARGUMENTS, PARAMETERS)
def test_a_second_check_changes_nothing_more(arguments: dict[str, Any], schema: dict[str, Any]) -> None:
    first = check(arguments, schema)
    assert check(first.arguments, schema) == Checked(first.arguments, first.problems, changed=False)


@given(ARGUMENTS, PARAMETERS)
def test_changed_says_whether_anything_differs(arguments: dict[str, Any], schema: dict[str, Any]) -> None:
    before = written(arguments)
    checked = check(arguments, schema)
    assert checked.changed == (written(checked.arguments) != before)
    assert written(arguments) == before


@given(ARGUMENTS, PARAMETERS)
def test_problems_are_short_and_can_be_sent(arguments: dict[str, Any], schema: dict[str, Any]) -> None:
    problems = check(arguments, schema).problems
    assert len(problems) <= 5
    assert len("".join(problems).encode("utf-8").decode()) <= 600


KEYWORDS = st.sampled_from(
    [*Draft202012Validator.VALIDATORS, "$defs", "$id", "$schema", "$anchor", "default", "nullable", "definitions"]
)
ANYTHING = st.recursive(
    SCALARS | st.sampled_from(["#", "#/$defs/a", "integer", "object", "^a", "(", "http://127.0.0.1:1/"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYWORDS | NAMES, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(NAMES | st.just("step_id"), VALUES, max_size=3), st.dictionaries(KEYWORDS, ANYTHING, max_size=5))
def test_nothing_that_looks_like_a_schema_is_an_error(arguments: dict[str, Any], schema: dict[str, Any]) -> None:
    checked = check(arguments, schema)
    assert checked.changed == (written(checked.arguments) != written(arguments))
