"""What is started, by the settings."""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from custom_handler import launcher, settings
from custom_handler.errors import SettingError
from custom_handler.launch_plan import Address, Emulator, Plan, plan

AGENT = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
CREDENTIALS = {"STACKSPOT_CLIENT_ID": "id", "STACKSPOT_CLIENT_SECRET": "hush", "STACKSPOT_REALM": "acme"}
KEY = {"LITELLM_MASTER_KEY": "sk-a-long-one"}
EVERYBODY = {"HOST": "0.0.0.0"}


@pytest.fixture(autouse=True)
def _free_port(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("PORT", str(server.getsockname()[1]))


def planned(monkeypatch: pytest.MonkeyPatch, env: Mapping[str, str]) -> Plan:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    return plan()


def proxy_environment(chosen: Plan) -> Mapping[str, str]:
    return chosen.commands("/figures")[-1].environment


def test_without_credentials_an_emulator_takes_the_place_of_stackspot(monkeypatch: pytest.MonkeyPatch) -> None:
    emulator, proxy = planned(monkeypatch, {}).commands("/figures")
    port = emulator.arguments[list(emulator.arguments).index("--port") + 1]
    url = f"http://127.0.0.1:{port}"
    for name in ("STACKSPOT_IDM_URL", "STACKSPOT_INFERENCE_URL", "STACKSPOT_DATA_URL"):
        assert proxy.environment[name] == url
    assert proxy.environment["FUSION_BASE_URL"] == f"{url}/fusion/v1"
    assert proxy.environment["FUSION_API_KEY"]
    assert settings.is_fusion_agent_id(proxy.environment["FUSION_AGENT_ID"])
    assert emulator.arguments[:3] == (sys.executable, "-m", "emulator")
    assert emulator.arguments[-2:] == ("--brain", "agent")


@pytest.mark.parametrize("name", ["STACKSPOT_CLIENT_ID", "STACKSPOT_PAYMENTS_CLIENT_ID", "FUSION_API_KEY"])
def test_a_credential_that_is_empty_is_none(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert planned(monkeypatch, {name: ""}).emulator


@pytest.mark.parametrize(
    "env",
    [
        CREDENTIALS,
        {"CLIENT_ID": "id", "CLIENT_SECRET": "hush", "REALM": "acme"},
        {f"STACKSPOT_PAYMENTS_{name}": "x" for name in ("CLIENT_ID", "CLIENT_SECRET", "REALM")},
        {"FUSION_API_KEY": "x"},
        {"FUSION_PAYMENTS_API_KEY": "x"},
        {**CREDENTIALS, "FUSION_API_KEY": "x"},
    ],
)
def test_with_credentials_the_proxy_talks_to_the_services(
    monkeypatch: pytest.MonkeyPatch, env: Mapping[str, str]
) -> None:
    chosen = planned(monkeypatch, env)
    assert chosen.emulator is None
    assert len(chosen.commands("/figures")) == 1
    assert "STACKSPOT_IDM_URL" not in proxy_environment(chosen)


def test_credentials_in_a_dotenv_file_count_and_reach_litellm(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("\n".join(f"{name}={value}" for name, value in (CREDENTIALS | KEY).items()))
    chosen = planned(monkeypatch, {"LITELLM_MASTER_KEY": ""})
    assert chosen.emulator is None
    assert proxy_environment(chosen)["LITELLM_MASTER_KEY"] == KEY["LITELLM_MASTER_KEY"]


def test_the_environment_goes_before_the_dotenv_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("LITELLM_MASTER_KEY=from-the-file")
    assert proxy_environment(planned(monkeypatch, KEY))["LITELLM_MASTER_KEY"] == KEY["LITELLM_MASTER_KEY"]


@pytest.mark.parametrize("left_out", CREDENTIALS)
def test_incomplete_credentials_are_an_error_that_names_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, left_out: str
) -> None:
    given = {name: value for name, value in CREDENTIALS.items() if name != left_out}
    with pytest.raises(SettingError, match=f"incomplete: {left_out} is not set") as caught:
        planned(monkeypatch, given)
    assert "hush" not in caught.value.message


def test_a_list_of_keys_that_cannot_be_used_is_found_before_anything_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingError, match="The keys in PROXY_KEYS cannot be used: entry 1: hash is missing"):
        planned(monkeypatch, CREDENTIALS | {"PROXY_KEYS": "- name: [alice]"})


def test_a_database_of_keys_needs_the_master_key_that_makes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    database = {"DATABASE_URL": "postgresql://litellm:hush@localhost/litellm"}
    with pytest.raises(SettingError, match=r"DATABASE_URL is set, .* set LITELLM_MASTER_KEY") as caught:
        planned(monkeypatch, CREDENTIALS | database)
    assert "hush" not in caught.value.message
    assert planned(monkeypatch, KEY).emulator is None


def test_a_malformed_setting_is_found_before_anything_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingError, match=r"STACKSPOT_GENAI_AGENT_ID .* must be an agent id"):
        planned(monkeypatch, CREDENTIALS | {"STACKSPOT_GENAI_AGENT_ID": "my-agent"})


