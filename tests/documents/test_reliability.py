"""The results in docs/reliability.md are of the faults and scenes as they are now, and break no promise."""

from __future__ import annotations

import re

import pytest

from tests.documents.markdown import Document, quoted
from tests.reliability.cells import PARTS, Part
from tests.reliability.report import BROKEN, COLUMNS, DOCUMENT, FAULTS_PLACE, NOTHING, SOAK_PLACE
from tests.reliability.scenes import bodies, connections, identity, nonsense
from tests.reliability.soak.findings import MOST_GROWTH

TEXT = DOCUMENT.read_text("utf-8")
FAULT_TABLES = Document(FAULTS_PLACE.published(TEXT))
SOAK = Document(SOAK_PLACE.published(TEXT))
_CELL = re.compile(r"(whole(, asked again)?|(\d{3}|event|beginning, then) `\w+`), (< 1|\d+) s")


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.heading)
def test_every_fault_was_tried_in_every_api_whole_and_streamed(part: Part) -> None:
    (table,) = FAULT_TABLES.section(part.heading).tables
    assert [quoted(fault)[0] for fault, *_ in table] == part.faults, "run make faults"
    assert {len(row) for row in table} == {len(COLUMNS) + 2}


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.heading)
def test_no_cell_is_anything_but_an_outcome_in_time_and_nothing_leaked(part: Part) -> None:
    (table,) = FAULT_TABLES.section(part.heading).tables
    assert [cell for _, *cells, _ in table for cell in cells if not _CELL.fullmatch(cell)] == []
    assert {leaked for *_, leaked in table} == {NOTHING}


def test_every_scene_was_played_and_no_promise_broken() -> None:
    (table,) = FAULT_TABLES.section("Scenes").tables
    told = {name: broken for name, _, _, broken in table}
    known = [scene.name for module in (bodies, connections, identity, nonsense) for scene in module.SCENES]
    assert set(known) < set(told), "run make faults"
    assert {word for word in ("Redis", "killed", "SIGTERM", "log") if not any(word in name for name in told)} == set()
    assert set(told.values()) == {NOTHING}
    assert BROKEN not in FAULT_TABLES.text


def test_the_soak_was_a_whole_one_and_broke_no_promise() -> None:
    told = {row[0]: row[1] for row in SOAK.tables[1]}
    assert float(told["seconds"]) >= 600
    assert (told["requests without an outcome"], told["promises broken"]) == ("0", "0")
    growth = next(value for name, value in told.items() if name.startswith("growth"))
    assert float(growth.rstrip("%")) / 100 <= MOST_GROWTH
