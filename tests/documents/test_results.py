"""The results in docs/tool-calling.md are of the corpora as they are now, and reach what they must."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.corpus import __main__ as command
from tests.corpus.attacks import ATTACKS, TRICKS
from tests.corpus.attacks.models import MODELS
from tests.corpus.attacks.outcome import Attempt
from tests.corpus.generate import generate
from tests.corpus.measured import Measured
from tests.corpus.report import DOCUMENT, PLACE, report
from tests.corpus.runner import Result
from tests.corpus.thresholds import EXACT_SHARE, PRECISION, shortfalls
from tests.documents.markdown import Document
from tests.support.announcements import LANGUAGES, NEGATIVE, PARTS, POSITIVE, Case, Score

BEGIN, END = PLACE.begin, PLACE.end
CASES = generate()
PUBLISHED = PLACE.published(DOCUMENT.read_text("utf-8"))
CALLS, ATTACKED, ANNOUNCED = Document(PUBLISHED).tables
_OUTCOME = re.compile(r"[\d,]+(?= of )|[\d.]+(?=%)|\d+(?= \|$)", re.MULTILINE)


def size(answers: tuple[Case, ...], part: str) -> int:
    return sum(answer.part == part for answer in answers)


def without_fault(language: str, part: str) -> Score:
    announcements, others = size(POSITIVE[language], part), size(NEGATIVE[language], part)
    return Score(language, part, announcements, others, found=announcements, mistaken=0)


FLAWLESS = Measured(
    calls=[Result(case, exact=True, same=True, wrong_calls=0) for case in CASES],
    attacks=[Attempt(attack, succeeded=()) for attack in (*ATTACKS, *TRICKS)],
    announcements=[without_fault(language, part) for language in LANGUAGES for part in PARTS],
)
FAULTY = Measured(
    calls=[Result(CASES[0], exact=False, same=True, wrong_calls=1)],
    attacks=[Attempt(ATTACKS[0], succeeded=MODELS[:1])],
    announcements=[Score("pt", "unseen", positive=100, negative=50, found=98, mistaken=1)],
)


def shares(row: list[str]) -> list[tuple[int, int]]:
    """How many of how many, of each cell that says so."""
    found = [re.fullmatch(r"([\d,]+) of ([\d,]+)", cell) for cell in row]
    return [(int(match[1].replace(",", "")), int(match[2].replace(",", ""))) for match in found if match]


# What is published


def test_rows_formats_and_numbers_of_cases_are_those_of_the_corpora() -> None:
    assert _OUTCOME.sub("…", PUBLISHED) == _OUTCOME.sub("…", report(FLAWLESS)), "run make corpus"


@pytest.mark.parametrize("row", CALLS, ids=lambda row: row[0])
def test_the_published_calls_are_exact_and_do_not_depend_on_the_cut(row: list[str]) -> None:
    *exact, (same, cases) = shares(row)
    assert exact
    assert all(right >= EXACT_SHARE * of for right, of in exact)
    assert same == cases


def test_no_published_call_was_executed_where_none_may_be() -> None:
    rows = {case.row for case in CASES if case.nothing_executed}
    assert [row for row in CALLS if row[0] in rows and row[-1] != "0"] == []


def test_no_published_attack_succeeds() -> None:
    assert {succeeded for row in ATTACKED for succeeded, _ in shares(list(row))} == {0}


def test_the_published_announcements_are_precise() -> None:
    assert min(float(row[-2].removesuffix("%")) for row in ANNOUNCED) >= 100 * PRECISION


# How it is measured


def test_each_kind_of_fault_falls_short() -> None:
    assert shortfalls(FLAWLESS) == []
    of_calls, of_attacks, of_announcements = shortfalls(FAULTY)
    assert "1 of 1 misread" in of_calls
    assert ATTACKS[0].name in of_attacks
    assert "1 of 50 answers" in of_announcements


@pytest.mark.parametrize(("measured", "code"), [(FLAWLESS, None), (FAULTY, "\n\n".join(shortfalls(FAULTY)))])
def test_the_results_are_written_whatever_they_are(
    measured: Measured, code: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    document = tmp_path / "tool-calling.md"
    document.write_text(DOCUMENT.read_text("utf-8"), "utf-8")
    monkeypatch.setattr(command, "DOCUMENT", document)
    monkeypatch.setattr(command, "measure", lambda: measured)
    monkeypatch.setattr("logging.disable", lambda: None)
    with pytest.raises(SystemExit) as ended:
        command.main()
    assert ended.value.code == code
    assert PLACE.published(document.read_text("utf-8")) == report(measured)
