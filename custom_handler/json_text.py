"""The one JSON value in what a model writes, given out as it is written, and mended on the way.

Models put prose around the value they were asked for, and a code fence. `JsonText` leaves both out; it is sans-I/O,
and what it gives out does not depend on where the text was cut.

Prose may hold braces and brackets too, so not every one begins the value. An object or array begins the value where

- a line begins, a fence opens or a colon stands before it, and it goes on as such a value does: `{"`, `{}`, `[1`; or
- anywhere, where it goes on as hardly any prose does: `{"name":` or `[{"name":`, and what may begin a value.

In an array only what the schema allows as an item counts. Where nothing in the answer is such a beginning, the first
readable value of an allowed type is taken at the end: a number or string, or an array within a sentence.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from custom_handler.lenient_json import LenientJson
from custom_handler.output import OutputFormat, no_constant
from custom_handler.schema_keywords import kind_of


class JsonText:
    """Reads the visible text of one answer.

    Args:
        output: what the client asked for.

    Attributes:
        complete: the whole value was given out.
    """

    def __init__(self, output: OutputFormat) -> None:
        self._kinds = output.kinds
        self._finder: _StartFinder | None = _StartFinder(_starts(output.kinds, output.item_kinds))
        self._before: list[str] = []  # the text in which no value has begun yet
        self._json = LenientJson()
        self.complete = False

    def feed(self, text: str) -> str:
        """The part of the value that can be given out now."""
        if self._finder is None:
            return self._pass_on(text)
        self._before.append(text)
        begun = self._finder.feed(text)
        if begun is None:
            return ""
        self._finder, self._before = None, []
        return self._pass_on(begun)

    def flush(self) -> str:
        """What was held back, now that nothing follows."""
        if self._finder is not None:
            value = _first_value("".join(self._before), self._kinds)
            self._finder, self._before, self.complete = None, [], bool(value)
            return value
        return "" if self.complete else self._mended(self._json.flush())

    @property
    def mended(self) -> bool:
        """The value was not written as strict JSON."""
        return self._json.mended

    @property
    def inside(self) -> bool:
        """The value has begun, and more of it can come."""
        return self._finder is None and not (self.complete or self._json.broken)

    def _pass_on(self, text: str) -> str:
        return "" if self.complete or self._json.broken else self._mended(self._json.feed(text))

    def _mended(self, text: str) -> str:
        self.complete = self._json.complete
        return text


# How values begin

_SPACE = r"\s{0,64}"  # bounded, so that waiting for the next character never means reading much again
_NAME = r'"[^"\\\n]{0,64}"'
_BARE_NAME = r"[A-Za-z_$][\w$-]{0,63}"
_VALUE = r"[\"'{\[\d\-tfnTFNI/]"  # also as models write it, with a comment before it
_OBJECT_SURE = rf"\{{{_SPACE}{_NAME}\s{{0,8}}:{_SPACE}{_VALUE}"
_OBJECT_LIKELY = rf"\{{{_SPACE}(?:[\"'}}]|{_BARE_NAME}\s{{0,8}}:|//|/\*)"
_OBJECT_UNDECIDED = rf"\{{{_SPACE}(?:\"[^\"\\\n]{{0,64}}(?:\"\s{{0,8}}(?::{_SPACE})?)?|{_BARE_NAME}\s{{0,8}}|/)?"
_ITEMS = {
    "object": r"\{",
    "array": r"\[",
    "string": r"[\"']",
    "number": r"-?\d",
    "integer": r"-?\d",
    "boolean": r"true|false|True|False",
    "null": r"null|None",
}
_ITEM_UNDECIDED = rf"-|[A-Za-z]{{1,4}}|{_OBJECT_UNDECIDED}"

#: What stands before a value that is likely one: the start of a line or a colon, then perhaps a fence.
_INTRODUCED = re.compile(r"[\n:]\s*(?:`{3,}[\w-]*\s*)?\Z")
_LONGEST_INTRODUCTION = 64


@dataclass(frozen=True, slots=True)
class _Starts:
    """The beginnings of the values that a format allows, as patterns for the place where a bracket stands."""

    bracket: re.Pattern[str]
    sure: re.Pattern[str]
    likely: re.Pattern[str]
    undecided: re.Pattern[str]


_NEVER = r"(?!)"


@lru_cache(maxsize=64)
def _starts(kinds: frozenset[str], item_kinds: frozenset[str]) -> _Starts:
    brackets, sure, likely, undecided = [_NEVER], [_NEVER], [_NEVER], [_NEVER]
    if "object" in kinds:
        brackets.append(r"\{")
        sure.append(_OBJECT_SURE)
        likely.append(_OBJECT_LIKELY)
        undecided.append(_OBJECT_UNDECIDED)
    if "array" in kinds:
        items = "|".join([_ITEMS[kind] for kind in sorted(item_kinds)] + [r"\]"])
        brackets.append(r"\[")
        sure.append(rf"\[{_SPACE}{_OBJECT_SURE}" if "object" in item_kinds else _NEVER)
        likely.append(rf"\[{_SPACE}(?:{items})")
        undecided.append(rf"\[{_SPACE}(?:{_ITEM_UNDECIDED})?")
    return _Starts(
        re.compile("|".join(brackets)),
        re.compile("|".join(sure)),
        re.compile("|".join(likely)),
        re.compile(rf"(?:{'|'.join(undecided)})\Z"),
    )


class _StartFinder:
    """Finds where the value begins."""

    def __init__(self, starts: _Starts) -> None:
        self._starts = starts
        self._window = "\n"  # what may introduce a value, then what is not searched yet
        self._searched = 1

    def feed(self, text: str) -> str | None:
        """The text from the beginning of the value on, or None while it has not come."""
        self._window += text
        while bracket := self._starts.bracket.search(self._window, self._searched):
            self._searched = bracket.start()
            if self._begins_here():
                return self._window[self._searched :]
            if self._starts.undecided.match(self._window, self._searched):
                break
            self._searched += 1
        else:
            self._searched = len(self._window)
        done = max(0, self._searched - _LONGEST_INTRODUCTION)
        self._window, self._searched = self._window[done:], self._searched - done
        return None

    def _begins_here(self) -> bool:
        window, place = self._window, self._searched
        if self._starts.sure.match(window, place):
            return True
        introduction = max(0, place - _LONGEST_INTRODUCTION)
        introduced = _INTRODUCED.search(window, introduction, place) is not None
        return introduced and self._starts.likely.match(window, place) is not None


# The last resort

_FIRST = {
    "object": r"\{",
    "array": r"\[",
    "string": r'"',
    "number": r"(?<![\w.])-?\d",
    "integer": r"(?<![\w.])-?\d",
    "boolean": r"\b(?:true|false)\b",
    "null": r"\bnull\b",
}
_MOST_TRIES = 50  # each may read to the end of the text
_SAFE_INTEGER = 2**53  # beyond it a float no longer says which integer was written
_DECODER = json.JSONDecoder(parse_constant=no_constant)


def _first_value(text: str, kinds: frozenset[str]) -> str:
    """The first readable value of one of `kinds` in `text`, or nothing."""
    first = re.compile("|".join(_FIRST[kind] for kind in sorted(kinds)) or _NEVER)
    for start in islice(first.finditer(text), _MOST_TRIES):
        try:
            value, end = _DECODER.raw_decode(text, start.start())
        except (ValueError, RecursionError):
            continue
        if kind_of(value) in kinds:
            return text[start.start() : end]
        if "integer" in kinds and isinstance(value, float) and value.is_integer() and abs(value) <= _SAFE_INTEGER:
            return str(int(value))
    return ""
