r"""What JSON means when quotes in its strings may stand unescaped.

The rule of the corpus: a key ends at its first quote, any other string at the first quote after which the rest of the
text can still be JSON. Text with bare quotes is taken up only if this reading is what was meant. It is in
`{"code": "print("a")"}`, since no other quote than the last can end the string. It is not in
`{"text": "{"a": "x", "b": "y"}"}`, since `b` may as well be a parameter beside `text`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

_SPACE = re.compile(r"[ \n\t]*")
_SCALAR = re.compile(r"[^\s,\]}]+")
#: A quote that may end a string: not escaped, and followed by what may follow a string.
_LAST_QUOTE = re.compile(r'(?<!\\)(?:\\\\)*(")[ \n\t]*(?:[,:\]}]|\Z)')
_KEY = re.compile(r'"(?:[^"\\]|\\.)*"')
_BARE_QUOTE = re.compile(r'\\.|"', re.DOTALL)

_Read = Iterator[tuple[Any, int]]


def first_meaning(text: str) -> Any:
    """The value that `text` has by the rule.

    Raises:
        ValueError: there is no reading that makes it JSON.
    """
    for value, end in _value(text, 0):
        if not text[end:].strip():
            return value
    raise ValueError("no choice of quotes makes this JSON")


def _value(text: str, at: int) -> _Read:
    at = _after_space(text, at)
    if text[at : at + 1] == '"':
        yield from _string(text, at)
    elif text[at : at + 1] == "{":
        yield from _container(text, at, "}", {})
    elif text[at : at + 1] == "[":
        yield from _container(text, at, "]", [])
    elif scalar := _SCALAR.match(text, at):
        yield json.loads(scalar[0]), scalar.end()


def _string(text: str, at: int) -> _Read:
    for close in _LAST_QUOTE.finditer(text, at + 1):
        body = _BARE_QUOTE.sub(lambda match: r"\"" if match[0] == '"' else match[0], text[at + 1 : close.start(1)])
        yield json.loads(f'"{body}"'), close.end(1)


def _container(text: str, at: int, closing: str, empty: Any) -> _Read:
    inside = _after_space(text, at + 1)
    if text[inside : inside + 1] == closing:
        yield empty, inside + 1
    else:
        yield from _elements(text, inside, closing, empty)


def _elements(text: str, at: int, closing: str, before: Any) -> _Read:
    """The rest of an array or object, of which `before` was read."""
    for element, end in _member(text, at) if closing == "}" else _value(text, at):
        so_far = {**before, **element} if closing == "}" else [*before, element]
        following = _after_space(text, end)
        if text[following : following + 1] == closing:
            yield so_far, following + 1
        elif text[following : following + 1] == ",":
            yield from _elements(text, following + 1, closing, so_far)


def _member(text: str, at: int) -> _Read:
    key = _KEY.match(text, _after_space(text, at))
    if not key:
        return
    colon = _after_space(text, key.end())
    if text[colon : colon + 1] == ":":
        for value, end in _value(text, colon + 1):
            yield {json.loads(key[0]): value}, end


def _after_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at