def test_a_brain_asks_for_the_emulator_in_spite_of_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    emulator, proxy = planned(monkeypatch, CREDENTIALS | {"BRAIN": "smollm2"}).commands("/figures")
    assert emulator.arguments[-2:] == ("--brain", "smollm2")
    assert proxy.environment["STACKSPOT_CLIENT_SECRET"] != "hush"


def test_an_emulator_that_runs_already_is_used_and_not_started(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = planned(monkeypatch, EVERYBODY | KEY | {"EMULATOR_URL": "http://emulator:4001/"})
    assert chosen.emulator == Emulator("http://emulator:4001")
    assert len(chosen.commands("/figures")) == 1
    assert proxy_environment(chosen)["STACKSPOT_INFERENCE_URL"] == "http://emulator:4001"


def test_where_other_machines_are_served_no_emulator_stands_in_for_forgotten_credentials(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(SettingError, match="No StackSpot credentials were found: set STACKSPOT_CLIENT_ID"):
        planned(monkeypatch, EVERYBODY | KEY)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "proxy.example.com"])
def test_other_machines_are_not_served_without_a_key(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    with pytest.raises(SettingError, match=f"HOST={host} .* set LITELLM_MASTER_KEY"):
        planned(monkeypatch, CREDENTIALS | {"HOST": host})


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "localhost", "::1"])
def test_a_loopback_address_needs_no_key(host: str) -> None:
    assert Address(host, 4000).is_loopback
    env = Plan(Address(host, 4000), 1, None).proxy_environment({})
    assert env["LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY"] == "true"


def test_elsewhere_litellm_keeps_its_own_check_of_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    env = proxy_environment(planned(monkeypatch, CREDENTIALS | KEY | EVERYBODY))
    assert "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY" not in env


def test_litellm_gets_its_settings_and_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = planned(monkeypatch, CREDENTIALS | {"WORKERS": "2", "NO_DOCS": "False", "PYTHONPATH": "/mine"})
    (proxy,) = chosen.commands("/figures")
    line = " ".join(proxy.arguments)
    assert f"--host 127.0.0.1 --port {chosen.address.port} --num_workers 2" in line
    assert proxy.environment["LITELLM_LOCAL_MODEL_COST_MAP"] == "True"
    assert proxy.environment["NO_DOCS"] == "False"
    assert proxy.environment["PYTHONPATH"].endswith(":/mine")
    assert proxy.when_orphaned == signal.SIGTERM


