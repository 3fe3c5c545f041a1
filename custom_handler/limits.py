"""Where an answer ends before the model does: at a stop word, or after so many tokens.

Both are sans-I/O, and what they give out depends on the text alone, not on where its pieces were cut. Stop words are
looked for in what a client sees as text, so that none cuts a call; tokens are those of all that the agent writes.

    StopFilter(["Observation:"])   feed("… Obs") → "… "   feed("erve") → "Observe"
    LengthLimit(100, count)        feed(text) → text, up to the hundredth token
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Callable, Iterator, Sequence

_NOWHERE = sys.maxsize


class StopFilter:
    """Gives out text up to the first place where a stop word begins.

    Of several stop words the one that begins first wins; where two begin at the same place, the text ends there either
    way. Held back is only the longest suffix that may still become a stop word. Time is linear in the text, for every
    text and every stop word: Knuth-Morris-Pratt, or `str.find` for pieces longer than the word.

    Args:
        stops: the stop words; empty ones are ignored.
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self._searches = [_Search(word) for word in dict.fromkeys(stops) if word]
        self._fed = 0  # characters so far
        self._given = 0  # of these, given out
        self._cut = _NOWHERE  # where the first stop word found so far begins
        self._held = ("", 0)  # what is held back, as a stop word and how much of it: no copy while it grows
        #: A stop word came; nothing is given out any more, and the rest of the answer need not be read.
        self.stopped = False

    def feed(self, text: str) -> str:
        """The part of everything so far that can be given out now."""
        if self.stopped:
            return ""
        held = self._held
        self._search(text)
        self._fed += len(text)
        longest = max(self._searches, key=lambda search: search.matched, default=None)
        self._held = (longest.word, longest.matched) if longest else ("", 0)
        undecided_from = self._fed - self._held[1]
        self.stopped = self._cut <= undecided_from
        return self._give(held, text, min(self._cut, undecided_from))

    def flush(self) -> str:
        """What was held back, now that nothing follows; up to a stop word if it contains one."""
        if self.stopped:
            return ""
        self.stopped = self._cut != _NOWHERE
        held, self._held = self._held, ("", 0)
        return self._give(held, "", min(self._cut, self._fed))

    def _search(self, text: str) -> None:
        for search in tuple(self._searches):
            end = search.feed(text)
            if end is not None:  # its later occurrences do not matter
                self._cut = min(self._cut, self._fed + end - len(search.word))
                self._searches.remove(search)

    def _give(self, held: tuple[str, int], text: str, end: int) -> str:
        """Text from what was given out last up to `end`; it is `held` followed by `text`."""
        size, self._given = end - self._given, end
        word, held_size = held
        return word[: min(size, held_size)] + text[: max(0, size - held_size)]


class _Search:
    """The search for one stop word.

    Attributes:
        word: what is searched.
        matched: how many characters at the end of the text are the beginning of the word.
    """

    __slots__ = ("_borders", "matched", "word")

    def __init__(self, word: str) -> None:
        self.word = word
        self.matched = 0
        self._borders = _borders(word)

    def feed(self, text: str) -> int | None:
        """How many characters of `text` it takes to complete the word, or None while it is not complete."""
        if not self.matched and self.word[0] not in text:
            return None
        if len(text) < len(self.word):
            return self._step_through(text)
        # A long piece: the search of `str` is many times faster, and joining the pieces costs no more than the search.
        start = (self.word[: self.matched] + text).find(self.word)
        if start >= 0:
            return start + len(self.word) - self.matched
        self.matched = 0
        return self._step_through(text[len(text) - len(self.word) + 1 :])

    def _step_through(self, text: str) -> int | None:
        word, borders, matched = self.word, self._borders, self.matched
        for count, character in enumerate(text, start=1):
            while matched and word[matched] != character:
                matched = borders[matched - 1]
            matched += word[matched] == character
            if matched == len(word):
                return count
        self.matched = matched
        return None


def _borders(word: str) -> list[int]:
    """For each prefix of `word`: how long its longest proper prefix is that is also its suffix."""
    borders, size = [0], 0
    for character in word[1:]:
        while size and word[size] != character:
            size = borders[size - 1]
        size += word[size] == character
        borders.append(size)
    return borders


#: White space and the word behind it; text without spaces is taken in stretches.
_WORD = re.compile(r"\s{0,32}\S{0,32}")
_LONGEST_TAIL = 32  # characters that a stretch goes on for lest it ends inside what a reader sees as one character
_LONGEST_WORD = 4 * (32 + 32 + _LONGEST_TAIL)  # in bytes of UTF-8


