"""Arguments as the schema wants them, where their meaning is beyond doubt.

Only a value that does not fit is touched, and only a rewriting that then fits is kept; everything else stays as the
model wrote it. Unions are tried branch by branch, and a value of a type that some branch takes keeps its type. A bare
value becomes a list of one, but not within a list: [1, 2] for a list of lists may mean [[1], [2]] or [[1, 2]].
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn

from custom_handler.schema_keywords import kind_of, matches
from custom_handler.schema_validator import Schema, choices, unions
from custom_handler.schema_work import spend

_DEEPEST = 24
_LONGEST_NUMBER = 400  # digits; Python itself refuses to read integers of more than 4,300
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?P<fraction>\.[0-9]+)?(?P<exponent>[eE][+-]?[0-9]+)?")
_BOOLEANS = {"true": True, "false": False}


class WrittenFloat(float):
    """A float that remembers its digits: 1.10 is the version "1.10" once a string is wanted.

    For `json.loads(text, parse_float=WrittenFloat)`; `json.dumps` writes it like any float, orjson refuses it.
    """

    __slots__ = ("text",)

    def __new__(cls, text: str) -> WrittenFloat:
        number = super().__new__(cls, text)
        number.text = text
        return number

    text: str


class Coercion:
    """Fits values to the parts of one schema. Its methods are called inside `limited_work`."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema

    def fit(self, value: Any, schema: Any, depth: int = 0, *, is_item: bool = False) -> Any:
        """`value` itself where it fits or nothing helps; else a copy with everything rewritten that could be.

        Args:
            value: what the model wrote.
            schema: what it has to fit.
            depth: how deep within the arguments it stands.
            is_item: it stands in a list that the model wrote.
        """
        if depth > _DEEPEST or self._schema.fits(value, schema):
            return value
        parts = self._schema.parts(schema)
        inside = self._inside(value, parts, depth)
        if inside is not value and self._schema.fits(inside, schema):
            return inside
        candidates = self._candidates(inside, schema, parts, depth, is_item=is_item)
        return next((candidate for candidate in candidates if self._schema.fits(candidate, schema)), inside)

    def _candidates(
        self, value: Any, schema: Any, parts: list[dict[str, Any]], depth: int, *, is_item: bool
    ) -> Iterator[Any]:
        """What `value` may have been meant to be, the closest first."""
        kinds = self._schema.kinds(schema)
        if kind_of(value) in kinds:
            yield from _enumerated(value, parts)
        else:
            for rewritten in conversions(value, kinds):
                wraps = isinstance(rewritten, list) and any(item is value for item in rewritten)
                if wraps and (is_item or not self._has_room(value, parts)):
                    continue
                yield rewritten
                yield from _enumerated(rewritten, parts)
                yield self._inside(rewritten, parts, depth, are_items=not wraps)
        for branch in self._branches(value, parts):
            yield self.fit(value, branch, depth + 1, is_item=is_item)

    def _has_room(self, value: Any, parts: list[dict[str, Any]]) -> bool:
        """Whether a list may have `value` as its item: nobody means an object by one item of a list of texts."""
        if not isinstance(value, dict):
            return True
        return all("object" in self._schema.kinds(schema) for schema in _item_schemas(parts, 0))

    def _branches(self, value: Any, parts: list[dict[str, Any]]) -> Iterator[Any]:
        """The alternatives to try: those that take the type of `value`, if any do."""
        for part in parts:
            for branches in unions(part):
                yield from [b for b in branches if kind_of(value) in self._schema.kinds(b)] or branches

    def _inside(self, value: Any, parts: list[dict[str, Any]], depth: int, *, are_items: bool = True) -> Any:
        """`value` with its properties or items fitted; the same object where none changed."""
        if isinstance(value, dict):
            return self._object(value, parts, depth)
        if isinstance(value, list):
            items = ((item, _item_schemas(parts, at)) for at, item in enumerate(value))
            fitted = [self._child(item, schemas, depth, is_item=are_items) for item, schemas in items]
            return fitted if any(new is not old for new, old in zip(fitted, value, strict=True)) else value
        return value

    def _child(self, value: Any, schemas: list[Any], depth: int, *, is_item: bool = False) -> Any:
        if not schemas:
            return value
        return self.fit(value, schemas[0] if len(schemas) == 1 else {"allOf": schemas}, depth + 1, is_item=is_item)

    def _object(self, value: dict[str, Any], parts: list[dict[str, Any]], depth: int) -> dict[str, Any]:
        # Nulls that may go do so first: another spelling of the name may have the value.
        given = {name: item for name, item in value.items() if item is not None or not self._may_go(name, parts)}
        names = _renamings(given, parts)
        fitted = {}
        for name, item in given.items():
            new_name = names.get(name, name)
            new = self._child(item, _property_schemas(parts, new_name), depth)
            if new is not None or not self._may_go(new_name, parts):
                fitted[new_name] = new
        same = len(fitted) == len(value) and all(name in value and value[name] is new for name, new in fitted.items())
        return value if same else fitted

    def _may_go(self, name: str, parts: list[dict[str, Any]]) -> bool:
        """Whether a null of this name only says that an optional property is not given."""
        optional = name in _declared(parts) and name not in _required(parts)
        return optional and not all(self._schema.fits(None, schema) for schema in _property_schemas(parts, name))


def _declared(parts: list[dict[str, Any]]) -> set[str]:
    return {name for part in parts for name in part.get("properties", ())}


def _required(parts: list[dict[str, Any]]) -> set[str]:
    return {name for part in parts for name in part.get("required", ())}


