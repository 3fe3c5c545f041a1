"""What of a client's body reaches LiteLLM: the fields of the table in `routes`, and nothing else.

LiteLLM takes any field of a body for one of its own parameters: a vendor, an address, a key, another model. A body is
therefore rewritten before LiteLLM sees it. Fields that would steer LiteLLM are refused by name, so that nobody wonders
why they had no effect; every other unknown field is accepted and left out, as OpenAI's clients expect.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from custom_handler import file_parts, shapes
from custom_handler.errors import ModelNotAllowedError, RequestError, UnknownModelError
from custom_handler.key_list import Key
from custom_handler.settings import is_agent_id_behind
from custom_handler.surrogates import mend

#: Fields that steer LiteLLM, beyond those in its own lists of parameters.
_STEERING_FIELDS = frozenset(
    {
        "base_url",
        "content_policy_fallbacks",
        "context_window_fallbacks",
        "deployment_id",
        "extra_body",
        "extra_headers",
        "extra_query",
        "litellm_params",
        "mock_delay",
        "mock_tool_calls",
        "policies",
        "router_settings_override",
        "specific_deployment",
        "user_config",
    }
)
#: Fields that LiteLLM's lists have in common with OpenAI's parameters: left out without a word.
_HARMLESS_FIELDS = frozenset({"metadata"})
#: Fields of the Responses API that stand for something stored on the server: to ignore them would lose half a prompt.
_STATEFUL_FIELDS = frozenset({"previous_response_id", "conversation", "background", "prompt"})
#: Tools that the client runs itself. The other types run on a server: LiteLLM would look for one to run them.
_CLIENT_TOOLS = frozenset({"function", "custom"})
_REQUIRED = frozenset({"model", "messages", "input", "prompt"})


@dataclass(frozen=True, slots=True)
class Policy:
    """What a body may ask for.

    Attributes:
        models: names of the model list; `prefix/*` stands for every agent id after the prefix.
        reserved: fields that LiteLLM takes for parameters of its own.
        key: the client's.
    """

    models: Collection[str]
    reserved: frozenset[str]
    key: Key


def clean(body: bytes, fields: frozenset[str], policy: Policy) -> bytes:
    """The body that is passed on: of what the client sent, the fields in `fields`.

    Raises:
        RequestError: it is not a JSON object, steers LiteLLM, has a part that no agent can be given, or a field has a
            wrong type.
        UnknownModelError: `model` is none of `policy.models`.
        ModelNotAllowedError: it is one that `policy.key` may not use.
    """
    sent = _parse(body)
    _refuse_fields(sent, fields, policy.reserved)
    kept = {name: value for name, value in sent.items() if name in fields and value is not None}
    for name in _REQUIRED & fields:
        if not kept.get(name):
            raise RequestError(f"{name} is missing or empty.", param=name)
    shapes.check(kept, shapes.BODY)
    _check_model(kept["model"], policy)
    kept |= _rewritten(kept, fields)
    tools = [tool for tool in kept.pop("tools", ()) if tool.get("type", "function") in _CLIENT_TOOLS]
    if "system" in fields:
        kept |= {**_joined_system(kept), **_one_call(kept)}
    return _dump(kept | {"tools": tools} if tools else kept)


def _rewritten(kept: Mapping[str, Any], fields: frozenset[str]) -> Mapping[str, Any]:
    try:
        return file_parts.rewritten(kept, fields)
    except RecursionError as exc:  # results of tools in results of tools
        raise _too_deep() from exc


def _joined_system(kept: Mapping[str, Any]) -> Mapping[str, Any]:
    """`system` and `messages` of the Messages API, with the system messages moved to the end of `system`.

    Claude Code sends some among the messages, and LiteLLM takes each of them for one of the user.
    """
    told: list[dict[str, Any]] = []
    spoken: list[dict[str, Any]] = []
    for message in kept["messages"]:
        (told if message["role"] == "system" else spoken).append(message)
    if not told or not spoken:
        return {}
    contents = [kept.get("system"), *(message.get("content") for message in told)]
    return {"messages": spoken, "system": [part for content in contents for part in _text_parts(content)]}


def _one_call(kept: Mapping[str, Any]) -> Mapping[str, Any]:
    """OpenAI's name of the Messages API's wish for one call at a time, which LiteLLM does not translate."""
    choice = kept.get("tool_choice")
    one = isinstance(choice, dict) and choice.get("disable_parallel_tool_use") is True
    return {"parallel_tool_calls": False} if one else {}


def _text_parts(content: str | list[Any] | None) -> list[Any]:
    """Content as a list of parts; the strings that may stand among them become parts too."""
    parts = [content] if isinstance(content, str) else content or []
    return [{"type": "text", "text": part} if isinstance(part, str) else part for part in parts]


def _parse(body: bytes) -> dict[str, Any]:
    try:
        sent = orjson.loads(body)
    except orjson.JSONDecodeError as exc:
        sent = _parse_mended(body, str(exc))
    if not isinstance(sent, dict):
        raise RequestError("The body must be a JSON object.")
    return sent


def _parse_mended(body: bytes, fault: str) -> Any:
    """The value of a body with half characters, as programs leave them that cut a tool's output in an emoji."""
    try:
        return orjson.loads(mend(json.dumps(json.loads(body), ensure_ascii=False)))
    except (ValueError, RecursionError) as exc:
        raise RequestError(f"The body is not valid JSON: {fault}.") from exc


def _dump(kept: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(kept)
    except orjson.JSONEncodeError as exc:  # everything that was parsed can be written, except for its depth
        raise _too_deep() from exc


def _too_deep() -> RequestError:
    return RequestError("The body is nested deeper than 250 levels.")


def _refuse_fields(sent: Mapping[str, Any], fields: frozenset[str], reserved: frozenset[str]) -> None:
    for name in sent:
        if name in fields or name in _HARMLESS_FIELDS:
            continue
        if name in reserved or name in _STEERING_FIELDS:
            raise RequestError(f"{name} cannot be set by a request: it is set in the proxy's config.", param=name)
        if name in _STATEFUL_FIELDS and sent[name]:
            raise RequestError(f"{name} is not supported: this proxy stores nothing between requests.", param=name)


def _check_model(model: str, policy: Policy) -> None:
    """The name as it was sent is the one that LiteLLM gets, and by which it chooses: no other spelling of it exists."""
    served = "*" not in model and (model in policy.models or _is_agent_of(model, policy.models))
    if served and policy.key.allows(model):
        return
    allowed = policy.models if policy.key.models is None else policy.key.models
    names = ", ".join(sorted(name.replace("/*", "/<agent id>") for name in allowed)) or "none"
    if served:
        raise ModelNotAllowedError(
            f"This key ({policy.key.name}) may not use the model {model!r:.100}. It may use: {names}.", param="model"
        )
    prefixes = sorted(name.removesuffix("/*") for name in allowed if name.endswith("/*"))
    known = next((prefix for prefix in prefixes if is_agent_id_behind(prefix, model)), None)
    hint = f" For the agent with this id, ask for {known}/{model}." if known else ""
    raise UnknownModelError(f"There is no model {model!r:.100}. Available: {names}.{hint}", param="model")


def _is_agent_of(model: str, models: Collection[str]) -> bool:
    """Whether a wildcard admits it. Only ids: LiteLLM takes some other names for models of vendors."""
    prefix, _, agent_id = model.partition("/")
    return f"{prefix}/*" in models and is_agent_id_behind(prefix, agent_id)
