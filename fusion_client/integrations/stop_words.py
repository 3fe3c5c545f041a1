"""Words that end an answer, for a service that knows none. Pure."""

from __future__ import annotations

from collections.abc import Iterable


class StopWords:
    """Passes text on up to the first of `words`, which is left out. What may be the beginning of one is held back.

    Attributes:
        met: one came; nothing is passed on any more.
    """

    def __init__(self, words: Iterable[str] | None = None) -> None:
        self._words = [word for word in words or () if word]
        self._held = ""
        self.met = False

    def feed(self, text: str) -> str:
        """What of the text so far can be passed on now."""
        if self.met:
            return ""
        text = self._held + text
        first, open_from = self._first(text), len(text) - self._beginning(text)
        self.met = first is not None and first <= open_from  # else one that begins before it may still come
        end = first if self.met else open_from
        self._held = "" if self.met else text[end:]
        return text[:end]

    def flush(self) -> str:
        """What is left at the end of the answer."""
        text, self._held = self._held, ""
        first = self._first(text)
        self.met = self.met or first is not None
        return text[:first]

    def whole(self, text: str) -> str:
        """The same for an answer that came whole."""
        return self.feed(text) + self.flush()

    def _first(self, text: str) -> int | None:
        """Where the first word in `text` begins."""
        return min((at for word in self._words if (at := text.find(word)) >= 0), default=None)

    def _beginning(self, text: str) -> int:
        """How many characters at the end of `text` may be the beginning of a word, at most."""
        longest = max(map(len, self._words), default=0)
        sizes = range(min(longest - 1, len(text)), 0, -1)
        return next((size for size in sizes if any(word.startswith(text[-size:]) for word in self._words)), 0)
