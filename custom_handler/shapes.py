"""The types of the fields that LiteLLM works on before the provider is asked, and falls over when they are wrong.

Found by sending each field in many wrong types to LiteLLM 1.106.2. Whatever it passes through untouched is checked by
the provider alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from custom_handler.errors import RequestError

_WORDS: dict[type, str] = {
    str: "a string",
    list: "a list",
    dict: "an object",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
}


@dataclass(frozen=True, slots=True)
class Field:
    """The types a field may have; null counts as left out.

    Attributes:
        types: its own.
        item_types: those of its items, when it is a list.
        item_fields: the fields of items that are objects.
        item_needs: the one of them that must not be left out; LiteLLM would fill it in.
    """

    types: tuple[type, ...]
    item_types: tuple[type, ...] = (dict,)
    item_fields: Mapping[str, Field] = field(default_factory=dict)
    item_needs: str | None = None


_TEXT, _NUMBER, _WHOLE, _OBJECT = Field((str,)), Field((int, float)), Field((int,)), Field((dict,))
_TYPED = {"type": _TEXT}
_CONTENT = Field((str, list), (dict, str), _TYPED)
_MESSAGE = {"role": _TEXT, "content": _CONTENT, "tool_calls": Field((list,), (dict,), {"function": _OBJECT})}

BODY: Mapping[str, Field] = {
    "model": _TEXT,
    "messages": Field((list,), (dict,), _MESSAGE, item_needs="role"),
    "input": Field((str, list), (dict,), _TYPED | _MESSAGE),
    "prompt": Field((str, list), (str, int, list)),
    "system": Field((str, list), (dict,), _TYPED),
    "instructions": _TEXT,
    "stream": Field((bool,)),
    "stream_options": _OBJECT,
    "tools": Field((list,), (dict,), _TYPED | {"name": _TEXT, "function": _OBJECT}),
    "tool_choice": Field((str, dict)),
    "response_format": _OBJECT,
    "text": _OBJECT,
    "temperature": _NUMBER,
    "top_p": _NUMBER,
    "max_tokens": _WHOLE,
    "max_completion_tokens": _WHOLE,
    "max_output_tokens": _WHOLE,
    "encoding_format": _TEXT,
    "dimensions": _WHOLE,
    "user": _TEXT,
}


def check(value: Mapping[str, Any], shape: Mapping[str, Field], path: str = "") -> None:
    """Check the fields of an object, those of its lists' items included.

    Raises:
        RequestError: one has a wrong type; `param` is its path, such as `messages[3].content[0].type`.
    """
    for name, expected in shape.items():
        found = value.get(name)
        if found is not None:
            _check_type(found, expected.types, f"{path}{name}")
        for index, item in enumerate(found if isinstance(found, list) else ()):
            item_path = f"{path}{name}[{index}]"
            _check_type(item, expected.item_types, item_path)
            if isinstance(item, dict):
                _check_need(item, expected.item_needs, item_path)
                check(item, expected.item_fields, f"{item_path}.")


def _check_need(item: Mapping[str, Any], name: str | None, path: str) -> None:
    if name is not None and item.get(name) is None:
        raise RequestError(f"{path}.{name} is missing.", param=f"{path}.{name}")


def _check_type(value: object, types: tuple[type, ...], path: str) -> None:
    if type(value) not in types:  # not isinstance: to Python, true is a number
        words = [_WORDS[kind] for kind in types if not (kind is int and float in types)]
        raise RequestError(f"{path} must be {' or '.join(words)}.", param=path)
