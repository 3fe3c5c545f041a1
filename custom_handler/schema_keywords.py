"""JSON Schema's keywords, bounded: schemas come from outside.

Left out are `format` (an annotation since draft 2019-09), `unevaluatedItems` and `unevaluatedProperties` (their cost
has no bound), a `pattern` whose search may take too long, and `uniqueItems` of long arrays (objects are compared pair
by pair). Each evaluation counts as work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jsonschema
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from custom_handler import schema_pattern
from custom_handler.schema_work import spend

REFERENCES = frozenset({"$ref", "$dynamicRef", "$recursiveRef"})

#: How many steps of a regular expression weigh as much as a keyword.
_STEPS_A_KEYWORD = 1_000
#: A reference weighs more, since only references let a small schema ask for exponential work.
_WORK_OF_REFERENCE = 5
_LONGEST_UNIQUE = 256
_LEFT_OUT = frozenset({"format", "unevaluatedItems", "unevaluatedProperties"})

# In Python a boolean is an integer too, so it comes first.
_TYPES = {"boolean": bool, "integer": int, "number": float, "string": str, "array": list, "object": dict}
KINDS = frozenset({*_TYPES, "null"})

_Keyword = Callable[[Any, Any, Any, Any], Iterator[ValidationError] | None]


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


# Keywords of our own: bounded, or quiet where jsonschema would write out the whole value, a megabyte, in its message.


def _type(validator: Any, names: str | list[str], instance: Any, _: Any) -> Iterator[ValidationError]:
    if not any(validator.is_type(instance, name) for name in ([names] if isinstance(names, str) else names)):
        yield ValidationError("is of another type")


def _enum(validator: Any, values: list[Any], instance: Any, schema: Any) -> Iterator[ValidationError]:
    if not isinstance(instance, str):
        yield from jsonschema.Draft202012Validator.VALIDATORS["enum"](validator, values, instance, schema)
    elif instance not in values:
        yield ValidationError("is none of the values")


def _min_length(_: Any, bound: float, instance: Any, __: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and len(instance) < bound:
        yield ValidationError("is too short")


def _max_length(_: Any, bound: float, instance: Any, __: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and len(instance) > bound:
        yield ValidationError("is too long")


def _by_branch(validator: Any, branches: list[Any], instance: Any) -> Iterator[list[ValidationError]]:
    for index, branch in enumerate(branches):
        errors = list(validator.descend(instance, branch))
        for error in errors:
            error.schema_path.appendleft(index)  # by itself, jsonschema does not for the schema `false`
        yield errors


def _any_of(validator: Any, branches: list[Any], instance: Any, _: Any) -> Iterator[ValidationError]:
    context: list[ValidationError] = []
    for errors in _by_branch(validator, branches, instance):
        if not errors:
            return
        context += errors
    yield ValidationError("fits no alternative", context=context)


def _one_of(validator: Any, branches: list[Any], instance: Any, _: Any) -> Iterator[ValidationError]:
    found = list(_by_branch(validator, branches, instance))
    fitting = sum(not errors for errors in found)
    if not fitting:
        yield ValidationError("fits no alternative", context=[error for errors in found for error in errors])
    elif fitting > 1:
        yield ValidationError("fits several alternatives")


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
        spend(_WORK_OF_REFERENCE if name in REFERENCES else 1)
        if name in REFERENCES and not isinstance(value, str):
            return None  # the metaschema of draft 4 lets it be anything
        if name == "uniqueItems" and isinstance(instance, list) and len(instance) > _LONGEST_UNIQUE:
            return None
        if name in {"type", "enum"} and instance is None and schema.get("nullable") is True:
            return None  # OpenAPI's way to allow null
        return keyword(validator, value, instance, schema)

    return count


def _is_integer(_: Any, instance: Any) -> bool:
    return kind_of(instance) == "integer"


_OWN: Mapping[str, _Keyword] = {
    "type": _type,
    "enum": _enum,
    "minLength": _min_length,
    "maxLength": _max_length,
    "anyOf": _any_of,
    "oneOf": _one_of,
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
}


def bounded(dialect: Any) -> Any:
    """The validator class of jsonschema for one dialect, with these keywords."""
    keywords = {**dialect.VALIDATORS, **_OWN}
    ours = {n: (lambda *_: None) if n in _LEFT_OUT else _counted(n, keyword) for n, keyword in keywords.items()}
    types = dialect.TYPE_CHECKER.redefine("integer", _is_integer)
    return extend(dialect, ours, type_checker=types)  # type: ignore[no-untyped-call]  # its stub has no types
