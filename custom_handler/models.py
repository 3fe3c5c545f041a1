"""Which agent and which account a model name stands for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from custom_handler.budget import DEFAULT_LIMIT
from custom_handler.errors import SettingError, UnknownModelError
from custom_handler.settings import AGENT_ID, is_agent_id, read

#: The model name, behind the provider's prefix, of the agent in the settings.
DEFAULT = "chat"


@dataclass(frozen=True, slots=True)
class Target:
    """An agent, the account that asks it (None: the default account), and the tokens that its prompt may have."""

    agent_id: str
    account: str | None
    max_input_tokens: int = DEFAULT_LIMIT


def resolve(model: str, model_info: Mapping[str, Any]) -> Target:
    """The target of `model`, the name behind `stackspot/`.

    Args:
        model_info: of the model's entry in config.yaml: `agent_id`, `account` and `max_input_tokens`, all optional.
            A client cannot change it.

    Raises:
        UnknownModelError: the name is not an agent id, and its entry does not give one.
        SettingError: the entry is malformed, or the default agent is not set.
    """
    agent_id, account = (_text(model_info, key, model) for key in ("agent_id", "account"))
    if agent_id is None:
        agent_id = model if is_agent_id(model) else _default(model)
    return Target(agent_id, account, _max_input_tokens(model_info, model))


def _text(model_info: Mapping[str, Any], key: str, model: str) -> str | None:
    value = model_info.get(key)
    if value is not None and not (isinstance(value, str) and value):
        raise SettingError(f"model_info.{key} of model {model!r:.80} in config.yaml must be a text.")
    return value


def _max_input_tokens(model_info: Mapping[str, Any], model: str) -> int:
    limit = model_info.get("max_input_tokens")
    if limit is None:
        return DEFAULT_LIMIT
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
        raise SettingError(
            f"model_info.max_input_tokens of model {model!r:.80} in config.yaml must be a whole number above 0."
        )
    return limit


def _default(model: str) -> str:
    if model != DEFAULT:
        raise UnknownModelError(
            f"There is no model {model!r:.80}. Use stackspot/{DEFAULT} for the agent in {AGENT_ID.name}, "
            "stackspot/ and a 26-character agent id, or an entry of config.yaml with agent_id in its model_info.",
            param="model",
        )
    return read(AGENT_ID)
