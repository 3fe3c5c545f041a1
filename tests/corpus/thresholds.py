"""What the product must reach."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from tests.corpus.attacks.outcome import Attempt
from tests.corpus.measured import Measured
from tests.corpus.runner import Result
from tests.support.announcements import Score

EXACT_SHARE = 0.99
PRECISION = 0.99


def assert_thresholds(results: Sequence[Result]) -> None:
    """At least 99 % exact in every row and format, streamed as whole, and no call where none may be executed.

    Raises:
        AssertionError: with the rows that fall short, and the first text of each that was misread.
    """
    short = "\n\n".join(_of_calls(results))
    assert not short, short


def shortfalls(measured: Measured) -> list[str]:
    """What falls short: calls as above, attacks that succeed, announcements with a precision below 99 %."""
    return [*_of_calls(measured.calls), *_of_attacks(measured.attacks), *_of_announcements(measured.announcements)]


def _of_attacks(attempts: Sequence[Attempt]) -> list[str]:
    return [f"This attack succeeds: {attempt.attack.name}" for attempt in attempts if attempt.succeeded]


def _of_announcements(scores: Sequence[Score]) -> list[str]:
    return [
        f"{score.mistaken} of {score.negative} answers are taken for announcements ({score.language}, {score.part})"
        for score in scores
        if score.precision < PRECISION
    ]


def _of_calls(results: Sequence[Result]) -> list[str]:
    groups: dict[tuple[str, str], list[Result]] = defaultdict(list)
    for result in results:
        groups[result.case.row, result.case.format].append(result)
    return [found for (row, form), group in groups.items() if (found := _shortfall(f"{row} ({form})", group))]


def _shortfall(name: str, group: Sequence[Result]) -> str:
    """What is wrong with a row, or an empty string."""
    misread = [result for result in group if not result.exact]
    differing = [result for result in group if not result.same]
    executed = [result for result in group if result.case.nothing_executed and result.wrong_calls]
    too_many = misread if len(misread) > (1 - EXACT_SHARE) * len(group) else []
    if not (too_many or differing or executed):
        return ""
    first = (executed or differing or too_many)[0]
    return (
        f"{name}: {len(misread)} of {len(group)} misread, {len(differing)} differ when streamed, "
        f"{len(executed)} execute what they must not. First:\n{first.case.text}"
    )
