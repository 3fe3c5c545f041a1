"""What the agent writes → what the client gets: parsed, restored, checked, and ended where the client wants it to end.

Sans-I/O: the engine feeds it the pieces of one answer after another, since one request may take several questions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from custom_handler.calls import CallDesk
from custom_handler.disarm import disarm
from custom_handler.events import Content, Event, Reasoning, Text
from custom_handler.json_text import JsonText
from custom_handler.outlet import Outlet
from custom_handler.parser import CallParser
from custom_handler.request import ChatRequest
from custom_handler.restoring import Restoring
from custom_handler.value_desk import ValueDesk


class Reader:
    """Reads the answers to the questions that one request takes.

    Args:
        request: what the client asked.
        check_chars: characters up to which a call, or a value, is checked before it is given out.

    Attributes:
        calls: what became of the calls.
        value: what became of the JSON value; None where the client wants text.
        outlet: what was given out.
    """

    def __init__(self, request: ChatRequest, check_chars: int) -> None:
        tools = request.callable_tools
        self.calls = CallDesk(tools, check_chars, at_most_one=not request.parallel_tool_calls)
        self.value = ValueDesk(request.output, check_chars) if request.output else None
        self.outlet = Outlet()
        self._tool_names = [disarm(tool.name) for tool in tools]
        self._stops = request.stops
        self._output = request.output

    @property
    def shortened(self) -> bool:
        """Whether the agent said more in its last answer than the client is given.

        Not counted are its thoughts, and what stands around a JSON value.
        """
        return self.outlet.ended or self.calls.dropped or self._parser.invented

    def begin(self, *, quoted: bool, hidden: bool = False, calls: bool = True) -> None:
        """The answer to a question comes next.

        Args:
            quoted: anything that the agent was told was disarmed.
            hidden: the client knows nothing of this question. Text was given out before, so only calls are taken from
                the answer, and the value where none was given out yet.
            calls: whether tools may be called in the answer.
        """
        self._parser = CallParser(self._tool_names if calls else (), JsonText(self._output) if self._output else None)
        self._restoring = Restoring(active=quoted)
        self._hidden = hidden
        self.calls.begin()
        self._value = None if self.value and self.value.given else self.value
        if self._value:
            self._value.begin()
        self.outlet.begin(self._stops)

    def feed(self, text: str) -> Iterator[Event]:
        """What `text` completes."""
        return self._give(self._restoring.take(self._parser.feed(text)))

    def flush(self) -> Iterator[Event]:
        """What was held back, now that the answer has ended."""
        yield from self._give(chain(self._restoring.take(self._parser.flush()), self._restoring.flush()))
        if self._value:
            yield from self.outlet.take(self._value.end())
        yield from self.outlet.flush()

    def give(self, events: Iterable[Event]) -> Iterator[Event]:
        """Give out what is left in the end; no stop word ends it."""
        self.outlet.begin(())
        yield from self.outlet.take(events)
        yield from self.outlet.flush()

    def _give(self, content: Iterable[Content]) -> Iterator[Event]:
        unwanted = ((Reasoning,) if self._value else (Reasoning, Text)) if self._hidden else ()
        events = (event for event in self.calls.take(content) if not isinstance(event, unwanted))
        return self.outlet.take(self._value.take(events) if self._value else events)
