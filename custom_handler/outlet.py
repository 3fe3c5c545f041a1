"""The last step before the client: text ends at a stop word, and so does the answer.

Stop words end text, and nothing else: they do not count in calls and thoughts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from custom_handler.events import CallArguments, CallBegan, Event, Text, ToolCall
from custom_handler.limits import StopFilter


class Outlet:
    """Gives out one answer, whatever number of questions to the agent it takes; `begin` each of them.

    Attributes:
        calls: how many calls were given out, or begun.
    """

    def __init__(self) -> None:
        self.calls = 0
        self.begin(())

    def begin(self, stops: Sequence[str]) -> None:
        """Another answer of the agent comes, in which these words end the text."""
        self._stops = stops
        self._stop = StopFilter(stops)

    @property
    def ended(self) -> bool:
        """Nothing more is given out, so nothing more needs to be read."""
        return self._stop.stopped

    def take(self, events: Iterable[Event]) -> Iterator[Event]:
        """The part of `events` that the client gets. No more of them is asked for once the answer has ended."""
        if not self.ended:
            for event in events:
                yield from self._give(event)
                if self.ended:
                    return

    def flush(self) -> Iterator[Event]:
        """What was held back: it stands before whatever comes next."""
        yield from _text(self._stop.flush())
        if not self.ended:
            self._stop = StopFilter(self._stops)

    def _give(self, event: Event) -> Iterator[Event]:
        if isinstance(event, Text):
            yield from _text(self._stop.feed(event.text) if self._stops else event.text)
            return
        if self._stops and not isinstance(event, CallArguments):
            yield from self.flush()
        if not self.ended:
            self.calls += isinstance(event, ToolCall | CallBegan)
            yield event


def _text(text: str) -> Iterator[Event]:
    if text:
        yield Text(text)
