"""The files that installing and starting read agree with each other and with the code."""

from __future__ import annotations

import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from custom_handler import launch_plan, settings
from custom_handler.settings import Setting, is_agent_id
from tests.support.program import ROOT

LOCKS = ("requirements.txt", "requirements-dev.txt", "requirements-smollm2.txt")


def lines(name: str) -> list[str]:
    """The lines of a file without comments and empty ones."""
    stripped = (re.sub(r"(^|\s+)#.*", "", line).strip() for line in (ROOT / name).read_text().splitlines())
    return [line for line in stripped if line]


def load(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text())


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_locked_to_one_version_and_to_no_registry(lock: str) -> None:
    for line in lines(lock):
        assert re.fullmatch(r"[a-z0-9.-]+(\[[a-z,]+\])?==[\w.+]+( ; .+)?", line)


@pytest.mark.parametrize("lock", LOCKS[1:])
def test_the_locks_can_share_one_environment(lock: str) -> None:
    names = {re.split(r"\[|==", line)[0] for line in lines("requirements.txt")}
    shared = {line for line in lines(lock) if re.split(r"\[|==", line)[0] in names}
    assert shared <= set(lines("requirements.txt"))


def test_the_lock_for_tests_has_all_that_the_proxy_needs() -> None:
    assert set(lines("requirements.txt")) <= set(lines("requirements-dev.txt"))


@pytest.mark.parametrize(
    "setting",
    [*settings.ALL, launch_plan.HOST, launch_plan.PORT, launch_plan.MASTER_KEY],
    ids=lambda setting: setting.name,
)
def test_the_example_of_settings_shows_every_setting_with_its_default(setting: Setting[Any]) -> None:
    example = (ROOT / ".env.example").read_text()
    assert re.search(rf"^(# )?{setting.name}={re.escape(setting.default or '')}$", example, re.MULTILINE)


def test_the_example_of_settings_as_it_stands_sets_nothing() -> None:
    assert all(line.endswith("=") for line in lines(".env.example"))


def test_the_configuration_names_what_the_package_exports() -> None:
    names = set(re.findall(r"custom_handler\.(\w+)", "\n".join(lines("config.yaml"))))
    assert names == {"stackspot_llm", "fusion_llm", "proxy_hooks", "require_key"}
    for name in names:
        assert getattr(import_module("custom_handler"), name) is not None


def test_the_further_model_shown_in_the_configuration_works_as_it_is_uncommented() -> None:
    text = (ROOT / "config.yaml").read_text()
    models = yaml.safe_load(re.sub(r"^  #(  .*)$", r"\1", text, flags=re.MULTILINE))["model_list"]
    first, entry = models[0], next(model for model in models if "agent_id" in model["model_info"])
    assert entry["model_info"].items() > first["model_info"].items()
    assert is_agent_id(entry["model_info"]["agent_id"])
    assert entry["litellm_params"]["model"].startswith("stackspot/")


def test_the_default_model_and_the_wildcard_tell_clients_the_same() -> None:
    by_name = {entry["model_name"]: entry["model_info"] for entry in load("config.yaml")["model_list"]}
    for service in ("stackspot", "fusion"):
        assert by_name[f"{service}/*"].items() >= by_name[f"{service}-chat"].items()


def test_the_image_runs_as_a_numbered_user_and_starts_the_launcher() -> None:
    dockerfile = lines("Dockerfile")
    (user,) = (line.split()[1] for line in dockerfile if line.startswith("USER "))
    *_, command = (line.removeprefix("CMD ") for line in dockerfile if line.startswith("CMD ["))
    assert int(user.split(":")[0]) > 0
    assert json.loads(command) == ["python", "-m", "custom_handler.launcher"]
    assert "STOPSIGNAL SIGTERM" in dockerfile


def test_the_image_gets_what_it_copies_and_no_secrets() -> None:
    copied = {line.split()[1] for line in lines("Dockerfile") if line.startswith("COPY ")}
    allowed = lines(".dockerignore")
    assert allowed[0] == "*"
    assert copied == {line.removeprefix("!") for line in allowed if line.startswith("!")}
    assert all((ROOT / name).exists() for name in copied)


def test_containers_are_published_to_this_machine_only_and_can_change_nothing() -> None:
    services = load("compose.yaml")["services"]
    assert services["proxy"]["ports"] == ["127.0.0.1:${PORT:-4000}:4000"]
    assert "ports" not in services["emulator"]
    ours = [service for service in services.values() if "build" in service]
    assert len(ours) == 2
    for service in ours:
        assert service["read_only"] is True
        assert service["tmpfs"] == ["/tmp"]  # noqa: S108 (inside the container)
        assert service["cap_drop"] == ["ALL"]


def test_the_emulator_container_is_the_one_that_the_proxy_container_asks() -> None:
    services = load("compose.yaml")["services"]
    emulator = services["emulator"]
    port = emulator["command"][emulator["command"].index("--port") + 1]
    assert services["proxy"]["environment"]["EMULATOR_URL"] == f"http://emulator:{port}"
    assert services["proxy"]["depends_on"]["emulator"]["required"] is False
    assert emulator["profiles"] == ["emulator"]


def test_the_secrets_file_is_not_committed() -> None:
    assert ".env" in Path(ROOT / ".gitignore").read_text().splitlines()
