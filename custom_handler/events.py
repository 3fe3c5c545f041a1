"""What an answer is made of: any number of `Text` and `ToolCall`, then one `Usage`, then one `Finish`.

Every part of an answer, streamed or whole, comes from one such sequence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

FinishReason: TypeAlias = Literal["stop", "tool_calls", "length", "content_filter"]


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of the visible answer; never empty."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One whole call. `arguments` is the text of a JSON object, as OpenAI's `function.arguments`."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of the whole request and the whole answer, as counted upstream or else estimated."""

    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True)
class Finish:
    """The end of the answer."""

    reason: FinishReason


Content: TypeAlias = Text | ToolCall
Event: TypeAlias = Content | Usage | Finish
