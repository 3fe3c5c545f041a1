"""The guides of docs/clients, followed to the letter: each client does its task, and reaches nothing but the proxy."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path

import pytest

from emulator import Emulator, Reply
from tests.clients.guide import Guide
from tests.clients.outside import outside
from tests.support.made_run import MadeRun, made_run
from tests.support.program import ROOT, Program
from tests.support.proxy import environment

_GUIDES = ROOT / "docs" / "clients"
#: Where `make clients` installs them.
_PYTHON, _CREWAI, _AIDER = ".venv-clients", ".venv-clients-crewai", ".venv-clients-aider"
_NPM = "clients/node_modules/.bin"
_RESULT = re.compile(r'^<tool_result name="(\w+)"', re.MULTILINE)

#: What a coding program is asked to do: its first call writes what its second reads.
_NUMBER, _DOUBLE = "17\n", "34\n"


@dataclass(frozen=True, slots=True)
class Client:
    """One client.

    Attributes:
        guide: the name of its guide.
        venv: the environment it is installed in; that of npm has no Python.
        calls: the tools that it calls, one after the other.
    """

    guide: str
    venv: str
    calls: Sequence[str]

    @property
    def path(self) -> str:
        """The folder of its programs."""
        return str(ROOT / self.venv / "bin") if self.venv.startswith(".venv") else str(ROOT / self.venv)


LIBRARIES = [
    Client("openai-agents", _PYTHON, ["get_temperature", "to_fahrenheit"]),
    Client("pydantic-ai", _PYTHON, ["get_temperature", "to_fahrenheit"]),
    Client("langchain", _PYTHON, ["get_temperature", "to_fahrenheit"]),
    Client("crewai", _CREWAI, ["get_temperature", "to_fahrenheit"]),
    Client("vercel-ai-sdk", _NPM, ["getTemperature", "toFahrenheit"]),
]
PROGRAMS = [
    Client("opencode", _NPM, ["bash", "read"]),
    Client("claude-code", _NPM, ["Bash", "Read"]),
    Client("codex", _NPM, ["exec_command", "exec_command"]),
    Client("cline", _NPM, ["run_commands", "read_files"]),
    Client("continue", _NPM, ["Bash", "Read"]),
]
SMOLAGENTS = Client("smolagents", _PYTHON, [])
AIDER = Client("aider", _AIDER, [])


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MadeRun]:
    """One proxy and one emulator for all clients."""
    with made_run(tmp_path_factory.mktemp("proxy")) as running:
        yield running


@pytest.fixture
def folder(running: MadeRun, tmp_path: Path) -> Path:
    """The client's working folder, with the file that coding programs are asked about."""
    running.emulator.post("/_emulator/reset").raise_for_status()
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "number.txt").write_text(_NUMBER)
    (folder / "node_modules").symlink_to(ROOT / "clients" / "node_modules")  # what a JavaScript program imports
    return folder


def follow(client: Client, running: MadeRun, folder: Path, guides: Path = _GUIDES) -> None:
    """Do what the guide of `client` says, in `folder`, and check that its transcript is what is seen."""
    home = folder.parent / "home"
    guide = Guide.read(guides / f"{client.guide}.md", str(running.proxy.base_url))
    home.mkdir()
    guide.write(home, folder)
    with outside() as internet, chdir(folder):
        environment = {
            "PATH": f"{client.path}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "NO_COLOR": "1",
            "PYTHONUNBUFFERED": "1",
            "TERM": "dumb",
            **internet.environment,
        }
        with Program(["bash", "-c", guide.script], environment) as program:
            code = program.end()
    assert code == 0, program.output
    guide.check(program.output)
    assert internet.asked == []


def results(running: MadeRun) -> list[list[str]]:
    """Whose results stood in each prompt that had tools; a prompt of none came before any call."""
    return [_RESULT.findall(prompt) for prompt in running.prompts() if "<tools>\n" in prompt]


@pytest.mark.parametrize("client", [*LIBRARIES, *PROGRAMS], ids=lambda client: client.guide)
def test_two_calls_are_made_one_after_the_other(client: Client, running: MadeRun, folder: Path) -> None:
    follow(client, running, folder)
    assert results(running) == [[], client.calls[:1], client.calls]
    if client in PROGRAMS:
        assert (folder / "double.txt").read_text() == _DOUBLE


