"""The judges of `make soak`."""

from __future__ import annotations

import pytest

from tests.reliability.answer import Answer, Told
from tests.reliability.attempt import Attempt
from tests.reliability.outcome import Outcome, Verdict
from tests.reliability.service import Seen
from tests.reliability.soak.findings import Findings
from tests.reliability.soak.load import KINDS, Load, Request
from tests.reliability.soak.watch import Sample, growth

MB = 1_000_000


def samples(*memory: float, files: int = 50) -> list[Sample]:
    """One a second."""
    return [Sample(second, int(each * MB), files, 10) for second, each in enumerate(memory)]


def request(broken: tuple[str, ...] = ()) -> Request:
    attempt = Attempt(Answer(200, "", Told(), 0.1), Verdict(Outcome.WHOLE), Seen(["finished"]), ())
    return Request(KINDS[0], None, attempt, broken)


FLAT = samples(*[300.0] * 60, *[400.0] * 540)


def test_the_first_minute_counts_for_nothing() -> None:
    assert growth(FLAT) == 0


def test_memory_that_grows_all_the_time_is_seen() -> None:
    assert growth(samples(*[400 + second / 5 for second in range(600)])) == pytest.approx(0.23, abs=0.01)


def test_a_peak_counts_for_nothing() -> None:
    assert growth(samples(*[400.0] * 590, *[900.0] * 10)) == 0


def test_a_short_run_is_measured_too() -> None:
    assert growth(samples(*[300.0] * 6, *[400.0] * 12, *[500.0] * 12)) == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("findings", "broken"),
    [
        (Findings(Load([request()], begun=2), FLAT, ""), "1 requests have no outcome"),
        (Findings(Load([request(("hangs",))], begun=1), FLAT, ""), "small chats, None: hangs"),
        (Findings(Load(), samples(*range(100, 700)), ""), "memory grew by"),
        (Findings(Load(), [*FLAT, Sample(600, 400 * MB, 500, 10)], ""), "open files: 50, then 500"),
        (Findings(Load(), FLAT, "Traceback (most recent call last)"), "the log has a traceback"),
    ],
)
def test_each_broken_promise_is_told(findings: Findings, broken: str) -> None:
    (told,) = findings.broken()
    assert told.startswith(broken)


def test_a_good_run_breaks_nothing_and_its_tables_count_everything() -> None:
    findings = Findings(Load([request()] * 3, begun=3), FLAT, "")
    assert findings.broken() == []
    assert "| all | 3 | 3 | 0 |" in findings.report()
    assert "| growth of memory from the second minute to the last | +0.0% |" in findings.report()


def test_a_large_request_is_as_large_as_it_says_and_the_shares_are_whole() -> None:
    asked = KINDS[1].exchange()
    assert len(asked.question.tools) == 36
    assert sum(kind.share for kind in KINDS) == pytest.approx(1)
