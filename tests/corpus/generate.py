"""All cases; the same seed gives the same ones."""

from __future__ import annotations

from dataclasses import replace

from tests.corpus.case import Case
from tests.corpus.draft import Draft
from tests.corpus.formats import Format
from tests.corpus.rows import ROWS, Row

SEED = 20261120

#: The shortest cases of each row and format are cut in two at every place; that takes the square of their length.
CUT_EVERYWHERE = 5


def generate(seed: int = SEED) -> tuple[Case, ...]:
    """Every row in every format that it can happen to."""
    return tuple(case for row in ROWS for form in row.formats for case in _cases(row, form, seed))


def _cases(row: Row, form: Format, seed: int) -> list[Case]:
    draft = Draft(row.name, form, seed)
    cases = [row.make(draft) for _ in range(row.size)]
    longest = sorted(len(case.text) for case in cases)[CUT_EVERYWHERE - 1]
    return [replace(case, every_cut=case.every_cut or len(case.text) <= longest) for case in cases]
