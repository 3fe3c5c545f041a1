"""`python -m custom_handler check`: what it prints, and how it ends."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from custom_handler.__main__ import main
from custom_handler.key_list import digest, parse
from emulator import Emulator, Options, Reply
from tests.conftest import AGENT

CONFIG = """
model_list:
  - {model_name: stackspot-chat, litellm_params: {model: stackspot/chat}}
  - {model_name: stackspot/*, litellm_params: {model: stackspot/*}}
  - {model_name: other, litellm_params: {model: openai/gpt-4}}
  - {model_name: short, litellm_params: {model: short, custom_llm_provider: stackspot}, model_info: {agent_id: %s}}
"""


@pytest.fixture(autouse=True)
def _config() -> None:
    Path("config.yaml").write_text(CONFIG % AGENT)


@pytest.mark.usefixtures("settings_set")
def test_everything_in_order_is_shown_and_ends_with_0(emulator: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 0
    shown = capsys.readouterr().out
    assert "config.yaml serves stackspot-chat, stackspot/*, short" in shown
    assert f"STACKSPOT_IDM_URL = {emulator.url}   [STACKSPOT_IDM_URL in the environment]" in shown
    assert "STACKSPOT_CLIENT_SECRET = **** (15 characters)   [STACKSPOT_CLIENT_SECRET in the environment]" in shown
    assert "emulated-secret" not in shown
    assert "STACKSPOT_CA_BUNDLE = (none)   [default]" in shown
    assert "signed in with the default account" in shown
    assert shown.endswith("Everything is in order.\n")
    assert len(emulator.token_requests) == 1
    assert not emulator.chats


@pytest.mark.usefixtures("settings_set")
def test_each_model_is_asked_when_told_to(emulator: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    emulator.script(Reply("ok"), Reply(" OK! "))
    assert main(["check", "--agents"]) == 0
    shown = capsys.readouterr().out
    assert "stackspot-chat answered 'ok'" in shown
    assert "short answered 'OK!'" in shown
    assert [chat.path for chat in emulator.chats] == [f"/v1/agent/{AGENT}/chat"] * 2


@pytest.mark.usefixtures("settings_set")
def test_an_agent_that_refuses_is_a_failure(emulator: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    emulator.script(Reply("ok"), Reply(fault="forbidden"))
    assert main(["check", "--agents"]) == 1
    assert "FAILED  asking short: StackSpot refused agent" in capsys.readouterr().out


@pytest.mark.usefixtures("settings_set")
def test_an_account_that_is_used_up_is_a_failure_and_not_a_long_wait(
    emulator: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    emulator.script(Reply(fault="rate_limited"))
    assert main(["check", "--agents"]) == 1
    shown = capsys.readouterr().out
    assert "FAILED  asking stackspot-chat: The quota of the StackSpot account in realm 'emulated' is used up" in shown
    assert len(emulator.chats) == 1, "the other model has the same account"


@pytest.mark.usefixtures("settings_set")
def test_a_failed_sign_in_is_a_failure(emulator: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    emulator.script(Reply(fault="identity_refused"))
    assert main(["check"]) == 1
    assert "FAILED  signing in with the default account: " in capsys.readouterr().out


def test_missing_settings_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 1
    shown = capsys.readouterr().out
    for name in ("CLIENT_ID", "CLIENT_SECRET", "REALM", "GENAI_AGENT_ID"):
        assert f"FAILED  STACKSPOT_{name} or {name} is not set" in shown
    assert shown.endswith("5 of the checks failed.\n")


@pytest.mark.usefixtures("settings_set")
def test_a_malformed_address_is_a_failure_and_no_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STACKSPOT_IDM_URL", "idm.example.com")
    assert main(["check", "--agents"]) == 1
    assert "FAILED  STACKSPOT_IDM_URL (STACKSPOT_IDM_URL in the environment) must be a URL" in capsys.readouterr().out


@pytest.mark.usefixtures("settings_set")
def test_the_default_agent_is_needed_only_by_a_model_that_uses_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STACKSPOT_GENAI_AGENT_ID")
    assert main(["check"]) == 1
    Path("config.yaml").write_text(CONFIG.replace("stackspot/chat", f"stackspot/{AGENT}") % AGENT)
    assert main(["check"]) == 0
    assert "GENAI_AGENT_ID is not set, and no model of the configuration needs it" in capsys.readouterr().out


@pytest.mark.usefixtures("settings_set")
def test_every_account_of_the_configuration_is_signed_in(
    emulator: Emulator, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("config.yaml").write_text(
        "model_list:\n"
        "  - {model_name: a, litellm_params: {model: stackspot/a}, model_info: {agent_id: x, account: pay}}\n"
        "  - {model_name: b, litellm_params: {model: stackspot/b}, model_info: {agent_id: x, account: lost}}\n"
    )
    for name in ("CLIENT_ID", "CLIENT_SECRET", "REALM"):
        monkeypatch.setenv(f"STACKSPOT_PAY_{name}", f"pay-{name}")
    assert main(["check"]) == 1
    shown = capsys.readouterr().out
    assert "signed in with account 'pay'" in shown
    assert "FAILED  signing in with account 'lost': STACKSPOT_LOST_REALM is not set" in shown
    assert [request.client_id for request in emulator.token_requests] == ["pay-CLIENT_ID"]


@pytest.mark.usefixtures("settings_set")
@pytest.mark.parametrize("text", ["model_list: [5]", "{", "[]", "", "model_list: [{litellm_params: {model: 5}}]"])
def test_a_configuration_that_is_none_is_a_failure(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("config.yaml").write_text(text)
    assert main(["check"]) == 1
    assert "FAILED  config.yaml is not a LiteLLM configuration" in capsys.readouterr().out


@pytest.mark.usefixtures("settings_set")
def test_a_configuration_that_is_not_there_is_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--config", "other.yaml"]) == 1
    assert "FAILED  other.yaml cannot be read: No such file or directory." in capsys.readouterr().out


FUSION_CONFIG = """
model_list:
  - {model_name: fusion-chat, litellm_params: {model: fusion/chat}}
"""


@pytest.mark.usefixtures("settings_set")
def test_a_key_of_fusion_is_tried_without_asking_an_agent(
    emulator: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("config.yaml").write_text(CONFIG % AGENT + "".join(FUSION_CONFIG.splitlines(keepends=True)[2:]))
    assert main(["check"]) == 0
    shown = capsys.readouterr().out
    assert "signed in with the default account" in shown
    assert "Fusion lists 1 agents for the default account" in shown
    assert "FUSION_API_KEY = **** (19 characters)" in shown
    assert "emulated-fusion-key" not in shown
    assert not emulator.chats


@pytest.mark.usefixtures("settings_set")
def test_an_agent_of_fusion_is_asked_when_told_to(emulator: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    Path("config.yaml").write_text(FUSION_CONFIG)
    emulator.script(Reply("ok"))
    assert main(["check", "--agents"]) == 0
    assert "fusion-chat answered 'ok'" in capsys.readouterr().out


@pytest.mark.usefixtures("settings_set")
def test_a_key_that_fusion_refuses_is_a_failure(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("config.yaml").write_text(FUSION_CONFIG)
    with Emulator(Options(fusion_keys=["another-key"])) as strict:
        monkeypatch.setenv("FUSION_BASE_URL", strict.fusion_url)
        assert main(["check"]) == 1
    shown = capsys.readouterr().out
    assert "FAILED  signing in with the default account: Fusion refused the key; check FUSION_API_KEY" in shown


@pytest.mark.usefixtures("settings_set")
def test_a_service_of_which_nothing_is_set_is_no_failure(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("config.yaml").write_text(CONFIG % AGENT + "".join(FUSION_CONFIG.splitlines(keepends=True)[2:]))
    for name in ("FUSION_API_KEY", "FUSION_AGENT_ID"):
        monkeypatch.delenv(name)
    assert main(["check"]) == 0
    shown = capsys.readouterr().out
    assert "ok      FUSION_API_KEY is not set, so models of Fusion cannot be asked" in shown
    assert "Fusion lists" not in shown


def test_the_default_account_is_needed_only_by_a_model_that_uses_it(
    emulator: Emulator, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = "{model_name: a, litellm_params: {model: fusion/a}, model_info: {agent_id: x, account: pay}}"
    Path("config.yaml").write_text(f"model_list:\n  - {entry}\n")
    monkeypatch.setenv("FUSION_BASE_URL", emulator.fusion_url)
    monkeypatch.setenv("FUSION_PAY_API_KEY", "pay-key")
    assert main(["check"]) == 0
    shown = capsys.readouterr().out
    assert "FUSION_API_KEY is not set, and no model of the configuration needs it" in shown
    assert "Fusion lists 1 agents for account 'pay'" in shown


LIST = f"- name: alice\n  hash: {'0' * 64}\n- name: bob\n  hash: {'1' * 64}\n"


@pytest.mark.usefixtures("settings_set")
def test_the_keys_of_clients_are_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["check"]) == 0
    assert "keys of clients" not in capsys.readouterr().out
    monkeypatch.setenv("PROXY_KEYS", LIST)
    assert main(["check"]) == 0
    shown = capsys.readouterr().out
    assert "ok      2 keys of clients: alice, bob" in shown
    assert f"PROXY_KEYS = **** ({len(LIST.strip())} characters)" in shown


@pytest.mark.usefixtures("settings_set")
def test_a_list_of_keys_that_cannot_be_used_is_a_failure(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("keys.yaml").write_text(LIST.replace("bob", "alice"))
    monkeypatch.setenv("PROXY_KEYS_FILE", "keys.yaml")
    assert main(["check"]) == 1
    fault = "FAILED  The keys in keys.yaml cannot be used: entries 1 and 2 have the same name."
    assert fault in capsys.readouterr().out


def test_a_new_key_is_shown_once_with_the_entry_that_makes_it_valid(capsys: pytest.CaptureFixture[str]) -> None:
    limits = ["--models", "stackspot-chat", "stackspot/*", "--rpm", "60", "--expires", "2027-06-30", "--admin"]
    assert main(["keys", "new", "--name", "alice", *limits]) == 0
    told, entry = capsys.readouterr().out.split("Its entry for the list:")
    (key,) = re.findall(r"^  (sk-\S{43})$", told, re.MULTILINE)
    (listed,) = parse(entry)
    assert listed == replace(listed, name="alice", digest=digest(key), rpm=60, admin=True)
    assert listed.models == ("stackspot-chat", "stackspot/*")
    assert listed.expires is not None
    assert key not in entry


def test_no_new_key_is_like_another(capsys: pytest.CaptureFixture[str]) -> None:
    shown = []
    for _ in range(2):
        assert main(["keys", "new", "--name", "alice"]) == 0
        shown.append(capsys.readouterr().out)
    assert shown[0] != shown[1]
    assert parse(shown[0].split("list:")[1])[0].models is None


@pytest.mark.parametrize("field", [["--expires", "soon"], ["--rpm", "many"], ["--models", "a b"]])
def test_no_key_is_made_that_would_not_be_valid(field: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keys", "new", "--name", "alice", *field]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"entry 1 (alice): {field[0].removeprefix('--')} must be ")


def test_a_wrong_command_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["chekc"])
    assert ended.value.code == 2
    assert "check" in capsys.readouterr().err
