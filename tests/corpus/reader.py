"""What the corpus asks of a reader of answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from custom_handler.request import Tool
from tests.corpus.case import Item


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a reader made of an answer.

    Attributes:
        items: in order, in as many pieces as the reader gives; a call that was given out in part and never ended,
            so that the finish reason is `length`, is not among them.
        cut: the answer ended inside a call.
        broken: calls that must not be executed as they are, as the model wrote them.
    """

    items: tuple[Item, ...]
    cut: bool = False
    broken: tuple[str, ...] = ()


class Reader(Protocol):
    """Reads one answer that comes in pieces."""

    def read(self, pieces: Sequence[str], tools: Sequence[Tool]) -> Outcome: ...
