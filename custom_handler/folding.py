"""The events of one answer, put together."""

from __future__ import annotations

from collections.abc import Sequence

from custom_handler.events import (
    CallArguments,
    CallBegan,
    Event,
    Finish,
    FinishReason,
    Reasoning,
    Source,
    Sources,
    Text,
    ToolCall,
    Usage,
)


class Folded:
    """An answer that is being put together.

    Attributes:
        usage, finish_reason, sources: as the events said, once they came.
    """

    def __init__(self) -> None:
        self.usage = Usage(0, 0)
        self.finish_reason: FinishReason = "stop"
        self.sources: Sequence[Source] = ()
        self._texts: list[str] = []
        self._thoughts: list[str] = []
        self._calls: list[tuple[str, list[str]]] = []  # name and pieces of the arguments

    def take(self, event: Event) -> None:
        """Add one event."""
        match event:
            case Text(text):
                self._texts.append(text)
            case Reasoning(text):
                self._thoughts.append(text)
            case Sources(sources):
                self.sources = sources
            case Usage():
                self.usage = event
            case Finish(reason):
                self.finish_reason = reason
            case _:
                self._take_call(event)

    @property
    def text(self) -> str:
        """All of the visible text."""
        return "".join(self._texts)

    @property
    def thoughts(self) -> str:
        """All of the reasoning."""
        return "".join(self._thoughts)

    @property
    def calls(self) -> Sequence[ToolCall]:
        """The calls; of one that was cut on its way, as much as came."""
        return [ToolCall(name, "".join(pieces)) for name, pieces in self._calls]

    def _take_call(self, event: ToolCall | CallBegan | CallArguments) -> None:
        if not isinstance(event, CallArguments):
            self._calls.append((event.name, []))
        if not isinstance(event, CallBegan):
            self._calls[-1][1].append(event.arguments if isinstance(event, ToolCall) else event.text)
