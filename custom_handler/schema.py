"""The arguments of a call against the JSON Schema of its tool, before a client sees them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from custom_handler.schema_coercion import Coercion, WrittenFloat
from custom_handler.schema_problems import describe
from custom_handler.schema_validator import Schema, compiled, unions
from custom_handler.schema_work import UncheckedError, limited_work

#: What StackSpot's agents add to arguments by themselves.
_NOISE = frozenset({"step_id", "tool_execution_id"})
_DEEPEST_DECLARATION = 8


@dataclass(frozen=True, slots=True)
class Checked:
    """The result of a check.

    Args:
        arguments: coerced where the schema says so; equal to what was given where nothing was to do.
        problems: what still does not fit, one sentence each, made for the model: path, what was found, what is
            expected. At most 5, of some 600 characters in all; they quote the arguments, so never log them.
        changed: whether `arguments` differ from what was given; if not, the text that the model wrote still holds.
    """

    arguments: dict[str, Any]
    problems: tuple[str, ...]
    changed: bool


def check(arguments: Mapping[str, Any], parameters: Mapping[str, Any]) -> Checked:
    """Check `arguments`, a JSON object, against `parameters`, the JSON Schema of a tool's arguments.

    Never raises and never fetches: where the schema is no JSON Schema, refers elsewhere or asks for too much work, the
    arguments pass as they are, without problems. Takes time in proportion to the values, not to the text in them.
    """
    given = dict(arguments)
    try:
        schema = compiled(parameters)
        with limited_work():
            noise = _undeclared(schema)
            known = {name: value for name, value in given.items() if name not in noise}
            if "object" not in schema.kinds(schema.root):
                return Checked(given, (), changed=False)  # no call could ever fit
            if schema.fits(known, schema.root):
                return Checked(known, (), changed=len(known) < len(given))
        fitted = _fitted(schema, known)
        with limited_work():
            problems = describe(schema, fitted)
    except UncheckedError:
        return Checked(given, (), changed=False)
    return Checked(fitted, problems, changed=fitted is not known or len(known) < len(given))


def check_text(text: str, parameters: Mapping[str, Any]) -> tuple[str, Sequence[str]]:
    """The same for the text of a JSON object: the text, rewritten only where something had to be changed, and problems.

    Text that Python cannot read, or write again, passes as it is: thousands of digits or brackets, 1e999. So does a
    value that is no object.
    """
    try:
        arguments = json.loads(text, parse_float=WrittenFloat)
        checked = check(arguments, parameters) if isinstance(arguments, dict) else None
        if checked is None or not checked.changed:
            return text, checked.problems if checked else ()
        return json.dumps(checked.arguments, ensure_ascii=False, allow_nan=False), checked.problems
    except (ValueError, RecursionError):
        return text, ()


def noise(parameters: Mapping[str, Any]) -> frozenset[str]:
    """Names of members that agents add by themselves, which have no meaning in `parameters`. Never raises."""
    try:
        with limited_work():
            return _undeclared(compiled(parameters))
    except UncheckedError:
        return frozenset()


def _undeclared(schema: Schema) -> frozenset[str]:
    return frozenset(name for name in _NOISE if not _declares(schema, schema.root, name))


def _fitted(schema: Schema, arguments: dict[str, Any]) -> dict[str, Any]:
    """The coerced arguments; as they are, if there is no finding out."""
    try:
        with limited_work():
            fitted: dict[str, Any] = Coercion(schema).fit(arguments, schema.root)
            return fitted
    except UncheckedError:
        return arguments


def _declares(schema: Schema, part: Any, name: str, depth: int = 0) -> bool:
    """Whether a property of this name has a meaning in `part`: it is named there, or any name has one."""
    for own in schema.parts(part):
        any_name = own.get("patternProperties") or isinstance(own.get("additionalProperties"), dict)
        if any_name or name in own.get("properties", ()) or name in own.get("required", ()):
            return True
        branches = [branch for union in unions(own) for branch in union]
        if depth < _DEEPEST_DECLARATION and any(_declares(schema, branch, name, depth + 1) for branch in branches):
            return True
    return False
