"""Clients whose packages do not go with the proxy's, in the environment that `make clients` makes for them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.support.made_run import made_run
from tests.support.program import ROOT
from tests.support.proxy import environment

_PYTHON = ROOT / ".venv-clients" / "bin" / "python"


def test_a_crewai_agent_calls_its_tool_and_reports(tmp_path: Path) -> None:
    with made_run(tmp_path) as running:
        done = subprocess.run(  # noqa: S603 # our own example
            [_PYTHON, ROOT / "examples" / "crewai_crew.py"],
            env=environment({"OPENAI_BASE_URL": running.base_url, "HOME": str(tmp_path)}),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert "get_weather('Recife')" in done.stdout
    assert re.search(r"28 degrees and sunny in Recife\s*$", done.stdout)
