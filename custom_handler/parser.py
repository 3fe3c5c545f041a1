"""Text deltas of a model → text, reasoning and tool calls, as they come.

Sans-I/O: `feed` takes a piece of text and returns what it completes, `flush` ends the answer. The result does not
depend on where the pieces were cut. Plain text passes at once; only a suffix that may still become a marker waits,
and white space that may turn out to lead up to a call. Every character is looked at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from custom_handler.call_block import CallBlock
from custom_handler.call_patterns import LONGEST_MARKER
from custom_handler.events import CallBegan, CallBroken, Content, Reasoning, Text
from custom_handler.json_text import JsonText
from custom_handler.markers import ENDS, INVENTED_RESULTS, REASONING


def _any_of(words: Collection[str]) -> str:
    """A pattern for one of `words`, the longest that fits."""
    return "(?:" + "|".join(map(re.escape, sorted(words, key=len, reverse=True))) + ")"


def _beginnings(words: Collection[str]) -> frozenset[str]:
    return frozenset(word[:size] for word in words for size in range(1, len(word)))


#: Attributes of a tag; bounded, and without anything that could be a marker or a fence.
_ATTRIBUTES = r"[ \t](?:(?!CALL_)[^<>\n`]){0,64}"
_NAMES = _any_of(REASONING)
#: Every opener has one of these in it; to look for them first takes a fraction of the time.
_PARTS = ("CALL_START", "CALL_RESULT", "<t", "<T", "<r", "<R", "<f")
_OPENER = re.compile(
    rf"(?P<marker>{_any_of(ENDS)})|(?P<result>{_any_of(INVENTED_RESULTS)})"
    rf"|<(?P<tag>(?i:{_NAMES}))(?:{_ATTRIBUTES}(?<!/))?>",
    re.ASCII,
)
_BEGINNINGS = _beginnings((*ENDS, *INVENTED_RESULTS))
_TAG_BEGUN = re.compile(
    rf"<(?:{_any_of(_beginnings(REASONING))}?|{_NAMES}(?:{_ATTRIBUTES})?)\Z", re.IGNORECASE | re.ASCII
)
_FIRST_LETTERS = re.compile("[" + re.escape("".join(sorted({word[0] for word in _BEGINNINGS} | {"<"}))) + "]")
_FENCE_BEFORE = re.compile(r"```(?:\w{0,20}\s{1,8})?\Z")
#: A fence that may stand before a marker, with or without the beginning of one behind it.
_FENCE_BEGUN = re.compile(rf"(?:`{{1,2}}|```\w{{0,20}}|```(?:\w{{0,20}}\s{{1,8}})?{_any_of(_beginnings(ENDS))}?)\Z")
_SUSPECT_LENGTH = LONGEST_MARKER + 80
#: The tag that ends each kind of reasoning, and what may be its beginning.
_REASONING_ENDS = {
    name: (
        re.compile(rf"</{name}>", re.IGNORECASE | re.ASCII),
        re.compile(rf"{_any_of(_beginnings([f'</{name}>']))}\Z", re.IGNORECASE | re.ASCII),
    )
    for name in REASONING
}


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the text given out has come to.

    Attributes:
        line_begins: it ended a line, but for blanks.
        in_code: it leaves a code block open.
        ticks: backticks at its end that are not yet a fence.
        last: its last character; nothing behind a call.
        closed: a closing tag has come since the last call.
    """

    line_begins: bool = True
    in_code: bool = False
    ticks: int = 0
    last: str = ""
    closed: bool = False

    def behind(self, text: str) -> _Place:
        """The place when `text` follows."""
        if not text:
            return self
        line = text.rstrip(" \t")
        ticked = "`" * self.ticks + text
        return _Place(
            line[-1] == "\n" if line else self.line_begins,
            self.in_code ^ bool(ticked.count("```") % 2),
            (len(ticked) - len(ticked.rstrip("`"))) % 3,
            text[-1],
            self.closed or "</" in self.last + text,
        )

    @property
    def allows_result(self) -> bool:
        """Whether a result here is invented. One behind `</assistant>` is quoted, with the conversation it is from."""
        return self.line_begins and not self.closed

    def allows_tag(self, name: str) -> bool:
        """Whether a tag here is one of the model's own, and not text about it or the type of a generic."""
        if self.in_code or self.last in ("`", '"', "'", "\\"):
            return False
        in_word = self.last.isascii() and (self.last.isalnum() or self.last == "_")
        return name.islower() or not in_word


