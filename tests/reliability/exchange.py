"""One question and the answer to it, recognisable in whatever comes of them."""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass
from typing import Any

from emulator import FAULTS
from emulator.frames import StackSpotDialect, pieces
from emulator.steps import Drop, Forever, Send
from emulator.stream import Ending, Item, Stream
from tests.reliability import leaks
from tests.reliability.apis.api import Question, Tool

SAVE = Tool(
    "save",
    "Save a file.",
    {
        "type": "object",
        "properties": {"path": {"type": "string"}, "content": {"type": "string"}},
        "required": ["path", "content"],
    },
)
_CHUNK = 16  # characters a frame
_ARGUMENTS = re.compile(r"arguments: (\{.*\})\nFUNCTION_CALL_END", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Written:
    """What the service writes, fault and all.

    Attributes:
        text: all of it.
        cut: it breaks off, or has an event that nobody can read.
    """

    text: str
    cut: bool

    @property
    def arguments(self) -> dict[str, Any]:
        """Those of the call in it; empty when there is no whole one."""
        found = _ARGUMENTS.search(self.text)
        return dict(json.loads(found[1], strict=False)) if found else {}


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question, and what the agent answers.

    Attributes:
        cut_at: where a fault strikes in the answer, in characters.
    """

    question: Question
    answer: str
    cut_at: int

    def reply(self, fault: str | None, slow: float) -> dict[str, Any]:
        """The service's reply; a slow fault takes `slow` seconds."""
        return {"text": self.answer, "chunk": _CHUNK, "fault": fault, "after": self.cut_at, "seconds": slow}

    def written(self, fault: str | None) -> Written:
        """What the service really writes under `fault`, by the emulator's own account of it."""
        stream = Stream(pieces(self.answer, _CHUNK), lambda: Ending(1, 1, {}), {}, StackSpotDialect())
        change = FAULTS[fault].change if fault else None
        items = list((change(stream, self.cut_at) if change else stream).items)
        text = _joined([item for item in items if isinstance(item, str)])
        broken_off = any(isinstance(item, Drop | Forever) or _is_unreadable(item) for item in items)
        return Written(text, cut=broken_off or len(text) < len(self.answer))


def text(length: int = 40) -> Exchange:
    """A question that is answered with text: words, each with its number, so that none is lost or doubled unseen."""
    mark = secrets.token_hex(6)
    words = " ".join(f"{mark}-{number} 😀" for number in range(length))
    return Exchange(Question(leaks.prompt()), f"Olá! {words}.", cut_at=len(words) // 2)


def call() -> Exchange:
    """A question that is answered with a call, long enough to be passed on while it is being written."""
    content = " ".join(f"{secrets.token_hex(4)}-{number} 😀" for number in range(200))
    arguments = json.dumps({"path": "a.txt", "content": content}, ensure_ascii=False)
    answer = f"FUNCTION_CALL_START\nsave\narguments: {arguments}\nFUNCTION_CALL_END"
    return Exchange(Question(leaks.prompt(), (SAVE,)), answer, cut_at=len(answer) * 3 // 4)


def _is_unreadable(item: Item) -> bool:
    """Whether it is an event that begins as JSON and is none, or none that a reader has room for."""
    data = item.data.partition(b"data:")[2] if isinstance(item, Send) else b""
    try:
        return data.lstrip().startswith(b"{") and json.loads(data) is None
    except (ValueError, RecursionError):
        return True


def _joined(texts: list[str]) -> str:
    """Half characters that follow one another made whole; one that stays alone becomes U+FFFD."""
    return "".join(texts).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