def test_several_workers_put_their_figures_together_and_one_alone_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "PROMETHEUS_MULTIPROC_DIR" not in proxy_environment(planned(monkeypatch, CREDENTIALS))
    environment = proxy_environment(planned(monkeypatch, CREDENTIALS | {"WORKERS": "2"}))
    assert environment["PROMETHEUS_MULTIPROC_DIR"] == "/figures"


def test_a_debug_variable_of_another_program_does_not_make_litellm_log_prompts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "DEBUG" not in proxy_environment(planned(monkeypatch, {"DEBUG": "1"}))


@pytest.mark.parametrize(
    ("given", "direct"),
    [({}, "127.0.0.1"), ({"NO_PROXY": "a.example"}, "a.example,127.0.0.1"), ({"no_proxy": "b"}, "b,127.0.0.1")],
)
def test_a_company_proxy_is_not_asked_for_the_emulator(
    monkeypatch: pytest.MonkeyPatch, given: Mapping[str, str], direct: str
) -> None:
    env = proxy_environment(planned(monkeypatch, {**given, "HTTP_PROXY": "http://proxy.example.com:8080"}))
    assert env["NO_PROXY"] == env["no_proxy"] == direct


def test_a_taken_port_is_an_error_that_names_another(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(SettingError, match=f"Port {port} on 127.0.0.1 is taken .* make run PORT={port + 1}"):
            planned(monkeypatch, {"PORT": str(port)})


def test_an_address_of_another_machine_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingError, match=r"cannot listen on 192\.0\.2\.1"):
        planned(monkeypatch, CREDENTIALS | KEY | {"HOST": "192.0.2.1"})


@pytest.mark.parametrize("name", ["PORT", "WORKERS"])
@pytest.mark.parametrize("text", ["0", "65536", "-1", "4k", "²"])
def test_numbers_out_of_range_are_refused(monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> None:
    with pytest.raises(SettingError, match=f"{name} .* must be a whole number from 1 to"):
        planned(monkeypatch, {name: text})


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:4000"),
        ("0.0.0.0", "http://127.0.0.1:4000"),
        ("::", "http://[::1]:4000"),
        ("proxy.example.com", "http://proxy.example.com:4000"),
    ],
)
def test_the_url_is_one_that_this_machine_can_connect_to(host: str, url: str) -> None:
    assert Address(host, 4000).url == url


def test_the_emulated_account_is_complete_and_well_formed(monkeypatch: pytest.MonkeyPatch) -> None:
    env = proxy_environment(planned(monkeypatch, {}))
    for setting in (settings.CLIENT_ID, settings.CLIENT_SECRET, settings.REALM, settings.AGENT_ID):
        assert setting.parse(env[setting.name])


def test_memory_that_is_free_is_given_back_unless_the_operator_decides_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    environment = proxy_environment(planned(monkeypatch, {"MALLOC_ARENA_MAX": "8"}))
    assert (environment["MALLOC_ARENA_MAX"], environment["MALLOC_TRIM_THRESHOLD_"]) == ("8", "131072")


@pytest.mark.parametrize(
    ("env", "behind", "model"),
    [
        (CREDENTIALS, "StackSpot", "stackspot/YOUR_AGENT_ID"),
        ({"FUSION_API_KEY": "x"}, "Fusion", "fusion/YOUR_AGENT_ID"),
        ({"FUSION_API_KEY": "x", "FUSION_AGENT_ID": "123e4567-e89b-12d3-a456-426614174000"}, "Fusion", "fusion-chat"),
        ({**CREDENTIALS, "FUSION_API_KEY": "x"}, "StackSpot and Fusion", "stackspot/YOUR_AGENT_ID"),
    ],
)
def test_it_is_said_what_is_behind_the_proxy_and_how_to_ask_it(
    monkeypatch: pytest.MonkeyPatch, env: Mapping[str, str], behind: str, model: str
) -> None:
    chosen = planned(monkeypatch, env)
    assert launcher._behind(chosen) == f"Behind it is {behind}."
    assert f'"model": "{model}"' in launcher.curl(chosen)
