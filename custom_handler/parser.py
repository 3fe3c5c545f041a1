"""Text deltas of a model → text, reasoning and tool calls, as they come.

Sans-I/O: `feed` takes a piece of text and returns what it completes, `flush` ends the answer. The result does not
depend on where the pieces were cut. Plain text passes at once; only a suffix that may still become a marker waits,
and white space that may turn out to lead up to a call. Every character is looked at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from custom_handler.call_block import LONGEST_MARKER, CallBlock
from custom_handler.events import CallBegan, CallBroken, Content, Reasoning, Text
from custom_handler.markers import ENDS, INVENTED_RESULTS, REASONING, length_begun

_OPENERS = (*ENDS, *REASONING)
#: Every opener has one of these in it; to look for them first takes a fraction of the time.
_PARTS = ("CALL_START", "<t", "<r")
_OPENER = re.compile("|".join(map(re.escape, _OPENERS)))
_OPENER_PREFIXES = frozenset(opener[:size] for opener in _OPENERS for size in range(1, len(opener)))
_FIRST_LETTERS = re.compile("[" + re.escape("".join({opener[0] for opener in _OPENERS})) + "]")
_FENCE_BEFORE = re.compile(r"```(?:\w{0,20}\s{1,8})?\Z")
#: A fence that may stand before a marker, with or without the beginning of one behind it.
_FENCE_BEGUN = re.compile(
    r"(?:`{1,2}|```\w{0,20}|```(?:\w{0,20}\s{1,8})?(?:PREFIX)?)\Z".replace(
        "PREFIX", "|".join(sorted(map(re.escape, _OPENER_PREFIXES), key=len, reverse=True))
    )
)
_SUSPECT_LENGTH = LONGEST_MARKER + 32


class CallParser:
    """Reads one answer.

    Args:
        tool_names: the declared tools. A block that names none of them is no call; without tools all is text, but for
            reasoning.
    """

    def __init__(self, tool_names: Collection[str]) -> None:
        self._tool_names = frozenset(tool_names)
        self._state: Callable[[list[Content]], bool] = self._in_text
        self._buffer = ""  # what the current state has not used up
        self._blank = ""  # white space that began a stretch of text
        self._in_blank = True
        self._line_begins = True  # whether the text given out so far ended a line
        self._any_calls = False
        self._in_code = False  # whether the text given out so far leaves a code block open
        self._ticks = 0  # backticks at its end that are not yet a fence
        self._block = CallBlock("", ())
        self._reasoning_end = ""

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
            out.append(Text(self._blank))
        return out

    # Each state uses up what it can of the buffer and tells whether the next state has something to do.

    def _in_text(self, out: list[Content]) -> bool:
        if self._any_calls and self._in_blank and self._invented() is not False:
            return False
        opener = self._find_opener()
        if opener is None:
            keep = _held_back(self._buffer)
            self._give(out, self._buffer[: len(self._buffer) - keep])
            self._buffer = self._buffer[len(self._buffer) - keep :]
            return False
        text, start = self._buffer[: opener.start()], opener.group()
        if start in REASONING:
            return self._open_reasoning(text, start, out)
        fence = _FENCE_BEFORE.search(text)
        if fence and not self._code_open_behind(text[: fence.start()]):  # it opens, and does not close
            text, start = text[: fence.start()], fence.group() + start
        self._give(out, text)
        self._ticks = 0
        self._block = CallBlock(start, self._tool_names, fenced=self._block.fenced)
        return self._go(self._in_call, self._buffer[opener.end() :])

    def _code_open_behind(self, text: str) -> bool:
        """Whether a code block is open when `text` follows what was given out."""
        return self._in_code ^ bool(("`" * self._ticks + text).count("```") % 2)

    def _find_opener(self) -> re.Match[str] | None:
        """The first start marker, or the first reasoning tag that begins a line."""
        if not any(part in self._buffer for part in _PARTS):
            return None
        for opener in _OPENER.finditer(self._buffer):
            if opener.group() in ENDS and self._tool_names:
                return opener
            if opener.group() in REASONING and self._begins_line(opener.start()):
                return opener
        return None

    def _begins_line(self, at: int) -> bool:
        before = self._buffer[:at].rstrip(" \t")
        return before.endswith("\n") or (not before and self._line_begins)

    def _open_reasoning(self, text: str, tag: str, out: list[Content]) -> bool:
        self._give(out, text)
        self._reasoning_end = REASONING[tag]
        return self._go(self._in_reasoning, self._buffer[len(text) + len(tag) :])

    def _in_reasoning(self, out: list[Content]) -> bool:
        text, end, rest = self._buffer.partition(self._reasoning_end)
        keep = 0 if end else length_begun(text, self._reasoning_end)
        if len(text) > keep:
            out.append(Reasoning(text[: len(text) - keep]))
        if end:
            self._line_begins = self._in_blank = True
            return self._go(self._in_text, rest)
        self._buffer = text[len(text) - keep :]
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
                self._in_blank, self._blank, self._any_calls = True, "", True
            out.append(item)

    def _invented(self) -> bool | None:
        """Drop all that follows when the model goes on with results of its calls; None when more text must tell."""
        begun = (self._blank + self._buffer).lstrip()
        if begun and any(begun.startswith(result) for result in INVENTED_RESULTS):
            self._state = self._in_invention
            self._blank = self._buffer = ""
            return True
        if begun and any(result.startswith(begun) for result in INVENTED_RESULTS):
            return None
        return False

    def _in_invention(self, _: list[Content]) -> bool:
        self._buffer = ""
        return False

    def _go(self, state: Callable[[list[Content]], bool], rest: str) -> bool:
        self._state, self._buffer = state, rest
        return bool(rest)

    def _give(self, out: list[Content], text: str) -> None:
        """Give out text; white space at the start of a stretch waits, for it may only lead up to a call."""
        if not text:
            return
        line = text.rstrip(" \t")
        self._line_begins = line[-1] == "\n" if line else self._line_begins
        if self._in_blank:
            self._blank += text
            text = self._blank if self._blank.strip() else ""
        if text:
            self._in_blank, self._blank = False, ""
            self._in_code = self._code_open_behind(text)
            ticked = "`" * self._ticks + text
            self._ticks = (len(ticked) - len(ticked.rstrip("`"))) % 3
            self._block.fenced = False
            out.append(Text(text))


def _held_back(text: str) -> int:
    """How many characters at the end of `text` may be the beginning of a marker, or a fence before one."""
    tail = text[-_SUSPECT_LENGTH:]
    if "`" in tail and (fence := _FENCE_BEGUN.search(tail)):
        return len(fence.group())
    for first in _FIRST_LETTERS.finditer(tail):
        if tail[first.start() :] in _OPENER_PREFIXES:
            return len(tail) - first.start()
    return 0
