"""The results as a table for the documentation."""

from __future__ import annotations

from collections.abc import Sequence

from tests.corpus.formats import FORMATS
from tests.corpus.runner import Result


def table(results: Sequence[Result]) -> str:
    """A Markdown table: a line a row of the corpus, a column a format."""
    head = ["", *(f"`{form.name}`" for form in FORMATS), "streamed = whole", "calls nobody meant"]
    rows = dict.fromkeys(result.case.row for result in results)
    lines = [_line(row, [result for result in results if result.case.row == row]) for row in rows]
    return "\n".join(map(_markdown, [head, ["---"] * len(head), *lines, _line("all", results)]))


def _line(name: str, results: Sequence[Result]) -> list[str]:
    exact = [_share([r.exact for r in results if r.case.format == form.name]) for form in FORMATS]
    return [name, *exact, _share([result.same for result in results]), str(sum(r.wrong_calls for r in results))]


def _share(outcomes: Sequence[bool]) -> str:
    return f"{sum(outcomes)} of {len(outcomes)}" if outcomes else "n/a"


def _markdown(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
