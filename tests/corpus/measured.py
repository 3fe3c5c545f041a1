"""What the product makes of all three corpora."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.corpus.adapter import ProductReader
from tests.corpus.attacks import ATTACKS, TRICKS
from tests.corpus.attacks.outcome import Attempt, attempt
from tests.corpus.generate import generate
from tests.corpus.runner import Result, run
from tests.support.announcements import LANGUAGES, PARTS, Score, score


@dataclass(frozen=True, slots=True)
class Measured:
    """The results for the calls, the attacks and the announcements."""

    calls: Sequence[Result]
    attacks: Sequence[Attempt]
    announcements: Sequence[Score]


def measure() -> Measured:
    """Every case of every corpus."""
    return Measured(
        calls=run(ProductReader(), generate()),
        attacks=attempt((*ATTACKS, *TRICKS)),
        announcements=[score(language, part) for language in LANGUAGES for part in PARTS],
    )
