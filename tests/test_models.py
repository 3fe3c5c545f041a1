"""Which agent a model name stands for."""

from __future__ import annotations

import pytest

from custom_handler.errors import SettingError, UnknownModelError
from custom_handler.model_info import ModelInfo
from custom_handler.models import Target, accounts, resolve
from custom_handler.quota.tickets import Limits
from custom_handler.services import FUSION, STACKSPOT
from custom_handler.settings import is_agent_id_behind
from custom_handler.upstream.chat_request import AgentOptions

ULID = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
UUID = "123e4567-e89b-12d3-a456-426614174000"
OTHER = "01BX5ZZKBKACTAV9WEVGEMMVRZ"


def test_an_agent_id_is_a_model() -> None:
    assert resolve(STACKSPOT, ModelInfo(ULID, {})) == Target(ULID, None)


@pytest.mark.parametrize(
    ("prefix", "agent", "named"),
    [
        ("stackspot", ULID, True),
        ("stackspot", UUID, False),
        ("fusion", UUID, True),
        ("fusion", ULID, False),
        ("agents", ULID, True),
        ("agents", UUID, True),
        ("agents", "gpt-4", False),
    ],
)
def test_a_prefix_says_what_the_ids_behind_it_look_like(prefix: str, agent: str, named: bool) -> None:
    assert is_agent_id_behind(prefix, agent) == named


def test_fusions_models_are_named_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FUSION_AGENT_ID", UUID)
    assert resolve(FUSION, ModelInfo("chat")) == resolve(FUSION, ModelInfo(UUID)) == Target(UUID, None)
    with pytest.raises(UnknownModelError, match="fusion/chat for the agent in FUSION_AGENT_ID"):
        resolve(FUSION, ModelInfo(ULID))


def test_an_entry_of_the_config_names_agent_and_account() -> None:
    assert resolve(STACKSPOT, ModelInfo("reviewer", {"agent_id": ULID, "account": "payments"})) == Target(
        ULID, "payments"
    )


def test_the_entry_goes_before_the_name() -> None:
    assert resolve(STACKSPOT, ModelInfo(ULID, {"agent_id": OTHER})) == Target(OTHER, None)


def test_chat_is_the_agent_in_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENAI_AGENT_ID", ULID)
    assert resolve(STACKSPOT, ModelInfo("chat", {})) == Target(ULID, None)


def test_chat_without_an_agent_in_the_settings_names_the_setting() -> None:
    with pytest.raises(SettingError, match="GENAI_AGENT_ID"):
        resolve(STACKSPOT, ModelInfo("chat", {}))


def test_other_names_are_unknown_and_the_error_says_what_is_known() -> None:
    with pytest.raises(UnknownModelError, match="stackspot/chat") as error:
        resolve(STACKSPOT, ModelInfo("gpt-4"))
    assert error.value.param == "model"


def test_an_entry_of_the_config_may_tell_how_long_a_prompt_may_be() -> None:
    assert resolve(STACKSPOT, ModelInfo(ULID, {"max_input_tokens": 100_000})).max_input_tokens == 100_000
    assert resolve(STACKSPOT, ModelInfo(ULID, {})).max_input_tokens == 272_000


def test_an_entry_of_the_config_may_tell_what_its_agent_is_asked_with() -> None:
    info = {"knowledge_sources": ["a", "b"], "deep_search_ks": True, "agent_version": 3, "selected_model": "gpt-5"}
    assert AgentOptions.of(ModelInfo(ULID, info)) == AgentOptions(("a", "b"), True, 3, "gpt-5")
    assert AgentOptions.of(ModelInfo(ULID, dict.fromkeys(info))) == AgentOptions()


@pytest.mark.parametrize(
    ("info", "limits"),
    [
        ({"max_rpm": 30}, Limits(per_minute=30)),
        ({"max_concurrent": 2}, Limits(at_once=2)),
        ({"max_rpm": 30, "max_concurrent": 2}, Limits(30, 2)),
        ({}, None),
    ],
)
def test_an_entry_of_the_config_may_tell_how_often_a_model_may_be_asked(
    info: dict[str, object], limits: Limits | None
) -> None:
    assert resolve(STACKSPOT, ModelInfo(ULID, info)).limits == limits


@pytest.mark.parametrize(
    "info",
    [
        {"agent_id": 5},
        {"agent_id": ""},
        {"account": ["x"]},
        {"max_input_tokens": "272k"},
        {"max_input_tokens": 0},
        {"max_input_tokens": True},
        {"knowledge_sources": "a"},
        {"knowledge_sources": [5]},
        {"knowledge_sources": [""]},
        {"deep_search_ks": "yes"},
        {"deep_search_ks": 1},
        {"agent_version": "3"},
        {"agent_version": 0},
        {"agent_version": True},
        {"selected_model": 5},
        {"selected_model": ""},
        {"max_rpm": 0},
        {"max_rpm": 1.5},
        {"max_concurrent": "2"},
    ],
)
def test_a_malformed_entry_is_named(info: dict[str, object]) -> None:
    (key,) = info

    def read() -> None:
        AgentOptions.of(ModelInfo(ULID, info))
        resolve(STACKSPOT, ModelInfo(ULID, info))

    with pytest.raises(SettingError, match=rf"model_info\.{key} of model '{ULID}' in config\.yaml must be"):
        read()


def test_the_accounts_of_a_model_list_are_those_that_our_models_name() -> None:
    model_list: list[dict[str, dict[str, object]]] = [
        {"litellm_params": {"model": "stackspot/chat"}},
        {"litellm_params": {"model": "stackspot/a"}, "model_info": {"account": "payments"}},
        {"litellm_params": {"model": "b", "custom_llm_provider": "stackspot"}, "model_info": {"account": "cards"}},
        {"litellm_params": {"model": "openai/c"}, "model_info": {"account": "other"}},
        {"litellm_params": {"model": "stackspot/d"}, "model_info": {"account": ["malformed"]}},
    ]
    assert accounts(STACKSPOT, model_list) == {None, "payments", "cards"}
