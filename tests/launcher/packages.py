"""Packages made on the spot, so that installing needs no network."""

from __future__ import annotations

import zipfile
from pathlib import Path

_BACKEND = """
import os

def prepare_metadata_for_build_wheel(folder, settings=None):
    os.mkdir(f"{folder}/demo-1.dist-info")
    with open(f"{folder}/demo-1.dist-info/METADATA", "w") as file:
        file.write("Metadata-Version: 2.1\\nName: demo\\nVersion: 1\\n")
    return "demo-1.dist-info"

def build_wheel(*_):
    WHAT_HAPPENS
"""
_PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""


def wheel(version: str) -> Path:
    """A wheel of the package `demo`, whose `VERSION` is `version`, in the working directory."""
    path = Path(f"demo-{version}-py3-none-any.whl")
    info = f"demo-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("demo.py", f"VERSION = {version!r}")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: demo\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


def source_tree(what_happens: str) -> Path:
    """A package that must be built, in the working directory; building it runs the statement `what_happens`."""
    path = Path("demo-source")
    path.mkdir()
    (path / "pyproject.toml").write_text(_PROJECT)
    (path / "backend.py").write_text(_BACKEND.replace("WHAT_HAPPENS", what_happens))
    return path
