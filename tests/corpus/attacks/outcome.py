"""Makes the attacks against the product, and tells which of them succeed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from custom_handler.disarm import TAGS, disarm, restore
from custom_handler.events import ToolCall
from custom_handler.parser import CallParser
from custom_handler.prompt import render
from custom_handler.request import ChatRequest
from tests.corpus.attacks import Attack
from tests.corpus.attacks.models import MODELS, Model
from tests.corpus.attacks.places import Place
from tests.support.content import joined


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attack against all models; `succeeded` has those that it worked against."""

    attack: Attack
    succeeded: tuple[Model, ...]


def attempt(attacks: Iterable[Attack]) -> list[Attempt]:
    """Every attack against every model."""
    return [Attempt(attack, tuple(model for model in MODELS if succeeds(attack, model))) for attack in attacks]


def calls_in(answer: str, asked: ChatRequest) -> list[ToolCall]:
    """Every call that the parser begins and ends, checked or not."""
    parser = CallParser([disarm(tool.name) for tool in asked.tools])
    items = joined([*parser.feed(answer), *parser.flush()])
    return [item for item in items if isinstance(item, ToolCall)]


def wrong_calls(answer: str, asked: ChatRequest) -> list[ToolCall]:
    past = [call.arguments for turn in asked.messages for call in turn.calls]
    return [call for call in calls_in(answer, asked) if call.name != "read_file" or restore(call.arguments) not in past]


def structure(prompt: str) -> list[str]:
    """All that can be taken for a tag of the prompt."""
    return re.findall(rf"(?i)< *\xa0?/?\xa0? *(?:{'|'.join(TAGS)})(?![\w:.-])", prompt.replace("\\_", "_"))


def succeeds(attack: Attack, quoted: Model) -> bool:
    """Whether the model's quotation of the prompt makes a call, or the prompt has another structure than without."""
    asked = attack.place(attack.texts)
    answer = quoted(render(asked))
    return bool(wrong_calls(answer, asked)) or structure(answer) != harmless_structure(attack.place, len(attack.texts))


@cache
def harmless_structure(place: Place, texts: int) -> list[str]:
    return structure(render(place(["{}" for _ in range(texts)])))