class LengthLimit:
    """Gives out text until `max_tokens` tokens have been given out.

    Text is taken word by word (white space belongs to the word behind it). A word passes as long as all its tokens
    fit; the one that no longer does is cut to its longest beginning that fits, never inside an accented letter or an
    emoji made of several characters. Tokens are those of words or stretches of words, added up, so the sum may differ
    a little from the count of the whole text.

    Counting is expensive, so text that certainly fits is not counted: no tokenizer makes more tokens than the text
    has bytes. An answer of up to `max_tokens` bytes is never counted, a longer one in a few stretches, each once.

    Args:
        max_tokens: at least 1.
        count: the tokens of a text; at most one a byte of UTF-8.
    """

    def __init__(self, max_tokens: int, count: Callable[[str], int]) -> None:
        self._max_tokens = max_tokens
        self._count = count
        self._counted = 0  # tokens
        self._uncounted: list[str] = []  # text that fits whatever its count is
        self._uncounted_bytes = 0
        self._words = _Words()
        self._ahead = 0  # characters of the unfinished word that were given out already
        #: More text came than the limit allows; nothing is given out any more.
        self.exceeded = False

    def feed(self, text: str) -> str:
        """The part of everything so far that can be given out now."""
        out = [self._show(word) for word in self._words.feed(text)]
        if self._counted + self._uncounted_bytes + _LONGEST_WORD <= self._max_tokens and not self.exceeded:
            out.append(self._words.unfinished[self._ahead :])
            self._ahead = len(self._words.unfinished)
        return "".join(out)

    def flush(self) -> str:
        """The last word, now that it is complete; `feed` may go on with new words."""
        return self._show(self._words.flush())

    def _show(self, word: str) -> str:
        out, self._ahead = self._admit(word)[self._ahead :], 0
        return out

    def _admit(self, word: str) -> str:
        """The part of `word` that fits."""
        if self.exceeded or not word:
            return ""
        size = len(word.encode("utf-8", "surrogatepass"))
        if self._counted + self._uncounted_bytes + size > self._max_tokens:
            self._count_the_uncounted()
        if self._counted + size > self._max_tokens:
            return self._admit_counted(word)
        self._uncounted.append(word)
        self._uncounted_bytes += size
        return word

    def _count_the_uncounted(self) -> None:
        if self._uncounted:
            self._counted += self._count("".join(self._uncounted))
            self._uncounted, self._uncounted_bytes = [], 0

    def _admit_counted(self, word: str) -> str:
        left = self._max_tokens - self._counted
        tokens = self._count(word)
        self.exceeded = tokens > left
        if self.exceeded:
            return next((part for part in _shorter(word) if self._count(part) <= left), "")
        self._counted += tokens
        return word


class _Words:
    """Splits text that comes in pieces into white space with the word behind it.

    Attributes:
        unfinished: the beginning of a word that may go on in the next piece.
    """

    __slots__ = ("unfinished",)

    def __init__(self) -> None:
        self.unfinished = ""

    def feed(self, text: str) -> list[str]:
        """The words that `text` completes."""
        text, words, start = self.unfinished + text, [], 0
        while (end := _end_of_word(text, start)) < len(text):
            words.append(text[start:end])
            start = end
        self.unfinished = text[start:]
        return words

    def flush(self) -> str:
        """The last word, or nothing."""
        word, self.unfinished = self.unfinished, ""
        return word


def _end_of_word(text: str, start: int) -> int:
    """Where the word that begins at `start` ends; at the end of `text` it may still go on."""
    match = _WORD.match(text, start)
    end = match.end() if match else start
    last = min(len(text), end + _LONGEST_TAIL)
    while end < last and _belong_together(text[end - 1], text[end]):
        end += 1
    return end


def _shorter(word: str) -> Iterator[str]:
    """The beginnings of `word`, the longest first."""
    for end in range(len(word) - 1, 0, -1):
        if not _belong_together(word[end - 1], word[end]):
            yield word[:end]


_ZERO_WIDTH_JOINER = "\u200d"


def _belong_together(left: str, right: str) -> bool:
    """Whether a reader sees the two as one character (the common part of Unicode's grapheme clusters, UAX #29)."""
    return (
        unicodedata.category(right).startswith("M")  # accents, vowel signs, variation selectors
        or _ZERO_WIDTH_JOINER in (left, right)
        or "\U0001f3fb" <= right <= "\U0001f3ff"  # skin tones
        or "\U000e0020" <= right <= "\U000e007f"  # tags behind a flag
        or ("\U0001f1e6" <= left <= "\U0001f1ff" and "\U0001f1e6" <= right <= "\U0001f1ff")  # letters of a flag
        or ("\ud800" <= left <= "\udbff" and "\udc00" <= right <= "\udfff")  # halves of a pair
        or (left == "\r" and right == "\n")
    )
