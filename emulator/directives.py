"""Explicit orders in a user's message: `call NAME {json}`, `use a ferramenta NAME {json}` (pure)."""

import json
import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import NoReturn

_ORDER = re.compile(
    r"\b(?:call|use|invoke|chame|invoque)\s+"
    r"(?:(?:the|a)\s+(?:tool|function|ferramenta|fun[cç][aã]o)\s+)?"
    r"[`\"']?(?P<name>[A-Za-z_][\w.:/-]*)[`\"']?\s*(?:(?:with|com)\s+)?",
    re.IGNORECASE,
)
_PARALLEL = re.compile(r"\bparallel\b|\bem paralelo\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Directive:
    """One order.

    arguments: the JSON object as the user wrote it; "" when none was given. context: the text from here to
    the next order, which may say more.
    """

    name: str
    arguments: str
    context: str = ""


def read_directives(text: str, declared: Collection[str]) -> list[Directive]:
    """The orders in `text`, in order.

    A name that is not `declared` counts only with an object behind it: "use a knife" orders nothing, while
    `call no_such_tool {}` does, so that calls of unknown tools can be had.
    """
    orders: list[tuple[Directive, int, int]] = []
    position = 0
    while found := _ORDER.search(text, position):
        order = _order(text, found, declared)
        position = found.end() + len(order.arguments if order else "")
        if order:
            orders.append((order, found.start(), position))
    starts = [*(start for _, start, _ in orders), len(text)]
    return [replace(order, context=text[end : starts[i + 1]]) for i, (order, _, end) in enumerate(orders)]


def wants_parallel(text: str) -> bool:
    """Whether all orders are to be carried out in one answer."""
    return _PARALLEL.search(text) is not None


def _order(text: str, found: re.Match[str], declared: Collection[str]) -> Directive | None:
    arguments = _json_object(text, found.end())
    # A name may have punctuation inside (`fs.read`), so a full stop at its end must be cut off.
    name = found["name"] if found["name"] in declared else found["name"].rstrip(".:/-")
    return Directive(name, arguments) if arguments or name in declared else None


def _json_object(text: str, start: int) -> str:
    """The text of the JSON object that begins exactly at `start`; "" when there is none."""
    if not text.startswith("{", start):
        return ""
    try:
        _, end = _STRICT.raw_decode(text, start)
    except (ValueError, RecursionError):
        return ""
    return text[start:end]


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


_STRICT = json.JSONDecoder(parse_constant=_refuse)
