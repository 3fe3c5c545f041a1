"""What the agent writes → what the client gets: parsed, restored, checked, and ended where the client wants it to end.

Sans-I/O: the engine feeds it the pieces of one answer after another, since one request may take several questions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Literal, TypeAlias

from custom_handler.calls import CallDesk
from custom_handler.disarm import QUOTE, disarm
from custom_handler.events import Content, Event, Reasoning, Text
from custom_handler.limits import LengthLimit
from custom_handler.outlet import Outlet
from custom_handler.parser import CallParser
from custom_handler.request import ChatRequest
from custom_handler.restoring import Restoring
from custom_handler.value_desk import ValueDesk

#: What is taken from an answer. Text was given out before a follow-up about calls, and nothing may be called in one
#: about the value.
Wanted: TypeAlias = Literal["all", "calls", "value"]


class Reader:
    """Reads the answers to the questions that one request takes.

    Args:
        request: what the client asked.
        check_chars: characters up to which a call, or a value, is checked before it is given out.
        count_tokens: the tokens of a text.

    Attributes:
        calls: what became of the calls.
        value: what became of the JSON value; None where the client wants text.
        outlet: what was given out.
    """

    def __init__(self, request: ChatRequest, check_chars: int, count_tokens: Callable[[str], int]) -> None:
        tools = request.callable_tools
        self.calls = CallDesk(tools, check_chars, at_most_one=not request.parallel_tool_calls)
        self.value = ValueDesk(request.output, check_chars) if request.output else None
        limit = LengthLimit(request.max_tokens, count_tokens) if request.max_tokens else None
        self.outlet = Outlet(request.stops, limit)
        self._tool_names = [disarm(tool.name) for tool in tools]
        self.begin("")

    def begin(self, prompt: str, wanted: Wanted = "all") -> None:
        """The answer to `prompt` comes next."""
        self._wanted = wanted
        self._parser = CallParser(() if wanted == "value" else self._tool_names)
        self._restoring = Restoring(active=QUOTE in prompt)
        self.outlet.renew()
        if self.value:
            self.value.begin()

    def feed(self, text: str) -> Iterator[Event]:
        """What `text` completes."""
        return self._give(self._restoring.take(self._parser.feed(text)))

    def flush(self) -> Iterator[Event]:
        """What was held back, now that the answer has ended."""
        yield from self._give(chain(self._restoring.take(self._parser.flush()), self._restoring.flush()))
        if self.value and self._wanted != "calls":
            yield from self.outlet.take(self.value.end())
        yield from self.outlet.flush()

    def _give(self, content: Iterable[Content]) -> Iterator[Event]:
        events = self.calls.take(content)
        if self._wanted == "calls":
            events = (event for event in events if not isinstance(event, Text | Reasoning))
        elif self.value:
            events = self.value.take(events)
        return self.outlet.take(events)
