"""The documents say what the code does: commands run, tables are complete, both READMEs agree, links lead somewhere."""

from __future__ import annotations

import ast
import asyncio
import json
import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import litellm
import pytest
import yaml

import fusion_client
from custom_handler import launch_plan, models, routes, services, settings
from custom_handler.errors import BridgeError
from custom_handler.model_info import ModelInfo
from custom_handler.settings import Setting
from custom_handler.transport import as_upstream_error
from custom_handler.upstream.fusion_errors import OF_AGENT, OF_FILE, Place, as_bridge_error
from custom_handler.upstream.refusals import as_form_refusal, as_refusal, as_store_refusal
from tests.documents.markdown import Document, quoted
from tests.support.made_run import MadeRun
from tests.support.program import ROOT

README, README_PT = ROOT / "README.md", ROOT / "README.pt-BR.md"
DOCS = ROOT / "docs"
DOCUMENTS = (README, README_PT, ROOT / "CHANGELOG.md", ROOT / "examples" / "README.md", *sorted(DOCS.rglob("*.md")))
CONFIGURATION, TROUBLESHOOTING = DOCS / "configuration.md", DOCS / "troubleshooting.md"


# The README's first minute


def without_changing_parts(answer: str) -> dict[str, Any]:
    return {**json.loads(answer), "id": "", "created": 0}


def test_the_first_command_stands_in_the_first_twenty_lines() -> None:
    assert "make run" in README.read_text("utf-8").splitlines()[:20]


def test_the_readme_shows_the_curl_that_make_run_prints_and_its_answer(running: MadeRun) -> None:
    _, shown, answer, *_ = Document.read(README).code
    assert shown.strip() == running.curl.replace(running.base_url, "http://127.0.0.1:4000/v1")
    done = subprocess.run(shlex.split(f"{running.curl} -s"), capture_output=True, text=True, check=True)  # noqa: S603
    assert without_changing_parts(done.stdout) == without_changing_parts(answer)


