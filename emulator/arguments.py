"""Arguments for a tool, made from what the user said and from the tool's schema (pure).

For every value there is a list of candidates, the best first; the first one that the schema accepts is taken.
"""

import json
import math
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain
from typing import Any

from emulator.evidence import Evidence
from emulator.schemas import Schema, fits, usable
from emulator.words import fold, stems

MOST_ITEMS = 50
"""Items made for an array at most, whatever its schema asks for."""

MOST_CHARACTERS = 10_000
"""Characters made for a string at most."""

_TYPES_BY_KEYWORD = {
    "properties": "object",
    "required": "object",
    "items": "array",
    "minItems": "array",
    "minimum": "number",
    "maximum": "number",
    "multipleOf": "number",
}
_SPOKEN = stems("answer content description input message note prompt query question result summary task text title")
_ANSWERS = stems("answer result response summary")
_PATHS = stems("directory file filename path")
_COMMANDS = stems("command cmd script")
_KINDS_BY_WORD = {"url": "url", "link": "url", "uri": "url", "email": "email", "date": "date"}
_KINDS_BY_FORMAT = {"uri": "url", "url": "url", "email": "email", "date": "date", "date-time": "date-time"}
_SAMPLES = {
    "date": "2025-01-31",
    "date-time": "2025-01-31T12:00:00Z",
    "email": "ana@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "time": "12:00:00Z",
    "uri": "https://example.com/",
    "uuid": "123e4567-e89b-42d3-a456-426614174000",
}
_PATTERN_SAMPLES = ("a", "A", "1", "abc", "ABC", "a1", "A1", "ABC-123", "abc-def", "1.0.0", "12:00", "#a1b2c3")
_BOOLEANS = {"true": True, "yes": True, "sim": True, "false": False, "no": False, "nao": False}


def make_arguments(parameters: Schema, text: str) -> dict[str, Any]:
    """Arguments that fit `parameters`, taken from `text` as far as it says something.

    A property that is not required is given only when the text speaks of it. The result is valid, unless the
    schema is no JSON Schema, cannot be fulfilled, or asks for a pattern that none of a few samples has.
    """
    try:
        return _Maker(text).properties(_merged({**usable(parameters), "type": "object"}))
    except RecursionError:
        return {}


class _Maker:
    def __init__(self, text: str) -> None:
        self._text = text
        self._evidence = Evidence(text)

    def properties(self, schema: Schema) -> dict[str, Any]:
        """An object with every required property, and with those that the text speaks of."""
        properties: dict[str, Any] = schema.get("properties", {})
        others = schema.get("additionalProperties", {})
        made = {name: self.value(name, properties.get(name, others)) for name in schema.get("required", [])}
        for name, of_property in properties.items():
            if name not in made:
                made.update((name, value) for value in _first(self._evident(name, of_property), of_property))
        return made

    def value(self, name: str, schema: object) -> Any:
        """The best value for the property `name`; its name when nothing fits."""
        schema = _merged(schema)
        candidates = chain(self._evident(name, schema), self._guessed(name, schema), self._invented(name, schema))
        return next(_first(candidates, schema), name)

    def _evident(self, name: str, schema: object) -> Iterator[Any]:
        """What the text says of this very property."""
        schema = _merged(schema)
        for value in self._evidence.named(name):
            yield from _readings(value)
        yield from (value for value in _choices(schema) if self._evidence.mentions(value))
        for kind in _kinds(name, schema):
            yield from self._evidence.take(kind, lambda value: fits(value, schema))
        if {"integer", "number"} & set(_types(schema)):
            yield from map(_number, self._evidence.take("number", lambda value: fits(_number(value), schema)))

    def _guessed(self, name: str, schema: Schema) -> Iterator[Any]:
        """What the text says and could be meant, then what the schema proposes."""
        if "string" in _types(schema):
            if stems(name) & _ANSWERS:
                yield self._text.strip()
            for kind in ("quoted", "place"):
                yield from self._evidence.take(kind, lambda value: fits(value, schema))
        if "default" in schema:
            yield schema["default"]
        yield from schema.get("examples", [])
        yield from _choices(schema)

    def _invented(self, name: str, schema: Schema) -> Iterator[Any]:
        for keyword in ("anyOf", "oneOf"):
            beside = {key: value for key, value in schema.items() if key != keyword}
            for branch in schema.get(keyword, []):
                yield self.value(name, {"allOf": [beside, branch]})
        for kind in _types(schema):
            yield from self._of_type(kind, name, schema)

    def _of_type(self, kind: str, name: str, schema: Schema) -> Iterator[Any]:
        match kind:
            case "string":
                yield from _strings(name, schema, self._text)
            case "integer" | "number":
                yield from _numbers(schema)
            case "boolean":
                yield from (True, False)
            case "array":
                yield from self._arrays(name, schema)
            case "object":
                yield self.properties(schema)
            case _:
                yield None

    def _arrays(self, name: str, schema: Schema) -> Iterator[list[Any]]:
        count = min(max(1, schema.get("minItems", 0)), MOST_ITEMS)
        items = schema.get("items", {})
        yield [self.value(name, items) for _ in range(count)]
        # The same again and again will not do where items must differ.
        yield _choices(_merged(items))[:count]
        yield [f"{name} {number}" for number in range(1, count + 1)]
        yield list(range(1, count + 1))
        yield []


