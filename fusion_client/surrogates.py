"""Halves of surrogate pairs, which JSON's escapes can bring into text and no encoding can take out again. Pure."""

from __future__ import annotations


def mended(text: str) -> str:
    """`text` with pairs joined, and U+FFFD for each half that is alone."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


class PairJoiner:
    """Mends a text that comes in pieces: a half at the end of one waits for the next."""

    def __init__(self) -> None:
        self._half = ""

    def feed(self, piece: str) -> str:
        """As much of the text as is certain."""
        text, self._half = self._half + piece, ""
        if "\ud800" <= text[-1:] <= "\udbff":
            text, self._half = text[:-1], text[-1]
        return mended(text)

    def flush(self) -> str:
        """What was still waiting."""
        half, self._half = self._half, ""
        return mended(half)
