"""What the parser gives, put together."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from custom_handler.events import (
    CallArguments,
    CallBegan,
    CallBroken,
    CallEnded,
    Content,
    Reasoning,
    Text,
    ToolCall,
)


@dataclass(frozen=True)
class Broken:
    """A block that is no call."""

    raw: str
    cut: bool = False


Item = Text | Reasoning | ToolCall | Broken


def joined(content: Iterable[Content]) -> list[Item]:
    """`content` with neighbouring pieces of text joined and calls put together; their arguments are strict JSON."""
    out: list[Item] = []
    name, arguments = "", ""
    for item in content:
        match item:
            case CallBegan():
                name, arguments = item.name, ""
            case CallArguments():
                arguments += item.text
            case CallEnded():
                json.loads(arguments)
                out.append(ToolCall(name, arguments))
            case CallBroken():
                out.append(Broken(item.raw, item.cut))
            case Text() | Reasoning():
                _add_text(out, item)
    return out


def _add_text(out: list[Item], item: Text | Reasoning) -> None:
    if out and isinstance(out[-1], type(item)):
        item = type(item)(out.pop().text + item.text)  # type: ignore[union-attr] # of the same type
    out.append(item)
