"""The last step before the client: an answer ends at a stop word, and after so many tokens.

A call that would go beyond the limit is not sent; one that was already on its way is cut there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from custom_handler.events import CallArguments, CallBegan, Event, Reasoning, Text, ToolCall
from custom_handler.limits import LengthLimit, StopFilter


class Outlet:
    """Gives out one answer, whatever number of questions to the agent it takes.

    Args:
        stops: the stop words.
        limit: None for an answer of any length.

    Attributes:
        calls: how many calls were given out, or begun.
        cut_on_the_way: the limit was reached inside a call whose beginning was given out.
    """

    def __init__(self, stops: Sequence[str] = (), limit: LengthLimit | None = None) -> None:
        self.calls = 0
        self.cut_on_the_way = False
        self._stops = stops
        self._stop = StopFilter(stops)
        self._limit = limit

    def renew(self) -> None:
        """Another answer comes, in which a stop word ends the text anew."""
        self._stop = StopFilter(self._stops)

    @property
    def ended(self) -> bool:
        """Nothing more is given out, so nothing more needs to be read."""
        return self._stop.stopped or self.exceeded

    @property
    def exceeded(self) -> bool:
        """The limit is reached, and more came."""
        return self._limit is not None and self._limit.exceeded

    def take(self, events: Iterable[Event]) -> Iterator[Event]:
        """The part of `events` that the client gets."""
        for event in events:
            if self.ended:
                return
            if isinstance(event, Text):
                yield from _as_text(self._text(event.text))
                continue
            if not isinstance(event, CallArguments):
                yield from self.flush()
            if self._fits(event):
                self.calls += isinstance(event, ToolCall | CallBegan)
                yield event

    def flush(self) -> Iterator[Event]:
        """What was held back: it stands before whatever comes next."""
        held = self._stop.flush()
        if not self._stop.stopped:
            self.renew()
        yield from _as_text(held if self._limit is None else self._limit.feed(held) + self._limit.flush())

    def _text(self, text: str) -> str:
        text = self._stop.feed(text) if self._stops else text
        if self._limit is None:
            return text
        out = self._limit.feed(text)
        return out + self._limit.flush() if self._stop.stopped else out

    def _fits(self, event: Event) -> bool:
        """Whether the limit, if any, leaves room for `event`."""
        if self._limit is None:
            return True
        if self.exceeded or self._limit.spend(_hidden_text(event)):
            self.cut_on_the_way = isinstance(event, CallArguments)
            return False
        return True


def _hidden_text(event: Event) -> str:
    match event:
        case ToolCall(name, arguments):
            return f"{name} {arguments}\n"  # the line break tells that the last word is whole
        case CallBegan(name):
            return f"{name} "
        case CallArguments(text) | Reasoning(text):
            return text
    return ""


def _as_text(text: str) -> Iterator[Event]:
    if text:
        yield Text(text)
