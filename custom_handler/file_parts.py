"""Files in a body, in the one form in which LiteLLM passes them on. Pure.

Of the other forms, LiteLLM 1.106.2 drops some without a word (a document of text, a sound on the Responses API),
forgets names, writes one into the prompt as base64, and refuses some as unreadable. An image by its address comes
through everywhere, and the address may be a data: URL of any type, with a name in it. `detail` is left out: it means
nothing to an agent, and with `high` LiteLLM fetches an image from wherever a client says, to count its tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, TypeAlias

from custom_handler import data_url, parts
from custom_handler.errors import RequestError
from custom_handler.fields import mapping, optional_text

_Part: TypeAlias = dict[str, Any]
#: A file's address → the part that carries it.
_Carrier: TypeAlias = Callable[[str], _Part]


def rewritten(body: Mapping[str, Any], fields: Collection[str]) -> Mapping[str, Any]:
    """The fields of `body` that hold conversations, with their files in that form.

    Args:
        body: of known shape, see `shapes`.
        fields: those of the address, which tell its API.

    Raises:
        RequestError: a file refers to what is stored elsewhere, or a part is none that an agent can be given.
    """
    if "input" in fields:
        _check_items(body.get("input"))
        return _with_contents(body, "input", _responses_part)
    if "system" not in fields:
        return _with_contents(body, "messages", _chat_part)
    _check_system(body.get("system"))
    new = _with_contents(body, "messages", _messages_part)
    _check_roles(new.get("messages", ()))
    return new


def _check_system(system: Any) -> None:
    """Nothing but text stands there: of other parts LiteLLM drops some, and fetches an image with `detail: high`."""
    for index, part in enumerate(system if isinstance(system, list) else ()):
        if (part.get("type") or "text") != "text":
            raise RequestError(f"system[{index}].type must be text.", param=f"system[{index}].type")


def _check_items(items: Any) -> None:
    """LiteLLM drops a file that stands beside the messages."""
    for index, item in enumerate(items if isinstance(items, list) else ()):
        if isinstance(item, dict) and item.get("type") in parts.READERS:
            path = f"input[{index}].type"
            raise RequestError(f"{path}: {item['type']} must stand in the content of a message.", param=path)


def _check_roles(messages: Iterable[Any]) -> None:
    """LiteLLM drops a file in a message of another role than the user's; Anthropic refuses it."""
    for index, message in enumerate(messages):
        content = message.get("content")
        for at, part in enumerate(content if message.get("role") != "user" and isinstance(content, list) else ()):
            if isinstance(part, dict) and part.get("type") == "image":
                path = f"messages[{index}].content[{at}]"
                raise RequestError(f"{path} is a file, which must stand in a message of the user.", param=path)


def _chat_part(url: str) -> _Part:
    return {"type": "image_url", "image_url": {"url": url}}


def _responses_part(url: str) -> _Part:
    return {"type": "input_image", "image_url": url}


def _messages_part(url: str) -> _Part:
    return {"type": "image", "source": {"type": "url", "url": url}}


def _with_contents(body: Mapping[str, Any], name: str, carrier: _Carrier) -> Mapping[str, Any]:
    items = body.get(name)
    if not isinstance(items, list):
        return {}
    return {name: [_item(item, f"{name}[{index}]", carrier) for index, item in enumerate(items)]}


def _item(item: Any, path: str, carrier: _Carrier) -> Any:
    """A message, or a result of the Responses API."""
    if not isinstance(item, dict):
        return item
    lists = {key: item[key] for key in ("content", "output") if isinstance(item.get(key), list)}
    return {**item, **{key: _content(content, f"{path}.{key}", carrier) for key, content in lists.items()}}


def _content(content: list[Any], path: str, carrier: _Carrier) -> list[Any]:
    return [new for index, part in enumerate(content) for new in _part(part, f"{path}[{index}]", carrier)]


def _part(part: Any, path: str, carrier: _Carrier) -> list[Any]:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind == "tool_result":
        return [_item(part, path, carrier)]
    if kind == "tool_use":  # in a list, LiteLLM would look for images, and fetch them
        mapping(part.get("input") or {}, f"{path}.input")
        optional_text(part, "name", path)
    if not isinstance(kind, str) or kind not in parts.READERS or (kind == "file" and carrier is _chat_part):
        return [part]  # a file in a chat comes through as it is, and so errors can name its fields
    return [
        {"type": "text", "text": said} if isinstance(said, str) else carrier(data_url.with_name(said.url, said.name))
        for said in parts.interpret(part, path)
    ]
