"""Lets a reader read the corpus in many cuts, and counts what it recovers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import NoReturn

from tests.corpus.case import Call, Case, Item, Reasoning, Text
from tests.corpus.reader import Outcome, Reader
from tests.support.pieces import cut_at, cut_into

PIECE_SIZES = (1, 2, 3, 5, 11, 23)
RANDOM_CUTS = 3


@dataclass(frozen=True, slots=True)
class Result:
    """How one case was read.

    Attributes:
        exact: the whole text gave what was expected: text, calls, their order, and what is broken.
        same: every cut of the text gave what the whole text gave.
        wrong_calls: the most calls in any cut that nobody meant.
    """

    case: Case
    exact: bool
    same: bool
    wrong_calls: int


def run(reader: Reader, cases: Iterable[Case]) -> list[Result]:
    """Every case in every cut."""
    return [_run_case(reader, case) for case in cases]


def _run_case(reader: Reader, case: Case) -> Result:
    whole = joined(reader.read([case.text], case.tools))
    outcomes = [joined(reader.read(pieces, case.tools)) for pieces in cuts(case)]
    return Result(
        case=case,
        exact=is_exact(whole, case),
        same=all(outcome == whole for outcome in outcomes),
        wrong_calls=max(wrong_calls(outcome, case) for outcome in (whole, *outcomes)),
    )


def cuts(case: Case) -> Iterator[list[str]]:
    """The text of a case in pieces, in many ways."""
    text, random = case.text, Random(case.text)  # noqa: S311 - a corpus needs a seed, not secrecy
    for size in PIECE_SIZES:
        yield cut_into(text, size)
    for _ in range(RANDOM_CUTS):
        places = random.choices(range(len(text) + 1), k=random.randint(1, 12))
        yield cut_at(text, places)
    if case.every_cut:
        yield from ([text[:place], text[place:]] for place in range(1, len(text)))


def joined(outcome: Outcome) -> Outcome:
    """The outcome with neighbouring pieces of text as one, since a reader may give text in any pieces."""
    items: list[Item] = []
    for item in outcome.items:
        last = items[-1] if items else None
        if isinstance(item, Text) and isinstance(last, Text):
            items[-1] = Text(last.text + item.text)
        elif isinstance(item, Reasoning) and isinstance(last, Reasoning):
            items[-1] = Reasoning(last.text + item.text)
        else:
            items.append(item)
    return replace(outcome, items=tuple(items))


def is_exact(outcome: Outcome, case: Case) -> bool:
    """Whether a joined outcome is what the case expects; text without calls must be the same to the last blank."""
    if case.expected == (Text(case.text),):
        return outcome == Outcome(case.expected)
    return (
        comparable(outcome.items) == comparable(case.expected)
        and (case.may_cut or not outcome.cut)
        and len(outcome.broken) == len(case.broken)
        and all(name in raw for name, raw in zip(case.broken, outcome.broken, strict=True))
    )


def comparable(items: Sequence[Item]) -> list[Item]:
    """The items without what does not count: how JSON is laid out, and white space where text meets something else."""
    stripped = (
        type(item)(item.text.strip()) if isinstance(item, Text | Reasoning) else canonical(item) for item in items
    )
    return [item for item in stripped if not isinstance(item, Text) or item.text]


def wrong_calls(outcome: Outcome, case: Case) -> int:
    """How many calls of the outcome nobody meant, or not as often."""
    given = Counter(canonical(item) for item in outcome.items if isinstance(item, Call))
    return (given - Counter(canonical(item) for item in case.expected if isinstance(item, Call))).total()


def canonical(call: Call) -> Call:
    """The call with its arguments in one layout; unchanged, and so equal to no meant one, when they are not JSON."""
    try:
        value = json.loads(call.arguments, parse_constant=_refuse)
    except ValueError:
        return call
    return Call(call.name, json.dumps(value, sort_keys=True))


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
