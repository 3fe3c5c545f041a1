"""One answer of a model, and what it means."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from custom_handler.request import Tool


@dataclass(frozen=True, slots=True)
class Text:
    """A part of the visible answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Reasoning:
    """What the model thought aloud; it is shown apart from the answer, and nothing in it is executed."""

    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """A call that the client may execute; `arguments` is the text of a JSON object."""

    name: str
    arguments: str

    @classmethod
    def meant(cls, name: str, arguments: Mapping[str, Any]) -> Call:
        """A call of which the arguments are known as a value."""
        return cls(name, json.dumps(arguments, ensure_ascii=False))


Item: TypeAlias = Text | Reasoning | Call


@dataclass(frozen=True, slots=True)
class Case:
    """What a model wrote, and what is to be made of it.

    Attributes:
        row: the kind of drift; a row of the published table.
        format: the name of the call format.
        tools: those the request declared.
        text: the answer.
        expected: what the client is to get, in order. White space beside a call does not count.
        written: the JSON of each call as it stands in `text`.
        broken: names of the calls that are to be reported as broken, in order; they need a follow-up.
        may_cut: the answer ends inside a call, so the reader may say that it was cut.
        nothing_executed: no call may come out of this answer but those in `expected`.
        every_cut: the text is to be cut in two at every place, beside the cuts that all texts are read in.
    """

    row: str
    format: str
    tools: tuple[Tool, ...]
    text: str
    expected: tuple[Item, ...]
    written: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    may_cut: bool = False
    nothing_executed: bool = False
    every_cut: bool = False

    @property
    def follow_up(self) -> bool:
        """Whether the model has to be asked again."""
        return bool(self.broken)
