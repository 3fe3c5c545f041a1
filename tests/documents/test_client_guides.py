"""docs/clients: every guide is driven by `make clients`, with the versions it names. What it says is tried there."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.clients.guide import Guide
from tests.clients.test_clients import AIDER, LIBRARIES, PROGRAMS, SMOLAGENTS
from tests.documents.markdown import Document
from tests.support.program import ROOT

FOLDER = ROOT / "docs" / "clients"
GUIDES = sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")
URL = "http://127.0.0.1:43121"


def locked() -> set[str]:
    """Every client that is asked for, as `name version`."""
    asked = "\n".join(path.read_text("utf-8") for path in ROOT.glob("requirements-clients*.in"))
    python = re.findall(r"^([\w-]+)(?:\[\w+\])?==(\S+)$", asked, re.MULTILINE)
    npm = json.loads((ROOT / "clients" / "package.json").read_text("utf-8"))["dependencies"].items()
    return {f"{name} {version}" for name, version in (*python, *npm)}


def test_every_guide_is_driven() -> None:
    driven = {client.guide for client in (*LIBRARIES, *PROGRAMS, SMOLAGENTS, AIDER)}
    assert driven == {path.stem for path in GUIDES}


def test_the_table_has_every_guide_and_the_locked_versions() -> None:
    document = Document.read(FOLDER / "README.md")
    (rows,) = document.tables
    assert [link for row in rows for link in Document(row[0]).links] == [path.name for path in GUIDES]
    assert {version for row in rows for version in row[1].split(", ")} == locked()


@pytest.mark.parametrize("path", GUIDES, ids=lambda path: path.stem)
def test_a_guide_names_the_versions_of_the_table(path: Path) -> None:
    (rows,) = Document.read(FOLDER / "README.md").tables
    (row,) = [row for row in rows if f"({path.name})" in row[0]]
    text = " ".join(path.read_text("utf-8").split())
    assert all(version in text for version in row[1].split(", "))


@pytest.mark.parametrize("path", GUIDES, ids=lambda path: path.stem)
def test_a_guide_has_files_commands_and_what_is_seen(path: Path) -> None:
    guide = Guide.read(path, URL)
    assert any(URL in text for text in (guide.script, *guide.files.values()))
    assert guide.script.count("\n") >= 1
    assert guide.seen


def test_a_transcript_is_lines_in_their_order(tmp_path: Path) -> None:
    path = tmp_path / "guide.md"
    path.write_text("```console\n$ cat <<END\n> a\n> END\nfirst\n…second…\n```\n", "utf-8")
    guide = Guide.read(path, URL)
    assert guide.script == "set -eu\ncat <<END\na\nEND"
    guide.check("before\n\x1b[31mfirst\x1b[0m\nbetween\nthe second line\nafter\n")
    for wrong in ("the second line\nfirst\n", "first\n", "first one\nsecond\n", ""):
        with pytest.raises(AssertionError, match="is not, or not in this place"):
            guide.check(wrong)


def test_the_lock_of_npm_names_no_host() -> None:
    lock = json.loads((ROOT / "clients" / "package-lock.json").read_text("utf-8"))
    assert [name for name, package in lock["packages"].items() if "resolved" in package] == []
    assert all("integrity" in package for name, package in lock["packages"].items() if name)
