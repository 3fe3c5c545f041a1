"""Every example runs as it is, in one command, against the proxy that `make run` starts."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from emulator import Emulator
from tests.conftest import settings_for
from tests.support.made_run import MadeRun
from tests.support.program import ROOT
from tests.support.proxy import environment

EXAMPLES = ROOT / "examples"
TOKENS = r"tokens: [1-9]\d* in, [1-9]\d* out\n"
SQUARES = "".join(f"{number} * {number} = {number * number}\n" for number in range(1, 13))
#: Example → what it prints, as a regular expression. The emulator's agent always answers the same.
PRINTED = {
    "openai_plain.py": rf"17 \* 3 = 51\n{TOKENS}",
    "openai_streaming.py": re.escape(", ".join(map(str, range(1, 21)))) + rf"\n{TOKENS}",
    "openai_tools.py": re.escape('get_balance({"account": 1001}) -> R$ 2,500.00\nget_balance answered: R$ 2,500.00\n'),
    "openai_files.py": r"I have received image-b1ff9c8e\.png \(69 bytes\), balances\.csv \(40 bytes\)\.\n",
    "async_concurrency.py": re.escape(SQUARES),
    "pydantic_ai_tools.py": (
        r"correlation id: bank-4711\n"
        r"get_weather\('Recife'\)\n"
        r"get_weather answered: 28 degrees and sunny in Recife\n"
        rf"2 requests, {TOKENS}"
    ),
    "langchain_chat.py": re.escape(
        "1, 2, 3, 4, 5\nget_exchange_rate({'currency': 'USD'}) -> 5.43\nget_exchange_rate answered: 5.43\n"
    ),
    "litellm_sdk.py": rf"17 \* 3 = 51\n{TOKENS}1, 2, 3, 4, 5\n",
    "fallbacks.py": r"17 \* 3 = 51\n1, 2, 3\n",
    "curl.sh": (
        r'\{.*"content":"17 \* 3 = 51".*"usage":\{.*\}\}\n'
        r'(?:data: \{.*\}\n\n)+data: \{.*"choices":\[\],"usage":\{.*\}\}\n\ndata: \[DONE\]\n\n\n'
        r'\{.*"finish_reason":"tool_calls".*\{\\"city\\": \\"Recife\\"\}.*\}\n'
    ),
}
#: Its packages do not go with the proxy's: `make clients` runs it in an environment of its own.
RUN_WITH_CLIENTS = {"crewai_crew.py", "fusion_crew.py"}


def run(name: str, folder: Path, **settings: str) -> str:
    """What the example prints; it runs in `folder`, where no `.env` is."""
    command = ["bash", str(EXAMPLES / name)] if name.endswith(".sh") else [sys.executable, str(EXAMPLES / name)]
    done = subprocess.run(  # noqa: S603 (files of the project)
        command, cwd=folder, env=environment(settings), capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_example_is_tried() -> None:
    files = {path.name for path in EXAMPLES.iterdir() if path.suffix in {".py", ".sh"}}
    assert files == PRINTED.keys() | RUN_WITH_CLIENTS


@pytest.mark.parametrize("name", PRINTED)
def test_an_example_prints_what_the_agent_answers(name: str, running: MadeRun, tmp_path: Path) -> None:
    printed = run(name, tmp_path, OPENAI_BASE_URL=running.base_url, CORRELATION_ID="bank-4711")
    assert re.fullmatch(PRINTED[name], printed), printed


def test_the_example_without_a_proxy_uses_the_credentials_that_are_set(emulator: Emulator, tmp_path: Path) -> None:
    printed = run("litellm_sdk.py", tmp_path, **settings_for(emulator))
    assert re.fullmatch(PRINTED["litellm_sdk.py"], printed), printed
    assert [request.json["user_prompt"] for request in emulator.requests if request.path.endswith("/chat")] == [
        "How much is 17 * 3?",
        "Count from 1 to 5.",
    ]


@pytest.mark.parametrize("name", sorted(PRINTED.keys() | RUN_WITH_CLIENTS))
def test_the_list_of_examples_has_the_command_of_each(name: str) -> None:
    assert f"examples/{name}" in (EXAMPLES / "README.md").read_text("utf-8")