def _first(candidates: Iterable[Any], schema: object) -> Iterator[Any]:
    """The first candidate that fits, if there is one."""
    for candidate in candidates:
        if fits(candidate, schema):
            yield candidate
            return


def _merged(schema: object) -> Schema:
    """`schema` with the parts of its `allOf` taken in; a schema that is `true` or `false` says nothing."""
    if not isinstance(schema, dict):
        return {}
    merged = {key: value for key, value in schema.items() if key != "allOf"}
    for part in map(_merged, schema.get("allOf", [])):
        properties = {**merged.get("properties", {}), **part.get("properties", {})}
        required = [*merged.get("required", []), *part.get("required", [])]
        merged |= part
        if properties:
            merged["properties"] = properties
        if required:
            merged["required"] = list(dict.fromkeys(required))
    return merged


def _choices(schema: Schema) -> list[Any]:
    """The values that a schema spells out."""
    if "const" in schema:
        return [schema["const"]]
    return list(schema.get("enum", []))


def _types(schema: Schema) -> list[str]:
    """The types that a schema allows or lets one guess, `null` last; string when nothing tells."""
    given = schema.get("type", [])
    types = [given] if isinstance(given, str) else list(given)
    if not types:
        types = [kind for keyword, kind in _TYPES_BY_KEYWORD.items() if keyword in schema][:1] or ["string"]
    return sorted(types, key=lambda kind: kind == "null")


def _kinds(name: str, schema: Schema) -> Iterator[str]:
    """The kinds of evidence that a property of this name and format is about."""
    if "string" not in _types(schema):
        return
    if kind := _KINDS_BY_FORMAT.get(schema.get("format", "")):
        yield kind
    words = stems(name)
    yield from (kind for word, kind in _KINDS_BY_WORD.items() if stems(word) & words)
    if words & _PATHS:
        yield from ("path", "quoted")


def _readings(value: str) -> Iterator[Any]:
    """What a written value may mean: a boolean, JSON, or itself."""
    if (word := fold(value)) in _BOOLEANS:
        yield _BOOLEANS[word]
    with suppress(ValueError, RecursionError):
        yield json.loads(value)
    yield value


def _number(text: str) -> int | float:
    return float(text) if "." in text else int(text)


def _numbers(schema: Schema) -> Iterator[float]:
    """1 and 0 if they fit, else something at the edges of what is allowed."""
    low = _given(schema, 0, "minimum", "exclusiveMinimum")
    high = _given(schema, 0, "maximum", "exclusiveMaximum")
    step = _given(schema, 1, "multipleOf")
    yield from (1, 0)
    # Python reads 1e999 as infinity, which is not JSON; and its integers can be too large for a division.
    with suppress(OverflowError):
        yield from filter(math.isfinite, (low, low + 1, high, high - 1, (low + high) / 2))
        yield from (math.ceil(low / step) * step, math.floor(high / step) * step)
        yield from ((math.ceil(low / step) + 1) * step, (math.floor(high / step) - 1) * step)


def _given(schema: Schema, default: float, *keywords: str) -> float:
    """The value of the first keyword that the schema has."""
    return next((schema[keyword] for keyword in keywords if keyword in schema), default)


def _strings(name: str, schema: Schema, text: str) -> Iterator[str]:
    """A string that suits the name, then anything that may fit the pattern and the length."""
    words = stems(name)
    plausible = [_SAMPLES[schema["format"]]] if schema.get("format") in _SAMPLES else []
    if words & _PATHS:
        plausible.append("README.md")
    if words & _COMMANDS:
        plausible.append("ls")
    if words & _SPOKEN and text.strip():
        plausible.append(text.strip())
    shortest = min(schema.get("minLength", 0), MOST_CHARACTERS)
    longest = schema.get("maxLength", MOST_CHARACTERS)
    for candidate in (*plausible, name, *_SAMPLES.values(), *_PATTERN_SAMPLES):
        yield candidate
        yield candidate[:longest].ljust(shortest, "x")
    yield from ("", "1" * shortest, "A" * shortest)