class CallParser:
    """Reads one answer.

    Args:
        tool_names: the declared tools. A block that names none of them is no call; without tools all is text, but for
            reasoning.
        value: reads the JSON value that the client wants, if any. What stands inside it opens nothing.
    """

    def __init__(self, tool_names: Collection[str], value: JsonText | None = None) -> None:
        self._tool_names = frozenset(tool_names)
        self._value = value
        self._unread: list[str] = []  # text that `value` was not given yet
        self._state: Callable[[list[Content]], bool] = self._in_text
        self._buffer = ""  # what the current state has not used up
        self._blank: list[str] = []  # white space that began a stretch of text
        self._in_blank = True
        self._place = _Place()
        self._any_calls = False
        self._block = CallBlock("", ())
        self._reasoning_end, self._reasoning_end_begun = _REASONING_ENDS[REASONING[0]]

    @property
    def invented(self) -> bool:
        """Whether the model went on with results of its own calls, which were dropped."""
        return self._state == self._in_invention

    def feed(self, text: str) -> list[Content]:
        """What `text` completes."""
        self._buffer += text
        out: list[Content] = []
        while self._state(out):
            pass
        return out

    def flush(self) -> list[Content]:
        """What was held back, now that nothing follows."""
        out: list[Content] = []
        if self._state == self._in_call:
            self._take_block(self._block.flush(), out)
            if self._block.done:
                self._state = self._in_text
                return out + self.feed(self._block.rest) + self.flush()
        elif self._state == self._in_reasoning:
            out.extend([Reasoning(self._buffer)] if self._buffer else [])
        elif self._state == self._in_text:
            self._give(out, self._buffer)
        if self._blank and not self._any_calls:
            out.append(Text("".join(self._blank)))
        return out

    # Each state uses up what it can of the buffer and tells whether the next state has something to do.

    def _in_text(self, out: list[Content]) -> bool:
        opener = self._find_opener()
        if opener is None:
            keep = _held_back(self._buffer)
            self._give(out, self._buffer[: len(self._buffer) - keep])
            self._buffer = self._buffer[len(self._buffer) - keep :]
            return False
        text, rest = self._buffer[: opener.start()], self._buffer[opener.end() :]
        fence = self._fence_before(text) if opener["marker"] else ""
        self._give(out, text.removesuffix(fence))
        if self._inside_value():
            self._give(out, fence + opener.group())
            return self._go(self._in_text, rest)
        return self._open(opener, fence, rest)

    def _find_opener(self) -> re.Match[str] | None:
        """The first start marker, reasoning tag or invented result that counts."""
        if not any(part in self._buffer for part in _PARTS):
            return None
        place, done = self._place, 0
        for opener in _OPENER.finditer(self._buffer):
            place, done = place.behind(self._buffer[done : opener.start()]), opener.start()
            if self._counts(opener, place):
                return opener
        return None

    def _counts(self, opener: re.Match[str], place: _Place) -> bool:
        if opener["marker"]:
            return bool(self._tool_names)
        if opener["result"]:
            return self._any_calls and place.allows_result
        return place.allows_tag(opener["tag"])

    def _fence_before(self, text: str) -> str:
        """The fence at the end of `text`, if it opens a code block, and does not close one."""
        fence = _FENCE_BEFORE.search(text, max(0, len(text) - _SUSPECT_LENGTH))
        return fence.group() if fence and not self._place.behind(text[: fence.start()]).in_code else ""

    def _open(self, opener: re.Match[str], fence: str, rest: str) -> bool:
        if opener["result"]:
            return self._go(self._in_invention, rest)
        if opener["tag"]:
            self._reasoning_end, self._reasoning_end_begun = _REASONING_ENDS[opener["tag"].lower()]
            return self._go(self._in_reasoning, rest)
        self._block = CallBlock(
            fence + opener.group(),
            self._tool_names,
            fenced=self._block.fenced,
            in_code=self._place.in_code or bool(fence),
            line_begins=self._place.line_begins or "\n" in fence,
        )
        return self._go(self._in_call, rest)

    def _in_reasoning(self, out: list[Content]) -> bool:
        end = self._reasoning_end.search(self._buffer)
        begun = end or self._reasoning_end_begun.search(self._buffer, max(0, len(self._buffer) - _SUSPECT_LENGTH))
        thought = self._buffer[: begun.start()] if begun else self._buffer
        if thought:
            out.append(Reasoning(thought))
        if end:
            self._begin_stretch()
            return self._go(self._in_text, self._buffer[end.end() :])
        self._buffer = self._buffer[len(thought) :]
        return False

    def _in_call(self, out: list[Content]) -> bool:
        text, self._buffer = self._buffer, ""
        self._take_block(self._block.feed(text), out)
        return self._block.done and self._go(self._in_text, self._block.rest)

    def _take_block(self, content: list[Content], out: list[Content]) -> None:
        for item in content:
            if isinstance(item, Text):
                self._give(out, item.text)
                continue
            if isinstance(item, CallBegan | CallBroken):
                self._begin_stretch()
                self._blank.clear()
                self._any_calls = True
            out.append(item)

    def _in_invention(self, _: list[Content]) -> bool:
        """The model goes on with results of its calls: all that follows is dropped."""
        self._buffer = ""
        return False

    def _go(self, state: Callable[[list[Content]], bool], rest: str) -> bool:
        self._state, self._buffer = state, rest
        return bool(rest)

    def _begin_stretch(self) -> None:
        """What comes next follows no text."""
        self._in_blank = True
        self._place = replace(self._place, line_begins=True, ticks=0, last="", closed=False)

    def _give(self, out: list[Content], text: str) -> None:
        """Give out text; white space at the start of a stretch waits, for it may only lead up to a call."""
        if not text:
            return
        self._place = self._place.behind(text)
        if self._in_blank:
            self._blank.append(text)
            if text.isspace():
                return
            text = "".join(self._blank)
            self._blank.clear()
            self._in_blank = False
        self._block.fenced = False
        if self._value:
            self._unread.append(text)
        out.append(Text(text))

    def _inside_value(self) -> bool:
        """Whether what was given out leaves the JSON value open; read only now, since few answers come to this."""
        if self._value is None:
            return False
        self._value.feed("".join(self._unread))
        self._unread.clear()
        return self._value.inside


def _held_back(text: str) -> int:
    """How many characters at the end of `text` may be the beginning of a marker, or a fence before one."""
    tail = text[-_SUSPECT_LENGTH:]
    if "`" in tail and (fence := _FENCE_BEGUN.search(tail)):
        return len(fence.group())
    for first in _FIRST_LETTERS.finditer(tail):
        if tail[first.start() :] in _BEGINNINGS or _TAG_BEGUN.match(tail, first.start()):
            return len(tail) - first.start()
    return 0
