"""Structured output: what a client asked for with `response_format`, told to the model and checked afterwards.

    parse_format   the field of the request → an `OutputFormat`, or nothing for plain text
    instruction    → what the prompt says about it
    validate       a value's text → what is wrong with it

The agents know no such mode of their own, so the model is told, and `json_text` finds the value in what it writes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from custom_handler.errors import RequestError
from custom_handler.fields import flag, mapping, optional_text
from custom_handler.schema_keywords import KINDS
from custom_handler.schema_problems import describe
from custom_handler.schema_validator import Schema, compiled
from custom_handler.schema_work import UncheckedError, limited_work

_ANY_OBJECT: Mapping[str, Any] = {"type": "object"}


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """The JSON value that an answer must be.

    Args:
        schema: its JSON Schema; `json_object` means any object.
        name: what the client calls the format, for the model to read; may be empty.
        description: likewise.
        strict: the client relies on the schema: an answer that breaks it is worth nothing to it.
    """

    schema: Mapping[str, Any] = field(default_factory=lambda: _ANY_OBJECT)
    name: str = ""
    description: str = ""
    strict: bool = False

    @property
    def any_object(self) -> bool:
        """Any object will do."""
        return self.schema == _ANY_OBJECT

    @property
    def kinds(self) -> frozenset[str]:
        """The JSON types that the value may have; all of them where the schema does not tell."""
        return self._ask(lambda schema: schema.kinds(schema.root))

    @property
    def item_kinds(self) -> frozenset[str]:
        """The same for the items of an array."""
        return self._ask(_kinds_of_items)

    def _ask(self, question: Callable[[Schema], frozenset[str]]) -> frozenset[str]:
        try:
            with limited_work():
                return question(compiled(self.schema))
        except UncheckedError:
            return KINDS


def _kinds_of_items(schema: Schema) -> frozenset[str]:
    kinds = KINDS
    for part in schema.parts(schema.root):
        if isinstance(part.get("items"), dict):
            kinds &= schema.kinds(part["items"])
    return kinds


def parse_format(response_format: object) -> OutputFormat | None:
    """What `response_format` asks for; None for text.

    Raises:
        RequestError: it has no known form; `param` is the path of the field at fault.
    """
    if response_format is None:
        return None
    fields = mapping(response_format, "response_format")
    match fields.get("type"):
        case "text":
            return None
        case "json_object":
            return OutputFormat()
        case "json_schema":
            return _parse_json_schema(mapping(fields.get("json_schema"), "response_format.json_schema"))
    raise RequestError(
        "response_format.type must be text, json_object or json_schema.",
        param="response_format.type",
    )


def _parse_json_schema(fields: Mapping[str, Any]) -> OutputFormat:
    path = "response_format.json_schema"
    schema = fields.get("schema")
    return OutputFormat(
        schema=_ANY_OBJECT if schema is None else mapping(schema, f"{path}.schema"),
        name=optional_text(fields, "name", path) or "",
        description=optional_text(fields, "description", path) or "",
        strict=flag(fields, "strict", path),
    )


def instruction(output: OutputFormat, *, with_tools: bool = False) -> str:
    """What the prompt tells the model.

    Args:
        output: what the client asked for.
        with_tools: the model may also call tools; then only the answer that ends the work is JSON.
    """
    kinds = output.kinds
    what = f"one JSON {next(iter(kinds))}" if len(kinds) == 1 else "one JSON value"
    opening = "Calls of tools are written as told. An answer without calls is" if with_tools else "Answer with"
    rule = f"{opening} {what} and nothing else: no text before or after it, no code fence."
    if output.any_object:
        return rule
    name = f' "{output.name}"' if output.name else ""
    description = f" ({output.description})" if output.description else ""
    return f"{rule}\nIt must fit this JSON Schema{name}{description}:\n{_compact(output.schema)}"


def _compact(schema: Mapping[str, Any]) -> str:
    said = {key: value for key, value in schema.items() if key != "$schema"}  # the dialect tells the model nothing
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))


def validate(value_text: str, output: OutputFormat) -> tuple[str, ...]:
    """What is wrong with a value: nothing, or up to five short sentences for `follow_up`.

    They quote the value, so they are for the model and not for logs.
    A schema that cannot be used is not checked against; that the value is JSON always is.
    """
    try:
        value = json.loads(value_text, parse_constant=no_constant)
    except json.JSONDecodeError as exc:
        return (f"It is not valid JSON: {exc.msg} at line {exc.lineno}, column {exc.colno}.",)
    except RecursionError:
        return ("It is nested too deeply.",)
    except ValueError as exc:
        return (f"It is not valid JSON: {exc}.",)
    try:
        with limited_work():
            return tuple(map(_of_the_value, describe(compiled(output.schema), value)))
    except UncheckedError:
        return ()


def no_constant(name: str) -> NoReturn:
    """Refuse NaN and Infinity, which Python's json would read.

    Raises:
        ValueError: always.
    """
    raise ValueError(f"{name} is no JSON value")


def _of_the_value(problem: str) -> str:
    """`describe` speaks of the arguments of a call where it means the whole value."""
    whole = "the arguments:"
    return f"the value:{problem.removeprefix(whole)}" if problem.startswith(whole) else problem
