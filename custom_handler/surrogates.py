"""Half characters: JSON's escapes can carry one half of a pair, which no UTF-8 text can.

Written out as they are, they become a 500 or a dropped connection; a service that cuts its answer into frames may
cut an emoji's escaped pair in two.
"""

from __future__ import annotations


def mend(text: str) -> str:
    """`text` with pairs joined and every half without its other half replaced by U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


class SurrogateJoiner:
    """Mends text that comes in pieces: half a pair at the end of one waits for the next."""

    def __init__(self) -> None:
        self._half = ""

    def feed(self, text: str) -> str:
        """The part of everything so far that can be given out."""
        text = self._half + text
        self._half = text[-1] if text and "\ud800" <= text[-1] <= "\udbff" else ""
        return mend(text[:-1] if self._half else text)

    def flush(self) -> str:
        """U+FFFD when half a pair was left."""
        return mend(self._half)
