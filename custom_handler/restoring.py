"""What was disarmed in the prompt, put back into what the model wrote: text, reasoning, and arguments of calls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from custom_handler.disarm import Restorer, restore
from custom_handler.events import CallArguments, CallBegan, CallBroken, CallEnded, Content, Reasoning, Text


class Restoring:
    """Restores the content of one answer, piece by piece.

    Args:
        active: whether anything in the prompt was disarmed; if not, what the model writes is its own.
    """

    def __init__(self, *, active: bool) -> None:
        self._active = active
        self._restorer = Restorer()
        self._kind: type[Text] | type[Reasoning] | type[CallArguments] = Text  # of what the restorer holds back

    def take(self, content: Sequence[Content]) -> Iterator[Content]:
        """`content` restored, but for an end that may be the beginning of something disarmed."""
        if not self._active:
            yield from content
            return
        for item in content:
            match item:
                case Text() | Reasoning() | CallArguments():
                    yield from self._take_piece(item)
                case CallBegan(name):
                    yield from self.flush()
                    yield CallBegan(restore(name))
                case CallEnded() | CallBroken():
                    yield from self.flush()
                    yield item

    def flush(self) -> Iterator[Content]:
        """What was held back."""
        if rest := self._restorer.flush():
            yield self._kind(rest)
        self._restorer = Restorer()

    def _take_piece(self, item: Text | Reasoning | CallArguments) -> Iterator[Content]:
        if not isinstance(item, self._kind):
            yield from self.flush()
            self._kind = type(item)
        if text := self._restorer.feed(item.text):
            yield self._kind(text)
