"""The guide to Fusion's client: each example runs in the command below it, and prints what stands there."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator import Emulator, Options
from fusion_client.integrations import opentelemetry
from tests.documents.markdown import Document, quoted
from tests.support.program import ROOT
from tests.support.proxy import environment

GUIDE = ROOT / "docs" / "fusion.md"
AGENT = "00000000-0000-4000-8000-000000000000"
FILE = re.compile(r"^`([\w.]+)`:\n\n```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^```console\n\$ (python [^\n]*?)(\w+\.py)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILES: dict[str, str] = dict(FILE.findall(GUIDE.read_text("utf-8")))
COMMANDS: list[tuple[str, str, str]] = COMMAND.findall(GUIDE.read_text("utf-8"))


@pytest.fixture(scope="module")
def fusion() -> Iterator[Emulator]:
    with Emulator(Options(rpm=None)) as running:
        yield running


def run(folder: Path, command: str, fusion: Emulator) -> str:
    for name, content in FILES.items():
        (folder / name).write_text(content, "utf-8")
    settings = {"FUSION_BASE_URL": fusion.fusion_url, "FUSION_API_KEY": "any", "FUSION_AGENT_ID": AGENT}
    program = [sys.executable, *command.split()[1:]]
    done = subprocess.run(  # noqa: S603 (the guide is ours)
        program, cwd=folder, env=environment(settings), capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(("options", "name", "shown"), COMMANDS, ids=[name for _, name, _ in COMMANDS])
def test_an_example_prints_what_the_guide_shows(
    options: str, name: str, shown: str, fusion: Emulator, tmp_path: Path
) -> None:
    printed = run(tmp_path, options + name, fusion)
    pattern = "[^\n]*".join(map(re.escape, shown.split("…")))
    assert re.search(rf"^{pattern}\Z", printed, re.MULTILINE), printed


def test_every_file_of_the_guide_is_run() -> None:
    assert FILES.keys() - {name for _, name, _ in COMMANDS} == {"conftest.py"}
    assert Document.read(GUIDE).text.count("```python") == len(FILES)


def test_the_figures_of_the_guide_are_those_of_the_code() -> None:
    (table,) = Document.read(GUIDE).section("OpenTelemetry").tables
    told = {name for row in table for name in quoted(row[0])}
    assert told == set(re.findall(r"fusion\.client\.[\w.]+", opentelemetry.__doc__ or ""))
