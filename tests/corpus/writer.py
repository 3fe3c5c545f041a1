"""Writes a value as JSON, or as what models write for JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

#: A doubled backslash before a character that makes no escape with it, in JSON or elsewhere (`\\x`, `\\v`, `\\'`).
_NOT_AN_ESCAPE = re.compile(r"\\\\(?=[A-Zacdeg-mo-qswyz.()\[\]{}+*?|^$@#:%,-]|u(?![0-9a-fA-F]{4}))")


@dataclass(frozen=True, slots=True)
class Style:
    """How a value is written. Without arguments it is strict JSON on one line.

    Attributes:
        ascii: other characters are written as `\\u` escapes.
        indent: spaces a level when it stands on several lines.
        trailing_commas: after the last element of every array and object.
        raw_controls: line breaks and tabs in strings stand there as themselves.
        bare_backslashes: a backslash is not doubled where what follows is no escape of JSON, as in `\\d`.
        bare_quotes: quotes in strings stand there as themselves.
        python: strings in single quotes, and `True`, `False`, `None`.
    """

    ascii: bool = False
    indent: int | None = None
    trailing_commas: bool = False
    raw_controls: bool = False
    bare_backslashes: bool = False
    bare_quotes: bool = False
    python: bool = False


PLAIN = Style()


def write(value: Any, style: Style = PLAIN, depth: int = 1) -> str:
    """`value` as text."""
    if isinstance(value, dict):
        members = (f"{_string(key, style)}: {write(item, style, depth + 1)}" for key, item in value.items())
        return _container("{", members, "}", style, depth)
    if isinstance(value, list):
        return _container("[", (write(item, style, depth + 1) for item in value), "]", style, depth)
    if isinstance(value, str):
        return _string(value, style)
    return repr(value) if style.python else json.dumps(value)


def _container(opening: str, elements: Iterable[str], closing: str, style: Style, depth: int) -> str:
    written = list(elements)
    if not written:
        return opening + closing
    comma = "," if style.trailing_commas else ""
    if style.indent is None:
        return opening + ", ".join(written) + comma + closing
    line = "\n" + " " * style.indent * depth
    return opening + line + f",{line}".join(written) + comma + line[: -style.indent] + closing


def _string(text: str, style: Style) -> str:
    body = json.dumps(text, ensure_ascii=style.ascii)[1:-1]
    if style.raw_controls:
        body = _unescaped(body, {r"\n": "\n", r"\t": "\t"})
    if style.bare_backslashes:
        body = _NOT_AN_ESCAPE.sub(r"\\", body)
    if style.bare_quotes:
        body = _unescaped(body, {r"\"": '"'})
    return _in_python(body, text) if style.python else f'"{body}"'


def _in_python(body: str, text: str) -> str:
    """As Python's own `repr`: single quotes, unless only single quotes are in the text."""
    if "'" in text and '"' not in text:
        return f'"{body}"'
    return "'" + _unescaped(body, {r"\"": '"'}).replace("'", r"\'") + "'"


def _unescaped(body: str, escapes: dict[str, str]) -> str:
    """`body` with some of its escapes replaced; a doubled backslash begins no escape."""
    return re.sub(r"\\.", lambda match: escapes.get(match[0], match[0]), body)
