"""A client's JSON Schema as something to ask: does this value fit, where not, and what would.

Nothing is ever fetched: a schema that refers to another address is not usable.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import jsonschema
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.protocols import Validator
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import Schema as JsonSchema
from referencing.jsonschema import specification_with

from custom_handler.schema_keywords import KINDS, REFERENCES, bounded, kind_of
from custom_handler.schema_work import UncheckedError, spend

_MOST_PARTS = 32
_DEEPEST_UNION = 8

# Newest first: a schema that does not say what it is written in is read as the newest dialect that allows it.
_DIALECTS: Mapping[str, tuple[Any, Any]] = {
    dialect.META_SCHEMA["$schema"].rstrip("#"): (dialect, bounded(dialect))
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

    def __init__(self, root: Any, validator: Validator, resolver: Any) -> None:
        self.root = root
        self._validator = validator
        self._resolver = resolver

    def errors(self, value: Any) -> Iterator[ValidationError]:
        """What is wrong with `value`, as it is found."""
        return self._validator.iter_errors(value)

    def fits(self, value: Any, schema: Any) -> bool:
        """Whether `value` fits `schema`, which is this one or a part of it."""
        spend()
        return self._validator.evolve(schema=schema).is_valid(value)

    def parts(self, schema: Any) -> list[dict[str, Any]]:
        """The schemas that all hold where `schema` does: itself, and what its `$ref` and `allOf` add."""
        spend()
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
        schema = _compiled(json.dumps(dict(parameters), allow_nan=False))
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
    return next((schema for dialect_id in known if (schema := _read(dialect_id, root))), None)


def _read(dialect_id: str, root: Any) -> Schema | None:
    """`root` as a schema of this dialect, or None if it is none, or what it refers to is none."""
    dialect, bounded_dialect = _DIALECTS[dialect_id]
    try:
        _check_schema(dialect, root)
        resolver = _NOTHING_TO_FETCH.resolver_with_root(specification_with(dialect_id).create_resource(root))
        for reference in _references(root):
            _check_schema(dialect, resolver.lookup(reference).contents)
    except (SchemaError, Unresolvable, LookupError, TypeError, ValueError, RecursionError):
        return None  # `lookup` lets through what an odd pointer or address makes Python raise
    return Schema(root, bounded_dialect(root, registry=_NOTHING_TO_FETCH), resolver)


def _check_schema(dialect: Any, schema: Any) -> None:
    dialect.check_schema(schema, format_checker=None)  # what `re` cannot read is no fault of the schema


def _without_dialect(schema: dict[str, Any]) -> dict[str, Any]:
    """Leave out `$schema`: wherever jsonschema meets it, it would go on with its own validator in place of ours."""
    return {name: value for name, value in schema.items() if name != "$schema" or not isinstance(value, str)}


def _references(root: Any) -> set[str]:
    found, waiting = set(), [root]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            found |= {value[name] for name in REFERENCES if isinstance(value.get(name), str)}
        if isinstance(value, (dict, list)):
            waiting.extend(value.values() if isinstance(value, dict) else value)
    return found
