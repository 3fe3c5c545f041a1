"""What is wrong with arguments, in sentences that a model can act on: where, what was found, what is expected."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from jsonschema.exceptions import ValidationError

from custom_handler.schema_keywords import kind_of, undeclared
from custom_handler.schema_validator import Schema, choices, unions
from custom_handler.surrogates import mend

MOST_PROBLEMS = 5
MOST_CHARACTERS = 600
_LONGEST_FOUND = 60
_LONGEST_EXPECTED = 160
_LONGEST_PATH = 80
_DEEPEST = 8

_PLAIN_NAME = re.compile(r"[^\W\d][\w-]*")

#: Keyword → how a bound is said.
_BOUNDS: Mapping[str, str] = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "pattern": "matching the regular expression {}",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "uniqueItems": "items that all differ",
    "minProperties": "at least {} properties",
    "maxProperties": "at most {} properties",
}


def describe(schema: Schema, value: Any) -> tuple[str, ...]:
    """The first problems of `value`, at most `MOST_PROBLEMS` and `MOST_CHARACTERS` in all; empty when it fits.

    They quote up to 60 characters of each value, so they are for the model and not for logs.
    """
    told: dict[str, None] = {}
    size = 0
    for sentence in _Describer(schema).sentences(schema.errors(value)):
        if sentence in told:
            continue
        size += len(sentence)
        if told and size > MOST_CHARACTERS:
            break
        told[sentence] = None
        if len(told) == MOST_PROBLEMS:
            break
    return tuple(told)


class _Describer:
    def __init__(self, schema: Schema) -> None:
        self._schema = schema

    def sentences(self, errors: Iterable[ValidationError], depth: int = 0) -> Iterator[str]:
        for error in errors:
            branches = _branches(error) if depth < _DEEPEST else []
            if tags := _tags(branches):
                values = [value for tag in tags for value in _listed(tag)]
                yield _sentence(list(tags[0].absolute_path), f"found {_found(tags[0].instance)}", _one_of(values))
            elif nearest := _nearest(branches):
                yield from self.sentences(nearest, depth + 1)
            else:
                yield from self._sentences_of(error)

    def _sentences_of(self, error: ValidationError) -> Iterator[str]:
        path = list(error.absolute_path)
        # jsonschema types these as possibly unset; after `iter_errors` they are not.
        value: Any = error.instance
        schema: Any = error.schema
        rule: Any = error.validator_value
        if error.validator == "required":
            for name in rule:
                if name not in value:
                    wanted = self._expected(schema.get("properties", {}).get(name, True))
                    yield _sentence([*path, name], "missing", wanted)
        elif error.validator == "additionalProperties" and rule is False:
            names = ", ".join(schema.get("properties", {}))
            for name in undeclared(value, schema):
                yield _sentence([*path, name], "not declared", f"only {names}" if names else "no property")
        else:
            yield _sentence(path, f"found {_found(value)}", self._wanted(error))

    def _wanted(self, error: ValidationError) -> str:
        """What would have passed where `error` was found."""
        if error.validator is None:
            return "no such value"  # of the schema `false`; jsonschema's path ends above it
        if error.validator in _BOUNDS or error.validator in {"type", "enum", "const"}:
            return self._expected(error.schema)
        if error.validator in {"anyOf", "oneOf"}:
            return self._union(error)
        return f"a value that passes {_cut(f'{error.validator}: {_short(error.validator_value)}', _LONGEST_EXPECTED)}"

    def _union(self, error: ValidationError) -> str:
        if not error.context:
            return "a value that fits exactly one of the alternatives"
        branches: Any = error.validator_value
        return " or ".join(sorted({self._expected(branch) for branch in branches}))

    def _expected(self, schema: Any, depth: int = 0) -> str:
        """`schema` in a few words: its values, or its types and bounds."""
        parts = self._schema.parts(schema)
        values = next((listed for part in parts if (listed := choices(part)) is not None), None)
        if values is not None:
            return _one_of(values)
        bounds = [text.format(_bound(part[name])) for part in parts for name, text in _BOUNDS.items() if name in part]
        return ", ".join([self._types(schema, parts, depth), *bounds])

    def _types(self, schema: Any, parts: list[dict[str, Any]], depth: int) -> str:
        branches = [branch for part in parts for union in unions(part) for branch in union]
        if branches and depth < 2:
            return " or ".join(sorted({self._expected(branch, depth + 1) for branch in branches}))
        kinds = self._schema.kinds(schema)
        kinds -= {"integer"} if "number" in kinds else set()
        items = next((part["items"] for part in parts if isinstance(part.get("items"), dict)), None)
        names = {kind: kind for kind in kinds}
        if items and depth < 2:
            names["array"] = f"array of {self._expected(items, depth + 1)}"
        return (" or ".join(names[kind] for kind in sorted(kinds)) or "nothing") if len(kinds) < 6 else "a value"


def _branches(error: ValidationError) -> list[list[ValidationError]]:
    """The errors of each alternative."""
    branches: dict[Any, list[ValidationError]] = {}
    for child in error.context or ():
        branches.setdefault(child.relative_schema_path[0], []).append(child)
    return list(branches.values())


def _tags(branches: list[list[ValidationError]]) -> list[ValidationError]:
    """The errors of the property that tells alternatives apart, `{"kind": "circle"}`, if its value suits none."""
    tags = [
        next((e for e in errors if e.validator in {"const", "enum"} and e.relative_path), None) for errors in branches
    ]
    return [tag for tag in tags if tag] if len({tag and tuple(tag.relative_path) for tag in tags}) == 1 else []


def _nearest(branches: list[list[ValidationError]]) -> list[ValidationError]:
    """The errors of the alternative that the value came closest to; empty when it has the type of none."""
    nearest = min(branches, key=_distance, default=[])
    return [] if any(_is_other_type(child) for child in nearest) else nearest


def _distance(errors: list[ValidationError]) -> tuple[int, int, int]:
    other_values = sum(child.validator in {"const", "enum"} for child in errors)
    return sum(map(_is_other_type, errors)), other_values, len(errors)


def _is_other_type(error: ValidationError) -> bool:
    return error.validator in {"type", "const", "enum", None} and not error.relative_path


def _sentence(path: list[Any], finding: str, expected: str) -> str:
    return mend(f"{_path(path)}: {finding}, expected {_cut(expected, _LONGEST_EXPECTED)}.")


def _path(path: list[Any]) -> str:
    plain = [isinstance(step, str) and _PLAIN_NAME.fullmatch(step) for step in path]
    steps = [f".{step}" if dotted else f"[{_short(step)}]" for step, dotted in zip(path, plain, strict=True)]
    text = "".join(steps).removeprefix(".") or "the arguments"
    return text if len(text) <= _LONGEST_PATH else "…" + text[-_LONGEST_PATH:]


def _listed(error: ValidationError) -> list[Any]:
    value: Any = error.validator_value
    return [value] if error.validator == "const" else value


def _one_of(values: list[Any]) -> str:
    return ("one of " if len(values) > 1 else "") + ", ".join(map(_short, values[:20]))


def _found(value: Any) -> str:
    """The type of `value` and its beginning."""
    return "null" if value is None else f"{kind_of(value)} {_short(value)}"


def _bound(value: Any) -> str:
    return _short(value) if isinstance(value, str) else _cut(str(value), _LONGEST_FOUND)


def _short(value: Any) -> str:
    """The beginning of `value` as JSON; of a large value no more than that is written."""
    text = ""
    for piece in json.JSONEncoder(ensure_ascii=False).iterencode(_begun(value)):
        text += piece
        if len(text) > _LONGEST_FOUND:
            break
    return _cut(text, _LONGEST_FOUND)


def _begun(value: Any) -> Any:
    return value[: _LONGEST_FOUND + 1] if isinstance(value, str) else value


def _cut(text: str, size: int) -> str:
    return text if len(text) <= size else text[: size - 1] + "…"
