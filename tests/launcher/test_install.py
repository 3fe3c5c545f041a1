"""Making `.venv` and installing into it, with packages made on the spot."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from custom_handler import install
from tests.launcher.packages import source_tree, wheel
from tests.support.program import Program

VENV = Path(".venv")
REQUIREMENTS = Path("requirements.txt")


@pytest.fixture(autouse=True)
def _no_index(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")


def require(package: Path) -> None:
    REQUIREMENTS.write_text(f"./{package}\n")


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which version 1 of `demo` was installed."""
    folder = tmp_path_factory.mktemp("made")
    with contextlib.chdir(folder):
        require(wheel("1"))
        assert install.main([str(REQUIREMENTS)]) == 0
    return folder


@pytest.fixture
def made(made_once: Path, tmp_path: Path) -> None:
    """The same in the working directory."""
    shutil.copytree(made_once, tmp_path, symlinks=True, dirs_exist_ok=True)


def installed_version() -> str:
    python = str(VENV / "bin" / "python")
    return subprocess.check_output([python, "-c", "import demo; print(demo.VERSION)"], text=True).strip()  # noqa: S603


@pytest.mark.usefixtures("made")
def test_a_file_is_installed_once_and_again_when_it_changes(capsys: pytest.CaptureFixture[str]) -> None:
    assert installed_version() == "1"
    assert install.main([str(REQUIREMENTS)]) == 0
    assert capsys.readouterr().out == ""
    require(wheel("2"))
    assert install.main([str(REQUIREMENTS)]) == 0
    assert "Installing requirements.txt into .venv" in capsys.readouterr().out
    assert installed_version() == "2"


def _interrupted() -> None:
    (VENV / "unfinished").touch()


def _without_its_python() -> None:
    (VENV / "bin" / "python").unlink()
    (VENV / "bin" / "python").symlink_to("/no/such/python")


def _without_pip() -> None:
    for folder in VENV.glob("lib/python*/site-packages/pip"):
        shutil.rmtree(folder)


def _no_venv_at_all() -> None:
    shutil.rmtree(VENV)
    VENV.mkdir()


@pytest.mark.parametrize("damage", [_interrupted, _without_its_python, _without_pip, _no_venv_at_all])
@pytest.mark.usefixtures("made")
def test_a_damaged_venv_is_made_again(damage: Callable[[], None]) -> None:
    damage()
    assert install.main([str(REQUIREMENTS)]) == 0
    assert installed_version() == "1"


def test_two_installations_at_once_take_turns(environment: Mapping[str, str]) -> None:
    require(wheel("1"))
    command = (sys.executable, "-m", "custom_handler.install", str(REQUIREMENTS))
    with Program(command, environment) as one, Program(command, environment) as other:
        assert (one.end(), other.end()) == (0, 0)
    assert (one.output + other.output).count("Installing") == 1
    assert installed_version() == "1"


def test_ctrl_c_ends_it_in_one_line_and_the_next_run_heals(environment: Mapping[str, str]) -> None:
    os.mkfifo("building")
    building = Path("building").absolute()
    require(source_tree(f"open({str(building)!r}, 'w').write('x'); import signal; signal.pause()"))
    with Program((sys.executable, "-m", "custom_handler.install", str(REQUIREMENTS)), environment) as program:
        assert building.read_text() == "x"  # returns when pip is in the middle of it
        program.press_ctrl_c()
        assert program.end() == 130
    assert program.output.endswith("\nInterrupted. The next make starts the installation again.\n")
    assert "Traceback" not in program.output
    require(wheel("1"))
    assert install.main([str(REQUIREMENTS)]) == 0
    assert installed_version() == "1"


@pytest.mark.usefixtures("made")
def test_a_package_that_cannot_be_had_is_one_line_with_what_to_try(capsys: pytest.CaptureFixture[str]) -> None:
    REQUIREMENTS.write_text("no-such-package==1\n")
    assert install.main([str(REQUIREMENTS)]) == 1
    said = capsys.readouterr().err
    assert "No matching distribution found for no-such-package==1." in said
    assert "HTTPS_PROXY" in said
    assert "PIP_CERT" in said
    assert said.count("\n") == 1
    assert installed_version() == "1", "pip had not begun to change anything, and all is still there"


@pytest.mark.usefixtures("made")
def test_a_package_that_cannot_be_built_asks_for_a_compiler(capsys: pytest.CaptureFixture[str]) -> None:
    require(source_tree("raise SystemExit('no compiler')"))
    assert install.main([str(REQUIREMENTS)]) == 1
    assert "A C++ compiler is needed" in capsys.readouterr().err


def test_a_python_without_venv_is_one_line_with_the_package_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Debian's python3 without python3-venv: the module is there, says that ensurepip is not, and fails.
    Path("venv.py").write_text("raise SystemExit('ensurepip is not available')")
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))
    require(wheel("1"))
    assert install.main([str(REQUIREMENTS)]) == 1
    said = capsys.readouterr().err
    assert f"apt-get install python3.{sys.version_info.minor}-venv" in said
    assert said.count("\n") == 1
