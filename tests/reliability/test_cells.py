"""A few cells of the table of faults, through a real proxy: `make faults` tries all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from tests.reliability import leaks, stage
from tests.reliability.attempt import Visitor
from tests.reliability.cells import PATIENCE, Result, cells, run
from tests.reliability.client import client_of
from tests.reliability.outcome import Outcome
from tests.reliability.report import shortfalls
from tests.reliability.service import service_of
from tests.reliability.stage import FUSION_LANE, Lane, Proxy

FAULTS = ("forbidden", "drop_in_stream")


async def _results(proxy: Proxy, service: str, lanes: Sequence[Lane]) -> list[Result]:
    async with client_of(proxy.url) as client, service_of(service) as watched:
        return await run(list(cells(FAULTS)), [Visitor(lane, client, watched, PATIENCE) for lane in lanes])


def test_what_fails_is_told_in_its_form_and_leaves_nothing_behind(tmp_path: Path) -> None:
    lanes = [*stage.lanes(4), FUSION_LANE]
    with stage.emulator() as service, stage.proxy(tmp_path, service, lanes, **PATIENCE.settings) as proxy:
        results = asyncio.run(_results(proxy, service, lanes))
        log = proxy.log()
    assert shortfalls(results, ()) == []
    outcomes = {(result.cell.fault, result.cell.stream): result.attempt.verdict.outcome for result in results}
    assert outcomes == {
        ("forbidden", False): Outcome.ERROR,
        ("forbidden", True): Outcome.ERROR,
        ("drop_in_stream", False): Outcome.ERROR,
        ("drop_in_stream", True): Outcome.CUT,
    }
    assert leaks.in_log_of_expected(log) == ()