def test_the_agents_sdk_does_the_same_over_the_responses_api(running: MadeRun, folder: Path, tmp_path: Path) -> None:
    client = LIBRARIES[0]
    guide = (_GUIDES / f"{client.guide}.md").read_text("utf-8")
    (tmp_path / f"{client.guide}.md").write_text(guide.replace("ChatCompletionsModel", "ResponsesModel"), "utf-8")
    follow(client, running, folder, guides=tmp_path)
    assert results(running) == [[], client.calls[:1], client.calls]


def test_smolagents_tells_results_as_text(running: MadeRun, folder: Path) -> None:
    follow(SMOLAGENTS, running, folder)
    observed = [re.findall(r"^Observation:\n(.+)$", prompt, re.MULTILINE) for prompt in running.prompts()]
    assert observed == [[], ["28 degrees Celsius"], ["28 degrees Celsius", "82.4"]]


def test_aider_writes_the_file_that_the_agent_shows_it(running: MadeRun, folder: Path) -> None:
    running.script("number.txt\n```\n34\n```\n")
    follow(AIDER, running, folder)
    assert (folder / "number.txt").read_text() == _DOUBLE


def test_the_example_for_crewai_calls_its_tool_and_reports(running: MadeRun, tmp_path: Path) -> None:
    command = [str(ROOT / _CREWAI / "bin" / "python"), str(ROOT / "examples" / "crewai_crew.py")]
    with (
        chdir(tmp_path),
        Program(command, environment({"OPENAI_BASE_URL": running.base_url, "HOME": str(tmp_path)})) as program,
    ):
        assert program.end() == 0, program.output
    assert "get_weather('Recife')" in program.output
    assert re.search(r"28 degrees and sunny in Recife\s*$", program.output)


_AGENT = "00000000-0000-4000-8000-000000000000"
_COUNT = "One Two Three Four Five"


def run_with_crewai(program: Path, emulator: Emulator, home: Path) -> str:
    """What a program says that asks agents of Fusion, and reaches nothing else."""
    command = [str(ROOT / _CREWAI / "bin" / "python"), str(program)]
    ours = {"FUSION_API_KEY": "sk-secret", "FUSION_BASE_URL": emulator.fusion_url, "FUSION_AGENT_ID": _AGENT}
    quiet = {"CREWAI_DISABLE_TELEMETRY": "true", "CREWAI_TRACING_ENABLED": "false", "OTEL_SDK_DISABLED": "true"}
    with (
        outside() as internet,
        chdir(home),
        Program(command, environment({**ours, **quiet, **internet.environment, "HOME": str(home)})) as running,
    ):
        assert running.end() == 0, running.output
    assert internet.asked == []
    return running.output


def test_a_crew_of_two_agents_asks_fusion_without_the_proxy(emulator: Emulator, tmp_path: Path) -> None:
    emulator.script(Reply("51"), Reply("The result is 51."))
    output = run_with_crewai(ROOT / "examples" / "fusion_crew.py", emulator, tmp_path)
    assert output.endswith("researcher: 51\nwriter: The result is 51.\n")
    first, second = emulator.chats
    assert "How much is 17 * 3?" in first.json["message"]
    assert "51" in second.json["message"]


def test_fusion_can_be_the_model_of_crewai_in_all_that_crewai_asks_of_one(emulator: Emulator, tmp_path: Path) -> None:
    call = 'Thought: I look.\nAction: get_weather\nAction Input: {"city": "Recife"}\nObservation: made up'
    answer = "Thought: I now know the final answer\nFinal Answer: 28 degrees in Recife."
    emulator.script(Reply(call), Reply(answer), *[Reply(_COUNT)] * 4)
    emulator.script(Reply('{"name": "Recife"}'), Reply(fault="not_found"))
    output = run_with_crewai(Path(__file__).parent / "fusion_llm.py", emulator, tmp_path)
    assert json.loads(output.splitlines()[-1]) == {
        "tool": "28 degrees in Recife.",
        "whole": "One Two Three ",
        "async": _COUNT,
        "streamed": "One Two Three ",
        "streamed async": "One Two Three ",
        "model": "Recife",
        "failure": "AgentNotFoundError",
        "tools": "Fusion's agents take no tools; CrewAI writes them into the prompt instead.",
        "key in sight": False,
        "heard": ["llm_call_completed", "llm_call_failed", "llm_stream_chunk"],
    }
    assert "28 degrees in Recife" in emulator.chats[1].json["message"]
    assert "made up" not in emulator.chats[1].json["message"]
    assert emulator.chats[4].json["folder"] == "counts"