def _property_schemas(parts: list[dict[str, Any]], name: str) -> list[Any]:
    """Every schema that a property of this name has to fit."""
    found = []
    for part in parts:
        own = [part["properties"][name]] if name in part.get("properties", ()) else []
        own += [schema for source, schema in part.get("patternProperties", {}).items() if matches(source, name)]
        rest = part.get("additionalProperties")
        found += own or ([rest] if isinstance(rest, dict) else [])
    return found


def _item_schemas(parts: list[dict[str, Any]], index: int) -> list[Any]:
    """Every schema that the item at `index` has to fit; before draft 2020-12 a list of `items` meant `prefixItems`."""
    found = []
    for part in parts:
        items = part.get("items")
        prefix, rest = (items, part.get("additionalItems")) if isinstance(items, list) else ([], items)
        prefix = part.get("prefixItems", prefix)
        found.append(prefix[index] if index < len(prefix) else rest)
    return [schema for schema in found if isinstance(schema, dict)]


def _renamings(value: Mapping[str, Any], parts: list[dict[str, Any]]) -> dict[str, str]:
    """Undeclared names → the declared names they were meant to be.

    Only where that mends an error: the declared one is required, or the undeclared one is refused.
    """
    declared = _declared(parts)
    missing = [name for name in declared if name not in value]
    extra = [name for name in value if not _property_schemas(parts, name)] if missing else []
    refused = any(part.get("additionalProperties") is False for part in parts)
    count = Counter(map(_spelling, extra)) + Counter(map(_spelling, missing))
    wanted = {_spelling(name): name for name in missing if refused or name in _required(parts)}
    same = {name: wanted[_spelling(name)] for name in extra if _spelling(name) in wanted}
    return {name: new for name, new in same.items() if count[_spelling(name)] == 2}  # one of each: beyond doubt


def _spelling(name: str) -> str:
    """What `filePath`, `file_path` and `File-Path` have in common."""
    return re.sub("[-_]", "", name).casefold()


def _enumerated(value: Any, parts: list[dict[str, Any]]) -> Iterator[Any]:
    """The one enumerated text that differs from `value` only in case or in white space around it."""
    if isinstance(value, str):
        for part in parts:
            same = [c for c in choices(part) or () if isinstance(c, str) and _plain(c) == _plain(value)]
            if len(same) == 1:
                yield same[0]


def _plain(text: str) -> str:
    return text.strip().casefold()


# From one type to another


def conversions(value: Any, kinds: frozenset[str]) -> Iterator[Any]:
    """What `value`, whose type is not among the wanted `kinds`, may mean in them. Null means nothing else."""
    convert = _CONVERSIONS.get(kind_of(value))
    if convert is not None:
        spend()
        yield from convert(value, kinds)


def _from_text(value: str, kinds: frozenset[str]) -> Iterator[Any]:
    text = value.strip()
    if kinds & {"integer", "number"}:
        yield from _number(text)
    if "boolean" in kinds and text.lower() in _BOOLEANS:
        yield _BOOLEANS[text.lower()]
    if "null" in kinds and text == "null":
        yield None
    if kinds & {"object", "array"} and text:
        yield from _structure(value, text, kinds)


def _number(text: str) -> Iterator[int | float]:
    match = _NUMBER.fullmatch(text) if len(text) <= _LONGEST_NUMBER else None
    if match is None:
        return
    whole, fraction, exponent = text[: match.start("fraction")], match["fraction"], match["exponent"]
    if not fraction and not exponent:
        yield int(text)
    elif not exponent and not fraction.strip(".0"):
        yield int(whole)
    elif abs(number := float(text)) != float("inf"):
        yield from _from_float(number, frozenset({"integer"}))
        yield number


def _structure(value: str, text: str, kinds: frozenset[str]) -> Iterator[Any]:
    """JSON within a string, or a string that was to be the only item of an array."""
    structured = text[0] in "[{"
    read = _read(text) if structured else None
    if read is not None and kind_of(read) in kinds:
        yield read
    # What begins like JSON and is none is broken: nobody knows what it was to be. An array is the one that is wanted.
    if "array" in kinds and (isinstance(read, dict) or not structured):
        yield [value]


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _read(text: str) -> Any:
    """The JSON value in `text`, or None."""
    try:
        return json.loads(text, parse_constant=_no_constant, parse_float=WrittenFloat)
    except (ValueError, RecursionError):
        return None


def _from_float(value: float, kinds: frozenset[str]) -> Iterator[Any]:
    # Beyond 2**53 a float no longer says which integer was written.
    if "integer" in kinds and value.is_integer() and abs(value) <= 2**53:
        yield int(value)
    yield from _from_scalar(value, kinds)


def _from_scalar(value: Any, kinds: frozenset[str]) -> Iterator[Any]:
    if "string" in kinds:
        yield value.text if isinstance(value, WrittenFloat) else as_text(value)
    if "array" in kinds:
        yield [value]


def _from_object(value: dict[str, Any], kinds: frozenset[str]) -> Iterator[Any]:
    if "array" in kinds:
        yield [value]
    if "string" in kinds:
        yield as_text(value)


def _from_array(value: list[Any], kinds: frozenset[str]) -> Iterator[Any]:
    if len(value) == 1 and not isinstance(value[0], list):
        if kind_of(value[0]) in kinds:
            yield value[0]
        elif not isinstance(value[0], dict):
            yield from conversions(value[0], kinds)
    # The JSON of a file, say. Of other arrays nobody knows whether JSON, lines or words were meant.
    if "string" in kinds and value and all(isinstance(item, dict) for item in value):
        yield as_text(value)


def as_text(value: Any) -> str:
    """`value` as compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


_CONVERSIONS: Mapping[str, Callable[[Any, frozenset[str]], Iterator[Any]]] = {
    "string": _from_text,
    "integer": _from_scalar,
    "number": _from_float,
    "boolean": _from_scalar,
    "object": _from_object,
    "array": _from_array,
}
