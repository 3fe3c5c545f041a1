"""Which agent and which account a model name stands for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from custom_handler.budget import DEFAULT_LIMIT
from custom_handler.errors import UnknownModelError
from custom_handler.model_info import ModelInfo
from custom_handler.quota.tickets import NO_LIMIT, Limits
from custom_handler.services import Service
from custom_handler.settings import read

#: The model name, behind the provider's prefix, of the agent in the settings.
DEFAULT = "chat"


@dataclass(frozen=True, slots=True)
class Target:
    """An agent, and how it is asked.

    Attributes:
        account: whose credentials are used; None for those of the default account.
        max_input_tokens: what a prompt may have.
        limits: how often the model may be asked; None where only the account's quota counts.
    """

    agent_id: str
    account: str | None
    max_input_tokens: int = DEFAULT_LIMIT
    limits: Limits | None = None


def is_of(service: Service, litellm_params: Mapping[str, Any]) -> bool:
    """Whether an entry of config.yaml with these `litellm_params` is one of `service`."""
    return service.provider in {litellm_params["model"].rpartition("/")[0], litellm_params.get("custom_llm_provider")}


def accounts(service: Service, model_list: Iterable[Mapping[str, Any]]) -> frozenset[str | None]:
    """The accounts of `service` that a model list names; None is the default account."""
    ours = (entry.get("model_info") or {} for entry in model_list if is_of(service, entry["litellm_params"]))
    named = (model_info.get("account") for model_info in ours)
    return frozenset(account for account in named if isinstance(account, str | None))


def resolve(service: Service, info: ModelInfo) -> Target:
    """The target of `info.model`, the name behind `stackspot/`.

    Args:
        info: may have `agent_id`, `account`, `max_input_tokens`, `max_rpm` and `max_concurrent`.

    Raises:
        UnknownModelError: the name is not an agent id, and its entry does not give one.
        SettingError: the entry is malformed, or the default agent is not set.
    """
    agent_id, account = info.text("agent_id"), info.text("account")
    if agent_id is None:
        agent_id = info.model if service.is_agent_id(info.model) else _default(service, info.model)
    max_input_tokens = info.number("max_input_tokens") or DEFAULT_LIMIT
    return Target(agent_id, account, max_input_tokens, _limits(info))


def _limits(info: ModelInfo) -> Limits | None:
    per_minute, at_once = info.number("max_rpm"), info.number("max_concurrent")
    if per_minute is None and at_once is None:
        return None
    return Limits(per_minute or NO_LIMIT, at_once or NO_LIMIT)


def _default(service: Service, model: str) -> str:
    if model != DEFAULT:
        provider, form = service.provider, service.agent_id_form
        raise UnknownModelError(
            f"There is no model {model!r:.80}. Use {provider}/{DEFAULT} for the agent in {service.agent.name}, "
            f"{provider}/ and {form}, or an entry of config.yaml with agent_id in its model_info.",
            param="model",
        )
    return read(service.agent)