def test_the_clients_of_the_readme_can_be_made_as_they_stand(running: MadeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    from langchain_openai import ChatOpenAI
    from openai import OpenAI
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    monkeypatch.setattr(litellm, "custom_provider_map", [])
    code = Document.read(README).section("Clients").code[0].replace("http://127.0.0.1:4000/v1", running.base_url)
    of_crewai = re.compile(r"^LLM\(.*\n", re.MULTILINE)  # tried by its example, in an environment of its own
    assert of_crewai.search(code)
    names = {
        "OpenAI": OpenAI,
        "OpenAIChatModel": OpenAIChatModel,
        "OpenAIProvider": OpenAIProvider,
        "ChatOpenAI": ChatOpenAI,
        "litellm": litellm,
        "messages": [{"role": "user", "content": "hi"}],
    }
    asyncio.set_event_loop(None)  # otherwise LiteLLM makes one and never closes it, for which a later test is blamed
    exec(of_crewai.sub("", code), names)  # noqa: S102 (the README is ours)


def test_the_further_model_of_the_readme_is_an_entry_of_the_config() -> None:
    shown = Document.read(README).section("More models").code[0]
    config = (ROOT / "config.yaml").read_text("utf-8").replace("\nlitellm_settings:", f"{shown}\nlitellm_settings:", 1)
    first, *_, entry = yaml.safe_load(config)["model_list"]
    assert entry["model_info"].items() > first["model_info"].items()
    model = entry["litellm_params"]["model"].removeprefix("stackspot/")
    target = models.Target(agent_id="01ARZ3NDEKTSV4RRFFQ69G5FAV", account=None)
    assert models.resolve(services.STACKSPOT, ModelInfo(model, entry["model_info"])) == target


def test_the_commands_of_the_readme_are_targets_of_make() -> None:
    told = set(re.findall(r"^make ([\w-]+)", "\n".join(Document.read(README).code), re.MULTILINE))
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert {"run", "check", "test", "lint"} <= told <= targets


# Settings

LAUNCHER_SETTINGS = [value for value in vars(launch_plan).values() if isinstance(value, Setting)]
SETTINGS: tuple[Setting[Any], ...] = (*settings.ALL, *LAUNCHER_SETTINGS)
#: Settings without a default that nothing asks for unless they are set.
OPTIONAL = {launch_plan.MASTER_KEY.name, launch_plan.BRAIN.name, launch_plan.EMULATOR_URL.name}


def default_of(setting: Setting[Any]) -> str:
    if setting.default:
        return f"`{setting.default}`"
    return "none" if setting.default == "" or setting.name in OPTIONAL else "required"


def test_the_table_of_settings_is_that_of_the_code() -> None:
    (table,) = Document.read(README).section("Settings").tables
    assert {tuple(row) for row in table} == {
        (f"`{setting.name}`", default_of(setting), setting.purpose) for setting in SETTINGS
    }


def test_the_portuguese_table_of_settings_has_the_same_names_and_defaults() -> None:
    words = {"required": "obrigatório", "none": "nenhum"}
    (table,) = Document.read(README_PT).section("Configurações").tables
    assert [row[:2] for row in table] == [
        [row[0], words.get(row[1], row[1])] for row in Document.read(README).section("Settings").tables[0]
    ]


def test_the_template_of_settings_has_all_of_them() -> None:
    template = (ROOT / ".env.example").read_text("utf-8")
    assert not [setting.name for setting in SETTINGS if setting.name not in template]


# The READMEs in step


def test_both_readmes_have_the_same_headings_code_tables_and_links() -> None:
    english, portuguese = Document.read(README), Document.read(README_PT)
    assert [level for level, _ in english.headings] == [level for level, _ in portuguese.headings]
    assert english.code == portuguese.code
    assert list(map(len, english.tables)) == list(map(len, portuguese.tables))
    # Each begins with a link to the other.
    assert (english.links[0], portuguese.links[0]) == (README_PT.name, README.name)
    assert english.links[1:] == portuguese.links[1:]


# Links


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for link in Document.read(path).links:
        if link.startswith("https://"):
            continue
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        assert target.exists(), link
        assert not anchor or anchor in Document.read(target).anchors, link


def test_every_document_is_linked_from_another() -> None:
    linked = {
        (path.parent / link.partition("#")[0]).resolve()
        for path in DOCUMENTS
        for link in Document.read(path).links
        if not link.startswith("https://")
    }
    assert set(DOCUMENTS) - linked <= {README, README_PT}


# Troubleshooting


def modules() -> Iterator[tuple[Path, ModuleType]]:
    """The modules of the product, and their files."""
    for path in sorted((ROOT / "custom_handler").rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        yield path, import_module(name.removesuffix(".__init__"))


MODULES = dict(modules())
OURS: Mapping[str, type[BridgeError]] = {
    value.__name__: value
    for module in MODULES.values()
    for value in vars(module).values()
    if isinstance(value, type) and issubclass(value, BridgeError)
}
#: Their messages are read by whoever starts the proxy, not by clients.
AT_THE_START = {f"custom_handler.{name}" for name in ("launch_plan", "check", "install", "key_ring")}


def test_the_table_of_codes_is_that_of_the_code() -> None:
    (table,) = Document.read(TROUBLESHOOTING).section("Codes").tables
    told = {(int(status), *quoted(kind), *quoted(code)) for status, kind, code, _ in table}
    assert told == {(error.status, error.type, error.code) for error in OURS.values()}


#: Module → what its refusals of files are made with; their last argument follows the path of the field.
OF_FILES = {
    "attachments": {"_refusal"},
    "remote_files": {"_refusal"},
    "data_url": {"ValueError"},
    "file_types": {"ValueError"},
}


def messages() -> Iterator[tuple[str, str, str]]:
    """Module, class and text of every error that the code raises; … stands for what is only known at run time."""
    for path, module in MODULES.items():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute) and node.args:
                error = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
                if error in OURS or error == "InstallError":
                    yield module.__name__, error, literal(node.args[0], module)
                elif path.stem in OF_FILES and error in OF_FILES[path.stem]:
                    yield module.__name__, "RequestError", f"… {literal(node.args[-1], module)}."


def literal(node: ast.expr, module: ModuleType) -> str:
    """The text of an expression, as far as it stands in the code."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(literal(part, module) for part in parts)
        case ast.FormattedValue(value=value):
            known = constant(value, module)
            return str(known) if isinstance(known, str | int) else "…"
    return next((text for child in ast.walk(node) if (text := words_of(child))), "…")


def words_of(node: ast.AST) -> str:
    """The text of a constant with several words."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value else ""


def constant(node: ast.expr, module: object) -> object:
    match node:
        case ast.Name(id=name):
            return getattr(module, name, None)
        case ast.Attribute(value=value, attr=name):
            return getattr(constant(value, module), name, None)
    return None


def rows() -> Iterator[tuple[re.Pattern[str], str]]:
    """Each message of the tables as a pattern, and the cell behind it."""
    for table in Document.read(TROUBLESHOOTING).tables[1:-1]:
        for row in table:
            for message in quoted(row[0]):
                yield re.compile(".*".join(map(re.escape, message.split("…")))), row[1]


#: Messages that are put together of two texts of the code, and what becomes of them.
PUT_TOGETHER = {"….", "No connection to …: ….", "… ….", "… …", "The file in … …."}
FAILURES = (
    httpx.ConnectError("CERTIFICATE_VERIFY_FAILED"),
    httpx.ConnectError("Name or service not known"),
    httpx.ConnectError("Connection refused"),
    httpx.ConnectTimeout(""),
    httpx.ReadTimeout(""),
)
REFUSALS = (204, 302, 400, 401, 403, 404, 408, 422, 500, 503, 504)
REASONS = [
    *(str(as_upstream_error(failure, "StackSpot at host")) for failure in FAILURES),
    *(str(as_refusal(status, {}, b"", "agent-id")) for status in REFUSALS),
    *(str(as_form_refusal(status, {}, b"", "a.pdf")) for status in REFUSALS),
    *(str(as_store_refusal(status, b"", "a.pdf")) for status in REFUSALS if status >= 300),
]
REASONS += [
    str(
        as_bridge_error(kind("Fusion said no", status=status), Place("Fusion at host", "subject", "FUSION_API_KEY", of))
    )
    for of in (OF_AGENT, OF_FILE)
    for kind, status in {
        **dict.fromkeys(of, 400),
        fusion_client.RateLimitError: 429,
        fusion_client.ValidationError: 422,
    }.items()
]
REASONS += [
    str(as_bridge_error(fusion_client.ServerError(text), Place("Fusion at host", "agent", "FUSION_API_KEY", OF_AGENT)))
    for text in ("Fusion reported an error in its answer: why", "Fusion sent an event that cannot be read; and so on")
]
FROM_STACKSPOT = "Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in 300000 tokens."
MESSAGES = [message for message in messages() if message[2] not in PUT_TOGETHER]


@pytest.mark.parametrize(("module", "error", "text"), MESSAGES)
def test_every_message_can_be_looked_up(module: str, error: str, text: str) -> None:
    found = [cell for pattern, cell in rows() if pattern.match(text)]
    assert found, f"docs/troubleshooting.md has no row for: {text}"
    if module not in AT_THE_START:
        assert f"{OURS[error].status} `{OURS[error].code}`" in found


@pytest.mark.parametrize("text", [*REASONS, FROM_STACKSPOT])
def test_every_reason_can_be_looked_up(text: str) -> None:
    assert any(pattern.match(text) for pattern, _ in rows())


def test_no_row_is_left_of_a_message_that_is_gone() -> None:
    texts = [*(text for _, _, text in MESSAGES), *REASONS, FROM_STACKSPOT]
    assert not [pattern.pattern for pattern, _ in rows() if not any(map(pattern.match, texts))]


#: Faults of the emulator that are not tried again, so that they cost no waiting.
FAULTS = ("forbidden", "too_long", "not_found", "unprocessable", "unauthorized_once")


@pytest.mark.parametrize("fault", FAULTS)
def test_what_a_client_reads_can_be_looked_up(running: MadeRun, fault: str) -> None:
    running.emulator.post("/_emulator/reset").raise_for_status()
    running.emulator.post("/_emulator/script", json=[{"fault": fault}] * 2).raise_for_status()
    body = {"model": "stackspot-chat", "messages": [{"role": "user", "content": "hi"}]}
    answer = running.proxy.post("/v1/chat/completions", json=body)
    error = answer.json()["error"]
    cells = [cell for pattern, cell in rows() if pattern.match(error["message"])]
    assert f"{answer.status_code} `{error['code']}`" in cells, error


# Architecture


def test_the_table_of_modules_is_that_of_the_code() -> None:
    (table,) = Document.read(DOCS / "architecture.md").section("Modules").tables
    package = ROOT / "custom_handler"
    files = {str(path.relative_to(package).with_suffix("")) for path in package.rglob("*.py")}
    assert {name for row in table for name in quoted(row[0])} == files - {"quota/__init__", "upstream/__init__"}


def required(name: str) -> set[str]:
    """The packages in a requirements file, without versions."""
    lines = (ROOT / name).read_text("utf-8").splitlines()
    return {re.split(r"[=<>#\s]", line)[0] for line in lines if line and not line.startswith(("-", "#"))}


def test_every_dependency_has_its_reason() -> None:
    tables = Document.read(DOCS / "architecture.md").section("Dependencies").tables
    told = [{name for row in table for name in quoted(row[0])} for table in tables]
    assert told == [required(f"requirements{kind}.in") for kind in ("", "-dev", "-smollm2")]


def test_the_rules_that_lint_checks_are_contracts() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    (of_litellm,) = (each for each in contracts if "litellm" in each.get("forbidden_modules", ()))
    importers = {each.split(" -> ")[0].removeprefix("custom_handler.") for each in of_litellm["ignore_imports"]}
    rules = Document.read(DOCS / "architecture.md").section("Rules").text
    known_to = re.search(r"\*\*LiteLLM is known only\*\* to (.*?):", rules, re.DOTALL)
    assert known_to
    assert set(quoted(known_to[1])) == importers


# Configuration


def test_the_example_of_a_model_is_understood() -> None:
    (example,) = Document.read(CONFIGURATION).section("Models: config.yaml").code
    (entry,) = yaml.safe_load(example)["model_list"]
    info = ModelInfo(entry["litellm_params"]["model"].removeprefix("stackspot/"), entry["model_info"])
    target = models.resolve(services.STACKSPOT, info)
    assert target == models.Target("01ARZ3NDEKTSV4RRFFQ69G5FAV", "payments")


def test_an_account_is_read_from_the_variables_that_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    told = [name for name in quoted(Document.read(CONFIGURATION).section("Accounts").text) if name != "payments"]
    values: Mapping[str, str] = {name: name.rsplit("_", 1)[-1] for name in told if name.startswith("STACKSPOT_")}
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    account = settings.read_account("payments")
    assert (account.client_id, account.client_secret, account.realm) == ("ID", "SECRET", "REALM")


@pytest.mark.parametrize("address", ["/", "/health/liveliness", "/health/liveness", "/health/readiness"])
def test_health_is_told_without_a_key_and_without_asking_an_agent(running: MadeRun, address: str) -> None:
    running.script(None)
    assert running.proxy.get(address).status_code == 200
    assert running.prompts() == []
    assert routes.find("GET", address).public


def test_the_deep_health_check_asks_every_model(running: MadeRun) -> None:
    running.script(None)
    assert running.proxy.get("/health").json()["unhealthy_count"] == 0
    assert len(running.prompts()) == 4


def test_log_lines_carry_the_correlation_id(running: MadeRun) -> None:
    running.script(None, fault="forbidden")
    body = {"model": "stackspot-chat", "messages": [{"role": "user", "content": "hi"}]}
    running.proxy.post("/v1/chat/completions", json=body, headers={"correlation-id": "bank-4711"})
    running.program.wait_for('"correlation_id": "bank-4711"')
    lines = [line for line in running.program.output.splitlines() if '"bank-4711"' in line]
    assert json.loads(lines[0]).keys() == {"time", "level", "logger", "correlation_id", "message"}


def test_the_log_has_neither_prompts_nor_answers(running: MadeRun) -> None:
    running.script("An answer of a blue whale.")
    body = {"model": "stackspot-chat", "messages": [{"role": "user", "content": "A question of a red fox."}]}
    assert "blue whale" in running.proxy.post("/v1/chat/completions", json=body).text
    running.script(None, fault="forbidden")
    running.proxy.post("/v1/chat/completions", json=body)
    assert "red fox" not in running.program.output
    assert "blue whale" not in running.program.output


# Changes


def test_the_newest_version_of_the_changelog_is_that_of_the_project() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    newest = next(text for level, text in Document.read(ROOT / "CHANGELOG.md").headings if level == 2)
    assert newest.startswith(f"[{version}]")
