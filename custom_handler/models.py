"""Which agent and which account a model name stands for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from custom_handler.budget import DEFAULT_LIMIT
from custom_handler.errors import SettingError, UnknownModelError
from custom_handler.quota.tickets import NO_LIMIT, Limits
from custom_handler.settings import AGENT_ID, is_agent_id, read
from custom_handler.upstream.chat_request import DEFAULT_OPTIONS, AgentOptions

#: The model name, behind the provider's prefix, of the agent in the settings.
DEFAULT = "chat"
_PROVIDER = "stackspot"


@dataclass(frozen=True, slots=True)
class Target:
    """An agent, and how it is asked.

    Attributes:
        account: whose credentials are used; None for those of the default account.
        max_input_tokens: what a prompt may have.
        limits: how often the model may be asked; None where only the account's quota counts.
        options: what it is asked with.
    """

    agent_id: str
    account: str | None
    max_input_tokens: int = DEFAULT_LIMIT
    limits: Limits | None = None
    options: AgentOptions = DEFAULT_OPTIONS


def is_ours(litellm_params: Mapping[str, Any]) -> bool:
    """Whether an entry of config.yaml with these `litellm_params` is one of StackSpot."""
    return _PROVIDER in {litellm_params["model"].rpartition("/")[0], litellm_params.get("custom_llm_provider")}


def accounts(model_list: Iterable[Mapping[str, Any]]) -> frozenset[str | None]:
    """The accounts that a model list names; None is the default account."""
    ours = (entry.get("model_info") or {} for entry in model_list if is_ours(entry["litellm_params"]))
    named = (model_info.get("account") for model_info in ours)
    return frozenset(account for account in named if isinstance(account, str | None))


def resolve(model: str, model_info: Mapping[str, Any]) -> Target:
    """The target of `model`, the name behind `stackspot/`.

    Args:
        model_info: of the model's entry in config.yaml: `agent_id`, `account`, `max_input_tokens`, `max_rpm`,
            `max_concurrent`, and what the agent is asked with, all optional. A client cannot change it.

    Raises:
        UnknownModelError: the name is not an agent id, and its entry does not give one.
        SettingError: the entry is malformed, or the default agent is not set.
    """
    agent_id, account = (_text(model_info, key, model) for key in ("agent_id", "account"))
    if agent_id is None:
        agent_id = model if is_agent_id(model) else _default(model)
    max_input_tokens = _number(model_info, "max_input_tokens", model) or DEFAULT_LIMIT
    return Target(agent_id, account, max_input_tokens, _limits(model_info, model), _options(model_info, model))


def _options(model_info: Mapping[str, Any], model: str) -> AgentOptions:
    return AgentOptions(
        knowledge_sources=_texts(model_info, "knowledge_sources", model),
        deep_search=_flag(model_info, "deep_search_ks", model),
        version=_number(model_info, "agent_version", model),
        selected_model=_text(model_info, "selected_model", model),
    )


def _text(model_info: Mapping[str, Any], key: str, model: str) -> str | None:
    value = model_info.get(key)
    if value is not None and not (isinstance(value, str) and value):
        raise SettingError(f"model_info.{key} of model {model!r:.80} in config.yaml must be a text.")
    return value


def _texts(model_info: Mapping[str, Any], key: str, model: str) -> tuple[str, ...]:
    values = model_info.get(key)
    if values is None:
        return ()
    if not isinstance(values, list) or not all(isinstance(value, str) and value for value in values):
        raise SettingError(f"model_info.{key} of model {model!r:.80} in config.yaml must be a list of texts.")
    return tuple(values)


def _number(model_info: Mapping[str, Any], key: str, model: str) -> int | None:
    value = model_info.get(key)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
        raise SettingError(f"model_info.{key} of model {model!r:.80} in config.yaml must be a whole number above 0.")
    return value


def _limits(model_info: Mapping[str, Any], model: str) -> Limits | None:
    per_minute, at_once = (_number(model_info, key, model) for key in ("max_rpm", "max_concurrent"))
    if per_minute is None and at_once is None:
        return None
    return Limits(per_minute or NO_LIMIT, at_once or NO_LIMIT)


def _flag(model_info: Mapping[str, Any], key: str, model: str) -> bool:
    value = model_info.get(key)
    if value is not None and not isinstance(value, bool):
        raise SettingError(f"model_info.{key} of model {model!r:.80} in config.yaml must be true or false.")
    return bool(value)


def _default(model: str) -> str:
    if model != DEFAULT:
        raise UnknownModelError(
            f"There is no model {model!r:.80}. Use stackspot/{DEFAULT} for the agent in {AGENT_ID.name}, "
            "stackspot/ and a 26-character agent id, or an entry of config.yaml with agent_id in its model_info.",
            param="model",
        )
    return read(AGENT_ID)
