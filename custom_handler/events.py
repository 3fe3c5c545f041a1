"""What an answer is made of, in the order in which it comes.

The parser gives `Content`: text, reasoning, and calls as the model writes them. A call is `CallBegan`, any number of
`CallArguments`, then `CallEnded`; or `CallBroken` when it turns out to be none. The calls are checked, and the engine
gives `Event`s: text, reasoning, calls (whole, or begun and continued when they are long), then `Sources` if there are
any, then one `Usage`, then one `Finish`. Every part of an answer, streamed or whole, comes from one such sequence.
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
class Reasoning:
    """A piece of what the model thought to itself; never empty."""

    text: str


@dataclass(frozen=True, slots=True)
class CallBegan:
    """A call of the declared tool `name` begins."""

    name: str


@dataclass(frozen=True, slots=True)
class CallArguments:
    """A piece of the arguments of the call that began last; together they are the strict JSON of one object."""

    text: str


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The call that began last is whole; `mended` if its arguments were written as no strict JSON."""

    mended: bool = False


@dataclass(frozen=True, slots=True)
class CallBroken:
    """A block that was meant as a call and is none; when one began, it is that one.

    Attributes:
        raw: what the model wrote, markers included.
        problem: what is wrong with it, as a sentence for the model.
        cut: the answer ended inside it.
    """

    raw: str
    problem: str
    cut: bool = False


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One whole call. `arguments` is the text of a JSON object, as OpenAI's `function.arguments`."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Source:
    """What an answer draws on. `url` is an address, a URN with the source's id, or empty."""

    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Sources:
    """What the answer draws on; never empty, each source once."""

    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of the whole request and the whole answer, as counted upstream or else estimated."""

    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True)
class Finish:
    """The end of the answer."""

    reason: FinishReason


Content: TypeAlias = Text | Reasoning | CallBegan | CallArguments | CallEnded | CallBroken
Event: TypeAlias = Text | Reasoning | ToolCall | CallBegan | CallArguments | Sources | Usage | Finish
