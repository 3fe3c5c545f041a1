"""The last step before the client: an answer ends at a stop word, and after so many tokens.

Stop words end text, and nothing else. A whole call beyond the limit is not sent; one on its way is cut there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from custom_handler.events import CallArguments, CallBegan, Event, Reasoning, Text, ToolCall
from custom_handler.limits import LengthLimit, StopFilter


class Outlet:
    """Gives out one answer, whatever number of questions to the agent it takes; `begin` each of them.

    Args:
        limit: None for an answer of any length.

    Attributes:
        calls: how many calls were given out, or begun.
    """

    def __init__(self, limit: LengthLimit | None = None) -> None:
        self.calls = 0
        self._limit = limit
        self.begin(())

    def begin(self, stops: Sequence[str]) -> None:
        """Another answer of the agent comes, in which these words end the text."""
        self._stops = stops
        self._stop = StopFilter(stops)
        self._piece: type[Text | Reasoning | CallArguments] = Text  # what came last, of which an end may be held back

    @property
    def ended(self) -> bool:
        """Nothing more is given out, so nothing more needs to be read."""
        return self._stop.stopped or self.exceeded

    @property
    def exceeded(self) -> bool:
        """The limit is reached, and more came."""
        return self._limit is not None and self._limit.exceeded

    @property
    def cut_on_the_way(self) -> bool:
        """The limit was reached inside a call whose beginning was given out."""
        return self.exceeded and self._piece is CallArguments

    def take(self, events: Iterable[Event]) -> Iterator[Event]:
        """The part of `events` that the client gets. No more of them is asked for once the answer has ended."""
        if self.ended:
            return
        for event in events:
            if not isinstance(event, self._piece):
                yield from self._end_piece()
            if not self.ended:
                yield from self._give(event)
            if self.ended:
                return

    def flush(self) -> Iterator[Event]:
        """What was held back: it stands before whatever comes next."""
        held = self._stop.flush() if self._piece is Text else ""
        if not self._stop.stopped:
            self._stop = StopFilter(self._stops)
        yield from self._pieces(held if self._limit is None else self._limit.feed(held) + self._limit.flush())

    def _end_piece(self) -> Iterator[Event]:
        yield from self.flush()
        if not self.ended:
            self._piece = Text

    def _give(self, event: Event) -> Iterator[Event]:
        if isinstance(event, Text | Reasoning | CallArguments):
            self._piece = type(event)
            yield from self._pieces(self._begun(event))
        elif self._limit is None or self._limit.spend(_written(event)):
            self.calls += isinstance(event, ToolCall | CallBegan)
            yield event

    def _begun(self, event: Text | Reasoning | CallArguments) -> str:
        """The part of everything so far that can be given out now."""
        text = self._stop.feed(event.text) if self._stops and isinstance(event, Text) else event.text
        if self._limit is None:
            return text
        out = self._limit.feed(text)
        return out + self._limit.flush() if self._stop.stopped else out

    def _pieces(self, text: str) -> Iterator[Event]:
        if text:
            yield self._piece(text)


def _written(event: Event) -> str:
    """What counts of an event that is given out as a whole."""
    match event:
        case ToolCall(name, arguments):
            return f"{name} {arguments}"
        case CallBegan(name):
            return name
    return ""
