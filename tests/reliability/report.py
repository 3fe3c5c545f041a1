"""The results as they stand in docs/reliability.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from emulator import FAULTS
from tests.reliability.apis import APIS
from tests.reliability.cells import PARTS, Part, Result
from tests.reliability.scenes.scene import Found, Scene
from tests.support.program import ROOT
from tests.support.published import Place, markdown_table

DOCUMENT = ROOT / "docs" / "reliability.md"
FAULTS_PLACE, SOAK_PLACE = Place.of("make faults"), Place.of("make soak")
NOTHING, BROKEN = "nothing", "BROKEN"
COLUMNS = tuple(f"{api.name}{', streamed' if stream else ''}" for api in APIS for stream in (False, True))

Played = Sequence[tuple[Scene, Found]]


def report(results: Sequence[Result], played: Played) -> str:
    """Every table of `make faults`."""
    parts = [f"### {part.heading}\n\n{_part_table(part, results)}\n" for part in PARTS]
    return "\n" + "\n".join((*parts, f"### Scenes\n\n{_scene_table(played)}\n")) + "\n"


def shortfalls(results: Iterable[Result], played: Played) -> list[str]:
    """Every broken promise, in a line."""
    return [
        *(f"{_name(result)}: {what}" for result in results for what in (*result.broken, *result.attempt.leaked)),
        *(f"{scene.name}: {what}" for scene, found in played for what in found.broken),
    ]


def _name(result: Result) -> str:
    cell = result.cell
    return f"{cell.part.heading}, {cell.fault}, {cell.api.name}{', streamed' if cell.stream else ''}"


def _part_table(part: Part, results: Sequence[Result]) -> str:
    of_part = [result for result in results if result.cell.part == part]
    faults = dict.fromkeys(result.cell.fault for result in of_part)
    return markdown_table(["fault", *COLUMNS, "leaked"], *(list(_row(fault, of_part)) for fault in faults))


def _row(fault: str, results: Sequence[Result]) -> Iterator[str]:
    yield f"`{fault}`: {FAULTS[fault].summary}"
    of_fault = [result for result in results if result.cell.fault == fault]
    yield from map(_cell, of_fault)
    yield ", ".join(sorted({leak for result in of_fault for leak in result.attempt.leaked})) or NOTHING


def _cell(result: Result) -> str:
    """Outcome and whole seconds: what takes half a second one time and a quarter the next shall read the same."""
    broken = f" **{BROKEN}: {'; '.join(result.broken)}**" if result.broken else ""
    return f"{result.attempt.verdict}, {int(result.attempt.answer.seconds) or '< 1'} s{broken}"


def _scene_table(played: Played) -> str:
    lines = [
        [scene.name, scene.promise, found.seen, f"**{BROKEN}: {'; '.join(found.broken)}**" if found.broken else NOTHING]
        for scene, found in played
    ]
    return markdown_table(["what happens", "what is promised", "what is seen", "promises broken"], *lines)
