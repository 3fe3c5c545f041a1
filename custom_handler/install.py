"""Makes `.venv` and installs a locked requirements file into it: `python3 -m custom_handler.install requirements.txt`.

It runs before anything is installed, so it needs Python and nothing else. A file that is installed already costs no
time; an installation that was interrupted is started again from an empty `.venv`, since pip cannot tell a package
that it left half copied from a whole one.
"""

from __future__ import annotations

import argparse
import fcntl
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

OLDEST, NEWEST = (3, 11), (3, 13)

#: What pip says when it starts to change a virtual environment; until then it only downloads and builds.
_COPYING = "Installing collected packages"

_COMPILER = "A C++ compiler is needed (Debian: apt-get install build-essential; macOS: xcode-select --install)."
_NETWORK = (
    "Where the package index is reached through a proxy, set HTTPS_PROXY=http://host:port; if that has its own CA, "
    "PIP_CERT=/path/to/ca.pem; where there is a mirror, PIP_INDEX_URL."
)


class InstallError(Exception):
    """The installation cannot go on; the message is one line that says what to do."""


@dataclass(frozen=True, slots=True)
class Venv:
    """A virtual environment and what is known of it.

    Attributes:
        folder: where it stands; it need not exist.
    """

    folder: Path

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    @property
    def log(self) -> Path:
        """What venv or pip said last."""
        return self.folder / "install.log"

    @property
    def unfinished(self) -> Path:
        """Exists while something is being installed, and after that if it did not end well."""
        return self.folder / "unfinished"

    def stamp(self, requirements: Path) -> Path:
        """A copy of the requirements file as it was when it was installed."""
        return self.folder / "installed" / requirements.name

    def has(self, requirements: Path) -> bool:
        """Whether exactly this file is installed."""
        stamp = self.stamp(requirements)
        return self.works() and stamp.is_file() and stamp.read_bytes() == requirements.read_bytes()

    def works(self) -> bool:
        """Whether it is complete, its Python still exists (they are upgraded and removed) and pip is there."""
        fits = f"import sys, pip; sys.exit(not {OLDEST} <= sys.version_info[:2] <= {NEWEST})"
        if self.unfinished.exists() or not self.python.exists():
            return False
        return subprocess.run([self.python, "-c", fits], check=False, capture_output=True).returncode == 0


def main(arguments: Sequence[str]) -> int:
    """Install requirements files into `./.venv`, or the folder behind `--into`.

    Returns:
        0 when all are installed; 1, and a line why, when one is not; 130 after Ctrl-C.
    """
    parser = argparse.ArgumentParser(prog="python -m custom_handler.install")
    parser.add_argument("requirements", nargs="+", type=Path, help="a locked requirements file")
    parser.add_argument("--into", default=".venv", type=Path, help="the virtual environment (default: .venv)")
    options = parser.parse_args(arguments)
    try:
        for requirements in options.requirements:
            install(requirements, Venv(options.into))
    except InstallError as exc:
        print(exc, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. The next make starts the installation again.", file=sys.stderr)
        return 130
    return 0


def install(requirements: Path, venv: Venv) -> None:
    """Bring `venv` to what the locked file `requirements` says.

    Raises:
        InstallError: this Python cannot make a virtual environment, or pip failed.
    """
    with _alone(venv.folder):
        if venv.has(requirements):
            return
        if not venv.works():
            _create(venv)
        print(f"Installing {requirements} into {venv.folder} ({_duration(requirements)})…", flush=True)
        _pip_install(requirements, venv)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait for another installation into `folder`, such as `make test` beside `make run`, to end."""
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _duration(requirements: Path) -> str:
    """What to expect; the figures are those of two cores and a fast line."""
    return "it compiles llama.cpp: 5 to 15 minutes" if "smollm2" in requirements.name else "about a minute"


def _create(venv: Venv) -> None:
    shutil.rmtree(venv.folder, ignore_errors=True)
    venv.folder.mkdir()
    venv.unfinished.touch()
    if not _run(venv, sys.executable, "-m", "venv", str(venv.folder)):
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise InstallError(
            f"{sys.executable} cannot make a virtual environment. On Debian and Ubuntu: "
            f"sudo apt-get install python{version}-venv, then run make again. Details: {venv.log}"
        )


def _pip_install(requirements: Path, venv: Venv) -> None:
    venv.unfinished.touch()
    # --no-user and --no-input: a pip configuration of one's own must neither lead elsewhere nor ask.
    pip = (str(venv.python), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--no-user")
    if not _run(venv, *pip, "-r", str(requirements)):
        said = venv.log.read_text("utf-8", "replace")
        if _COPYING not in said:
            venv.unfinished.unlink()
        raise InstallError(f"Installing {requirements} failed: {_advice(said)} Details: {venv.log}")
    venv.stamp(requirements).parent.mkdir(exist_ok=True)
    shutil.copyfile(requirements, venv.stamp(requirements))
    venv.unfinished.unlink()


def _run(venv: Venv, *command: str) -> bool:
    with venv.log.open("wb") as log:
        return subprocess.run(command, check=False, stdin=subprocess.DEVNULL, stdout=log, stderr=log).returncode == 0


def _advice(log: str) -> str:
    """The last error of a pip log, and what helps against it."""
    errors = [line for line in log.splitlines() if line.startswith("ERROR: ")]
    cause = errors[-1].removeprefix("ERROR: ") if errors else "pip said nothing more"
    remedy = _COMPILER if "Failed to build" in log else _NETWORK
    return f"{cause.rstrip('.')}. {remedy} Then run make again."


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
