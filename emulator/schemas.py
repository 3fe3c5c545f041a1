"""JSON Schema: references put in place, and values checked (pure)."""

import re
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import SchemaError

Schema = dict[str, Any]

IMPOSSIBLE: Schema = {"not": {}}
"""Fits nothing. Stands where a reference was not followed any further."""

_NESTED_REFERENCES = 3


def usable(schema: Schema) -> Schema:
    """`schema` with all local references put in place; {} when it is not a valid JSON Schema.

    Raises RecursionError for one of absurd depth.
    """
    try:
        # Without formats: a pattern in another dialect must not spoil the other parameters.
        unformatted = FormatChecker(formats=())
        Draft202012Validator.check_schema(schema, format_checker=unformatted)
        expanded = _expanded(schema, schema, _NESTED_REFERENCES)
    except SchemaError:
        return {}
    return expanded if isinstance(expanded, dict) else {}


def fits(value: object, schema: object) -> bool:
    """Whether `value` is valid. `schema` must come from `usable`."""
    if not isinstance(schema, dict):
        return schema is not False
    try:
        return bool(Draft202012Validator(schema).is_valid(value))
    except (re.error, OverflowError):
        # A pattern in another dialect than Python's, or numbers beyond a float: nobody can tell.
        return False


def _expanded(node: Any, root: Schema, depth: int) -> Any:
    if isinstance(node, list):
        return [_expanded(item, root, depth) for item in node]
    if not isinstance(node, dict):
        return node
    reference = node.get("$ref")
    if not isinstance(reference, str):
        # Other keywords with `$` and a string name or point at schemas, some of them elsewhere on the network.
        kept = {key: value for key, value in node.items() if not (key.startswith("$") and isinstance(value, str))}
        return {key: _expanded(value, root, depth) for key, value in kept.items()}
    if depth == 0:
        return IMPOSSIBLE
    beside = {key: value for key, value in node.items() if key != "$ref"}
    target = _pointed(root, reference)
    merged = {**target, **beside} if isinstance(target, dict) else target
    return _expanded(merged, root, depth - 1)


def _pointed(root: Schema, reference: str) -> Any:
    """What a local JSON pointer such as `#/$defs/city` points at; `IMPOSSIBLE` when there is nothing."""
    node: Any = root
    if not reference.startswith("#"):
        return IMPOSSIBLE
    for step in filter(None, reference.removeprefix("#").split("/")):
        key = step.replace("~1", "/").replace("~0", "~")
        node = node.get(key, IMPOSSIBLE) if isinstance(node, dict) else IMPOSSIBLE
    return node
