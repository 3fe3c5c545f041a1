"""A client's JSON Schema as something to ask: does this value fit, and where not.

Schemas come from outside, so what jsonschema does with them is bounded: nothing is ever fetched, the work of one
check has a limit, and whatever a broken schema makes the library raise becomes `UncheckedError`. Left out are `format`
(an annotation since draft 2019-09), `unevaluatedItems` and `unevaluatedProperties` (their cost has no bound), a
`pattern` whose search may take too long, and `uniqueItems` of long arrays (objects are compared pair by pair).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

import jsonschema
from jsonschema.exceptions import SchemaError, UnknownType, ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import Schema as JsonSchema
from referencing.jsonschema import specification_with

from custom_handler import schema_pattern

#: Keywords that one check may evaluate: some 1,000 objects of ten properties each.
MOST_WORK = 50_000
#: How many steps of a regular expression weigh as much as a keyword.
_STEPS_A_KEYWORD = 1_000
_LONGEST_UNIQUE = 256
_MOST_PARTS = 32
_DEEPEST_UNION = 8
_LEFT_OUT = frozenset({"format", "unevaluatedItems", "unevaluatedProperties"})

# In Python a boolean is an integer too, so it comes first.
_TYPES = {"boolean": bool, "integer": int, "number": float, "string": str, "array": list, "object": dict}
KINDS = frozenset({*_TYPES, "null"})

# A `$ref` may lead to what no metaschema has looked at; then jsonschema raises nearly anything.
_BROKEN_SCHEMA = (
    Unresolvable,
    UnknownType,
    AttributeError,
    TypeError,
    ValueError,
    LookupError,
    ArithmeticError,
    RecursionError,
)

_Keyword = Callable[[Any, Any, Any, Any], Iterator[ValidationError] | None]


class UncheckedError(Exception):
    """The schema cannot be used: it is not JSON Schema, refers to what is not there, or recurses without end."""


class TooMuchWorkError(UncheckedError):
    """The limit of work was reached."""


class _Work:
    def __init__(self) -> None:
        self._left = float(MOST_WORK)

    def spend(self, amount: float) -> None:
        self._left -= amount
        if self._left < 0:
            raise TooMuchWorkError(f"more than {MOST_WORK} keywords to evaluate")


# jsonschema hands its keyword functions nothing in which a counter of ours could travel.
_work: ContextVar[_Work] = ContextVar("_work")


@contextmanager
def limited_work() -> Iterator[None]:
    """Inside, at most `MOST_WORK` is done, and what jsonschema raises over a broken schema is `UncheckedError`.

    Raises:
        UncheckedError: see there. `TooMuchWorkError` when only the limit was reached.
    """
    token = _work.set(_Work())
    try:
        yield
    except _BROKEN_SCHEMA as exc:
        raise UncheckedError(f"the schema cannot be used: {type(exc).__name__}") from exc
    finally:
        _work.reset(token)


def spend(amount: float = 1) -> None:
    """Count `amount` of work.

    Raises:
        TooMuchWorkError: the limit is reached.
    """
    _work.get().spend(amount)


def matches(source: str, text: str) -> bool | None:
    """Whether the regular expression `source` is found in `text`; None when it is better not searched."""
    pattern = schema_pattern.read(source)
    if pattern is None or (steps := pattern.steps(len(text))) > schema_pattern.MOST_STEPS:
        return None
    spend(steps / _STEPS_A_KEYWORD)
    return pattern.compiled.search(text) is not None


def kind_of(value: Any) -> str:
    """The JSON type of `value`. Only an `int` is an `integer`: clients in typed languages refuse 5.0 for one."""
    return next((name for name, python_type in _TYPES.items() if isinstance(value, python_type)), "null")


# Keywords of our own


def _pattern(_: Any, source: str, instance: Any, __: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and matches(source, instance) is False:
        yield ValidationError("does not match")


def _pattern_properties(validator: Any, patterns: Any, instance: Any, _: Any) -> Iterator[ValidationError]:
    if isinstance(instance, dict):
        for source, subschema in patterns.items():
            for name in instance:
                if matches(source, name):
                    yield from validator.descend(instance[name], subschema, path=name, schema_path=source)


def undeclared(instance: Mapping[str, Any], schema: Mapping[str, Any]) -> list[str]:
    """The names in `instance` that neither `properties` nor `patternProperties` of `schema` declare."""
    properties, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    # A pattern that is better not searched may declare any name.
    return [n for n in instance if n not in properties and all(matches(source, n) is False for source in patterns)]


def _additional_properties(validator: Any, rest: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, dict) and rest is not True:
        names = undeclared(instance, schema)
        if rest is False and names:
            yield ValidationError("not declared")
        elif rest is not False:
            for name in names:
                yield from validator.descend(instance[name], rest, path=name)


def _counted(name: str, keyword: _Keyword) -> _Keyword:
    def count(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError] | None:
        spend()
        if name == "uniqueItems" and isinstance(instance, list) and len(instance) > _LONGEST_UNIQUE:
            return None
        if name in {"type", "enum"} and instance is None and schema.get("nullable") is True:
            return None  # OpenAPI's way to allow null
        return keyword(validator, value, instance, schema)

    return count


def _is_integer(_: Any, instance: Any) -> bool:
    return kind_of(instance) == "integer"


_OWN: Mapping[str, _Keyword] = {
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
}


def _bounded(dialect: Any) -> Any:
    keywords = {**dialect.VALIDATORS, **_OWN}
    ours = {n: (lambda *_: None) if n in _LEFT_OUT else _counted(n, keyword) for n, keyword in keywords.items()}
    types = dialect.TYPE_CHECKER.redefine("integer", _is_integer)
    return extend(dialect, ours, type_checker=types)  # type: ignore[no-untyped-call]  # its stub has no types


# Newest first: a schema that does not say what it is written in is read as the newest dialect that allows it.
_DIALECTS: Mapping[str, tuple[Any, Any]] = {
    dialect.META_SCHEMA["$schema"].rstrip("#"): (dialect, _bounded(dialect))
    for dialect in (
        jsonschema.Draft202012Validator,
        jsonschema.Draft201909Validator,
        jsonschema.Draft7Validator,
        jsonschema.Draft6Validator,
        jsonschema.Draft4Validator,
    )
}
_NOTHING_TO_FETCH: Registry[JsonSchema] = Registry()


class Schema:
    """One usable schema. Its methods are called inside `limited_work`."""

    def __init__(self, root: Any, validator: Validator, dialect_id: str) -> None:
        self.root = root
        self._validator = validator
        resource = specification_with(dialect_id).create_resource(root)
        self._resolver = _NOTHING_TO_FETCH.resolver_with_root(resource)

    def errors(self, value: Any) -> Iterator[ValidationError]:
        """What is wrong with `value`, as it is found."""
        return self._validator.iter_errors(value)

    def fits(self, value: Any, schema: Any) -> bool:
        """Whether `value` fits `schema`, which is this one or a part of it."""
        spend()
        return self._validator.evolve(schema=schema).is_valid(value)

    def parts(self, schema: Any) -> list[dict[str, Any]]:
        """The schemas that all hold where `schema` does: itself, and what its `$ref` and `allOf` add."""
        found: list[dict[str, Any]] = []
        waiting = [schema]
        while waiting and len(found) < _MOST_PARTS:
            part = waiting.pop(0)
            if isinstance(part, dict) and not any(part is other for other in found):
                found.append(part)
                waiting.extend(part.get("allOf", ()))
                if isinstance(part.get("$ref"), str):
                    waiting.append(self._resolver.lookup(part["$ref"]).contents)
        return found

    def kinds(self, schema: Any, depth: int = 0) -> frozenset[str]:
        """The types of value that `schema` may accept."""
        spend()
        if schema is False:
            return frozenset()
        if depth > _DEEPEST_UNION:
            return KINDS
        kinds = KINDS
        for part in self.parts(schema):
            kinds &= _own_kinds(part)
            for branches in unions(part):
                kinds &= frozenset().union(*(self.kinds(branch, depth + 1) for branch in branches))
        return kinds


def unions(part: Mapping[str, Any]) -> list[list[Any]]:
    """The lists of alternatives in one schema."""
    return [part[keyword] for keyword in ("anyOf", "oneOf") if keyword in part]


def choices(part: Mapping[str, Any]) -> list[Any] | None:
    """The values that one schema enumerates, or None."""
    return [part["const"]] if "const" in part else part.get("enum")


def _own_kinds(part: Mapping[str, Any]) -> frozenset[str]:
    kinds, named = KINDS, part.get("type")
    if named is not None:
        kinds = frozenset([named] if isinstance(named, str) else named)
        kinds |= {"integer"} if "number" in kinds else set()
    values = choices(part)
    if values is not None:
        kinds &= {kind_of(value) for value in values}
    return kinds | {"null"} if part.get("nullable") is True else kinds


def compiled(parameters: Mapping[str, Any]) -> Schema:
    """`parameters` of a tool as a schema; remembered for the next call.

    Raises:
        UncheckedError: it is not JSON Schema of draft 4 or later.
    """
    try:
        # The text is the key: a mapping's identity says nothing, since its owner may change it or free it.
        schema = _compiled(json.dumps(parameters))
    except (TypeError, ValueError, RecursionError) as exc:
        raise UncheckedError("the schema is not JSON") from exc
    if schema is None:
        raise UncheckedError("the schema is not valid JSON Schema")
    return schema


@lru_cache(maxsize=256)
def _compiled(text: str) -> Schema | None:
    declared = json.loads(text).get("$schema")
    root = json.loads(text, object_hook=_without_dialect)
    known = [str(declared).rstrip("#")] if str(declared).rstrip("#") in _DIALECTS else list(_DIALECTS)
    for dialect_id in known:
        dialect, bounded = _DIALECTS[dialect_id]
        if _is_valid_schema(dialect, root):
            return Schema(root, bounded(root, registry=_NOTHING_TO_FETCH), dialect_id)
    return None


def _without_dialect(schema: dict[str, Any]) -> dict[str, Any]:
    """Leave out `$schema`: wherever jsonschema meets it, it would go on with its own validator in place of ours."""
    return {name: value for name, value in schema.items() if name != "$schema" or not isinstance(value, str)}


def _is_valid_schema(dialect: Any, root: Any) -> bool:
    try:
        dialect.check_schema(root, format_checker=None)  # what `re` cannot read is no fault of the schema
    except (SchemaError, re.error, RecursionError):
        return False
    return True
