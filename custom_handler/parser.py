"""Text deltas of a model → text and tool calls, as they come.

Sans-I/O: `feed` takes a piece of text and returns what it completes, `flush` ends the answer. The result does
not depend on where the pieces were cut. Plain text passes at once; only a suffix that may still become a start
marker waits, and white space that may turn out to lead up to a call. Every character is looked at once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, NoReturn

from custom_handler.events import Content, Text, ToolCall
from custom_handler.markers import ARGUMENTS_KEYS, ENDS, NAME_KEYS

_FIRST_LETTERS = re.compile("[" + re.escape("".join({start[0] for start in ENDS})) + "]")
_START_PREFIXES = frozenset(start[:size] for start in ENDS for size in range(1, len(start)))
_LONGEST_MARKER = max(map(len, (*ENDS, *ENDS.values())))

#: Before the arguments stands only a name; where more than this comes, the marker was not a call's.
_LONGEST_HEAD = 512
_HEAD_END = re.compile("[{[]|" + "|".join(map(re.escape, (*ENDS, *ENDS.values()))))
_HEAD = re.compile(r"\s*(?:function_name\s*:\s*)?(?P<name>[^\s{}\[\]]+)\s*(?:arguments\s*:\s*)?")

_STRING_BODY = re.compile(r'(?:[^"\\]++|\\.)*+', re.DOTALL)
_BETWEEN_STRINGS = re.compile(r'[^"{}\[\]]*+')
_DEPTH_CHANGE = {"{": 1, "[": 1, "}": -1, "]": -1}


class _JsonEnd:
    """Finds the end of one JSON object or array over pieces of text, with regard to strings."""

    def __init__(self) -> None:
        self._depth = 0
        self._in_string = False
        self._after_backslash = False

    def find(self, text: str) -> int | None:
        """The index behind the last brace, or None when it is not in this piece."""
        position = 0
        while position < len(text):
            position = self._string(text, position) if self._in_string else self._structure(text, position)
            if not self._depth:
                return position
        return None

    def _structure(self, text: str, position: int) -> int:
        position = _end(_BETWEEN_STRINGS, text, position)
        if position == len(text):
            return position
        self._in_string = text[position] == '"'
        self._depth += _DEPTH_CHANGE.get(text[position], 0)
        return position + 1

    def _string(self, text: str, position: int) -> int:
        if self._after_backslash:
            self._after_backslash = False
            return position + 1
        position = _end(_STRING_BODY, text, position)
        if position == len(text):
            return position
        # Either the quote that closes the string, or a backslash whose other half is in the next piece.
        self._after_backslash = text[position] == "\\"
        self._in_string = self._after_backslash
        return position + 1


def _end(pattern: re.Pattern[str], text: str, position: int) -> int:
    match = pattern.match(text, position)
    return match.end() if match else position


class CallParser:
    """Reads one answer.

    Args:
        tool_names: the declared tools. A block that names none of them is text; without tools everything is.
    """

    def __init__(self, tool_names: Collection[str]) -> None:
        self._tool_names = frozenset(tool_names)
        self._state: Callable[[list[Content]], bool] = self._in_text
        self._buffer = ""  # what the current state has not used up
        self._blank = ""  # white space that began a stretch of text
        self._in_blank = True
        self._block: list[str] = []  # start marker, head, and pieces of the arguments
        self._json = _JsonEnd()
        self._any_calls = False
        #: Set by `flush`: the answer ended inside a call, which was not given out.
        self.cut = False

    def feed(self, text: str) -> list[Content]:
        """The text and calls that `text` completes."""
        if not self._tool_names:
            return [Text(text)] if text else []
        self._buffer += text
        out: list[Content] = []
        while self._state(out):
            pass
        return out

    def flush(self) -> list[Content]:
        """What was held back, now that nothing follows."""
        out: list[Content] = []
        if self._state == self._in_arguments and self._names_a_tool():
            self.cut = True
        elif self._state == self._in_text:
            self._give(out, self._buffer)
        elif self._state != self._in_tail:
            self._give(out, "".join(self._block) + self._buffer)
        if self._blank and not self._any_calls:
            out.append(Text(self._blank))
        return out

    # Each state uses up what it can of the buffer and tells whether the next state has something to do.

    def _in_text(self, out: list[Content]) -> bool:
        found = [(at, start) for start in ENDS if (at := self._buffer.find(start)) >= 0]
        if not found:
            keep = _held_back(self._buffer)
            self._give(out, self._buffer[: len(self._buffer) - keep])
            self._buffer = self._buffer[len(self._buffer) - keep :]
            return False
        at, start = min(found)
        self._give(out, self._buffer[:at])
        self._block = [start]
        return self._go(self._in_head, self._buffer[at + len(start) :])

    def _in_head(self, out: list[Content]) -> bool:
        end = _HEAD_END.search(self._buffer)
        if end is None and len(self._buffer) <= _LONGEST_HEAD + _LONGEST_MARKER:
            return False
        if end is None or end.start() > _LONGEST_HEAD:
            return self._not_a_call(out)
        head, stop = self._buffer[: end.start()], end.group()
        if stop in ENDS.values() and self._name_in(head):
            self._call(out, [ToolCall(self._name_in(head), "{}")])
            return self._go(self._in_tail, self._buffer[end.start() :])
        if stop in "{[" and (not head.strip() or self._name_in(head)):
            self._block.append(head)
            self._json = _JsonEnd()
            return self._go(self._in_arguments, self._buffer[end.start() :])
        return self._not_a_call(out)

    def _in_arguments(self, out: list[Content]) -> bool:
        end = self._json.find(self._buffer)
        self._block.append(self._buffer[:end])
        if end is None:
            self._buffer = ""
            return False
        calls = self._read_block()
        rest = self._buffer[end:]
        if calls:
            self._call(out, calls)
            return self._go(self._in_tail, rest)
        self._give(out, "".join(self._block))
        return self._go(self._in_text, rest)

    def _in_tail(self, _: list[Content]) -> bool:
        self._buffer = self._buffer.lstrip()
        for end in ENDS.values():
            if self._buffer.startswith(end):
                return self._go(self._in_text, self._buffer[len(end) :])
        if any(end.startswith(self._buffer) for end in ENDS.values()):
            return False
        return self._go(self._in_text, self._buffer)

    def _go(self, state: Callable[[list[Content]], bool], rest: str) -> bool:
        self._state, self._buffer = state, rest
        return bool(rest)

    def _not_a_call(self, out: list[Content]) -> bool:
        self._give(out, self._block[0])
        return self._go(self._in_text, self._buffer)

    def _give(self, out: list[Content], text: str) -> None:
        """Give out text; white space at the start of a stretch waits, for it may only lead up to a call."""
        if self._in_blank:
            self._blank += text
            text = self._blank if self._blank.strip() else ""
        if text:
            self._in_blank, self._blank = False, ""
            out.append(Text(text))

    def _call(self, out: list[Content], calls: list[ToolCall]) -> None:
        self._in_blank, self._blank, self._any_calls = True, "", True
        out.extend(calls)

    def _name_in(self, head: str) -> str:
        """The declared tool that `head` names, or an empty string."""
        match = _HEAD.fullmatch(head)
        return match["name"] if match and match["name"] in self._tool_names else ""

    def _names_a_tool(self) -> bool:
        """Whether the unfinished block was to be a call: its head or its JSON has a declared name."""
        head, *body = self._block[1:]
        return bool(self._name_in(head)) or any(f'"{name}"' in "".join(body) for name in self._tool_names)

    def _read_block(self) -> list[ToolCall]:
        """The calls of a finished block; empty when it is not readable as calls of declared tools."""
        head, body = self._block[1], "".join(self._block[2:])
        try:
            value = _load(body)
        except ValueError:
            return []
        if name := self._name_in(head):
            return [ToolCall(name, _arguments(body, value))] if isinstance(value, dict) else []
        calls = [_from_object(item) for item in (value if isinstance(value, list) else [value])]
        return [call for call in calls if call and call.name in self._tool_names] if all(calls) else []


def _held_back(text: str) -> int:
    """How many characters at the end of `text` may be the beginning of a start marker."""
    for first in _FIRST_LETTERS.finditer(text, max(0, len(text) - _LONGEST_MARKER + 1)):
        if text[first.start() :] in _START_PREFIXES:
            return len(text) - first.start()
    return 0


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _load(text: str) -> Any:
    """The JSON value in `text`; raw line breaks and tabs in strings are read as what they are.

    Raises:
        ValueError: it is not JSON.
    """
    try:
        return json.loads(text, strict=False, parse_constant=_no_constant)
    except RecursionError as exc:
        raise ValueError("nested too deeply") from exc


def _arguments(text: str, value: Mapping[str, Any]) -> str:
    """`text` itself where it is strict JSON: numbers and spacing stay as written; else `value` written anew."""
    try:
        json.loads(text)
    except ValueError:
        return json.dumps(value, ensure_ascii=False)
    return text


def _from_object(item: Any) -> ToolCall | None:
    """A call written as one JSON object; its arguments may be an object or the text of one."""
    if not isinstance(item, dict):
        return None
    name = next((item[key] for key in NAME_KEYS if isinstance(item.get(key), str)), None)
    arguments: Any = next((item[key] for key in ARGUMENTS_KEYS if key in item), {})
    if isinstance(arguments, str):
        try:
            arguments = _load(arguments)
        except ValueError:
            return None
    if name is None or not isinstance(arguments, dict):
        return None
    return ToolCall(name, json.dumps(arguments, ensure_ascii=False))
