"""The results as tables for the documentation."""

from __future__ import annotations

from collections.abc import Sequence

from tests.corpus.attacks.models import MODELS
from tests.corpus.attacks.outcome import Attempt
from tests.corpus.formats import FORMATS
from tests.corpus.runner import Result
from tests.support.announcements import Score
from tests.support.published import markdown_table

_LANGUAGES = {"pt": "Portuguese", "en": "English"}


def table(results: Sequence[Result]) -> str:
    """The calls: a line a row of the corpus, a column a format."""
    head = ["", *(f"`{form.name}`" for form in FORMATS), "streamed = whole", "calls nobody meant"]
    rows = dict.fromkeys(result.case.row for result in results)
    lines = [_line(row, [result for result in results if result.case.row == row]) for row in rows]
    return markdown_table(head, *lines, _line("all", results))


def attack_table(attempts: Sequence[Attempt]) -> str:
    """The attacks: a line a place that the text comes from, a column a model."""
    head = ["text comes in as", *(f"quoted {model.__name__.replace('_', ' ')}" for model in MODELS)]
    places = dict.fromkeys(attempt.attack.place_name for attempt in attempts)
    lines = [_attack_line(place, [each for each in attempts if each.attack.place_name == place]) for place in places]
    return markdown_table(head, *lines, _attack_line("all", attempts))


def announcement_table(scores: Sequence[Score]) -> str:
    """The announcements: a line a language and part of the corpus."""
    head = ["language", "set", "announcements", "other answers", "precision", "recall"]
    return markdown_table(head, *map(_announcement_line, scores))


def _line(name: str, results: Sequence[Result]) -> list[str]:
    exact = [_share([r.exact for r in results if r.case.format == form.name]) for form in FORMATS]
    return [name, *exact, _share([result.same for result in results]), str(sum(r.wrong_calls for r in results))]


def _attack_line(name: str, attempts: Sequence[Attempt]) -> list[str]:
    return [name, *(_share([model in each.succeeded for each in attempts]) for model in MODELS)]


def _announcement_line(score: Score) -> list[str]:
    counts = [str(score.positive), str(score.negative)]
    return [_LANGUAGES[score.language], score.part, *counts, f"{score.precision:.1%}", f"{score.recall:.1%}"]


def _share(outcomes: Sequence[bool]) -> str:
    return f"{sum(outcomes):,} of {len(outcomes):,}" if outcomes else "n/a"
