"""One block that a model wrote to call a tool: from behind its start marker to behind its end marker.

Sans-I/O, like the parser that makes it. Arguments are given out as they come, as strict JSON. Accepted are the forms of
`markers`, a fence around the block or its arguments, arguments that are the text of JSON, several calls in one block or
in an array, and a missing end marker.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable
from typing import Any

from custom_handler.call_patterns import (
    ANY_MARKER,
    ENCODED,
    END,
    GAP,
    HEAD,
    HEAD_BEGUN,
    IN_STRING,
    LABELLED_HEAD,
    LINE_ENDS,
    LONGEST_HEAD,
    LONGEST_MARKER,
    LONGEST_OBJECT_HEAD,
    MARKERS,
    NAME_BEGUN,
    NEXT_HEAD,
    OBJECT_BEGINS,
    OBJECT_BEGUN,
    OBJECT_CALL,
    OBJECT_CALL_BEGUN,
    OBJECT_HEAD,
    STRAY,
)
from custom_handler.events import CallArguments, CallBegan, CallBroken, CallEnded, Content, Text
from custom_handler.lenient_json import LenientJson
from custom_handler.markers import ARGUMENTS_KEYS, ENDS, NAME_KEYS
from custom_handler.scanning import match_end

_MOST_LOOSE = 1000
_NO_JSON = "Its arguments are not a JSON object."


class CallBlock:
    """Reads one block.

    Args:
        start: what was taken for its beginning, a fence included.
        tool_names: the declared tools.
        fenced: whether the fence of an earlier block is still open.
        in_code: whether it stands in a code block. One of an undeclared tool is then talk about the format.
        line_begins: whether its start marker begins a line.

    Attributes:
        done: the block has ended; `rest` is the text behind it.
        rest: text that is not used up.
        fenced: whether a fence around the block is still open.
    """

    def __init__(
        self,
        start: str,
        tool_names: Collection[str],
        *,
        fenced: bool = False,
        in_code: bool = False,
        line_begins: bool = True,
    ) -> None:
        self.done = False
        self.rest = ""
        self.fenced = fenced or start.startswith("```")
        self._start = start
        self._in_code = in_code
        self._line_begins = line_begins
        self._tool_names = tool_names
        self._wrapped = False  # the arguments stand in an object with the name
        self._raw = [start]
        self._loose = 0  # how many strings at the end of it were not joined yet
        self._state: Callable[[list[Content]], bool] = self._in_head
        self._json = LenientJson()
        self._mended = False  # the arguments, read before what else is in `_json`, were no strict JSON
        self._strict: list[str] = []  # of a body that is read as a whole
        self._string_from: int | None = None  # where in what was used up the arguments begin that are a string
        self._name = ""
        self._unknown = False  # the block names no declared tool
        self._is_talk = False  # it turned out to be talk about the format
        self._any_calls = False

    def feed(self, text: str) -> list[Content]:
        """What `text` completes."""
        self.rest += text
        out: list[Content] = []
        while not self.done and self._state(out):
            pass
        return out

    def flush(self) -> list[Content]:
        """What was held back, now that nothing follows."""
        out: list[Content] = []
        if self._state == self._in_object_head:
            return self._flush_object_head()
        if self._state in (self._in_arguments, self._in_whole, self._in_wrapper):
            self._flush_json(out)
        elif self._state == self._in_head:
            raw = self._all_raw()
            out.append(CallBroken(raw, _NO_JSON, cut=True) if self._names_tool_begun() else Text(raw))
        elif self._state == self._in_string:
            self._give_cut(out)
        elif self._state == self._in_garbage:
            self._give_broken(self._all_raw(), _NO_JSON, out)
        elif self._unknown:
            out.append(Text(self._all_raw()))
        return out

    def _flush_object_head(self) -> list[Content]:
        """An object so short that its form was not told from others: it is read as a whole."""
        self._read_whole()
        out = self.feed("")
        if self.done:
            return out
        if self._state == self._in_garbage:
            self._give_cut(out)
            return out
        return out + self.flush()

    def _names_tool_begun(self) -> bool:
        """Whether a head that the answer ended in has a declared name on its own line, or the beginning of one."""
        name = NAME_BEGUN.match(self.rest)
        if name is None or not (self._any_calls or LINE_ENDS.match(self.rest)):
            return False
        if name.end() < len(self.rest):
            return name["name"] in self._tool_names
        begun = any(tool.startswith(name["name"]) for tool in (*self._tool_names, "function_name:"))
        return begun if name["name"] else bool(name["label"])

    def _flush_json(self, out: list[Content]) -> None:
        strict = self._json.flush()
        if self._state == self._in_arguments and not self._unknown:
            out.extend([CallArguments(strict)] if strict else [])
        elif self._state == self._in_whole:
            self._strict.append(strict)
        unclosed = self._wrapped and self._state == self._in_arguments and not self._json.rest.lstrip().startswith("}")
        if not self._json.complete or unclosed:
            self._give_cut(out)
        elif self._state == self._in_whole:
            self._give_whole(out)
            self._drop_unknown(out)
        elif not self._unknown:
            out.append(CallEnded(self._mended or self._json.mended))
        else:
            self._drop_unknown(out)

    def _give_cut(self, out: list[Content]) -> None:
        """The answer ended inside the block: a call that was cut if it names a declared tool, else text."""
        raw = self._all_raw()
        if self._names_tool(raw) or OBJECT_BEGUN.search(raw):
            # With its end marker it came whole, and the end of its JSON was not found.
            out.append(CallBroken(raw, _NO_JSON, cut=END.search(raw) is None))
        else:
            out.append(Text(raw))

    def _names_tool(self, raw: str) -> bool:
        quoted = (f"{quote}{name}{quote}" for name in self._tool_names for quote in "\"'")
        return self._name in self._tool_names or any(name in raw for name in quoted)

    # Each state uses up what it can of the rest and tells whether the next state has something to do.

    def _in_head(self, out: list[Content]) -> bool:
        if head := OBJECT_BEGINS.match(self.rest, 0, LONGEST_HEAD):
            return self._go(self._in_object_head, head.end())
        if head := HEAD.match(self.rest, 0, LONGEST_HEAD):
            self._set_name(head["name"])
            return self._behind_name(head, out)
        if len(self.rest) < LONGEST_HEAD and HEAD_BEGUN.fullmatch(self.rest):
            return False
        head = LABELLED_HEAD.match(self.rest, 0, LONGEST_HEAD)
        if head and head["name"] in self._tool_names and self._stands_alone():
            self._set_name(head["name"])
            return self._go(self._in_garbage, head.end())
        return self._not_a_call(out)

    def _stands_alone(self) -> bool:
        """Whether the start marker begins or ends a line: within a sentence a block takes arguments to be a call."""
        return self._line_begins or LINE_ENDS.match(self.rest) is not None

    def _behind_name(self, head: re.Match[str], out: list[Content]) -> bool:
        if head["stop"] == "{":
            return self._begin_arguments(head.start("stop"), out)
        labelled = head["label"] is not None
        if head["stop"] == '"':
            go_on = labelled and not self._unknown
            return self._go(self._in_string, head.start("stop")) if go_on else self._not_a_call(out)
        if self._unknown or not self._stands_alone() or (head["none"] and not labelled):
            return self._not_a_call(out)
        self._give_call(self._name, ["{}"], out)
        return self._go(self._in_tail, head.start("none" if head["none"] else "stop"))

    def _in_object_head(self, out: list[Content]) -> bool:
        head = OBJECT_HEAD.match(self.rest, 0, LONGEST_OBJECT_HEAD)
        if head and head["name"] in self._tool_names:
            self._set_name(head["name"])
            self._wrapped = True
            return self._begin_arguments(head.end(), out)
        if not head and len(self.rest) < LONGEST_OBJECT_HEAD and not ANY_MARKER.search(self.rest):
            return False
        self._read_whole()
        return True

    def _read_whole(self) -> None:
        self._json = LenientJson(self._may_follow)
        self._state = self._in_whole

    def _begin_arguments(self, at: int, out: list[Content]) -> bool:
        if not self._unknown:
            out.append(CallBegan(self._name))
        self._json, self._mended = LenientJson(self._may_follow), False
        return self._go(self._in_arguments, at)

    def _in_arguments(self, out: list[Content]) -> bool:
        strict = self._read_json()
        if strict and not self._unknown:
            out.append(CallArguments(strict))
        if self._json.broken:
            return self._leave_json(self._in_garbage)
        if not self._json.complete:
            return False
        if self._wrapped:
            self._leave_json(self._in_wrapper)
            self._json, self._mended = LenientJson(self._may_follow), self._json.mended
            self._json.feed('{"arguments": {}')
            return bool(self.rest)
        self._end_call(out)
        return self._leave_json(self._in_tail)

    def _in_wrapper(self, out: list[Content]) -> bool:
        """Behind the arguments in an object with the name: to the end of that object."""
        self._read_json()
        if self._json.broken:
            return self._leave_json(self._in_garbage)
        if not self._json.complete:
            return False
        self._wrapped = False
        self._end_call(out)
        return self._leave_json(self._in_tail)

    def _end_call(self, out: list[Content]) -> None:
        if not self._unknown:
            out.append(CallEnded(self._mended or self._json.mended))
            self._any_calls = True

    def _in_whole(self, out: list[Content]) -> bool:
        self._strict.append(self._read_json())
        if self._json.broken:
            return self._leave_json(self._in_garbage)
        if not self._json.complete:
            return False
        self._give_whole(out)
        return self._leave_json(self._in_tail)

    def _in_string(self, out: list[Content]) -> bool:
        """Arguments that are the text of JSON, as a JSON string."""
        first = self._string_from is None
        if first:
            self._string_from, self._loose = len(self._raw), 0
        end = match_end(IN_STRING, self.rest, int(first))
        if self.rest[end : end + 1] != '"':  # else a backslash whose other half is in the next piece, or nothing
            self._use(end)
            return False
        self._use(end + 1)
        strict = _encoded_json("".join(self._raw[self._string_from :]))
        self._string_from = None
        if strict is None:
            return self._go(self._in_garbage, 0)
        self._give_call(self._name, strict, out, mended=True)
        return self._go(self._in_tail, 0)

    def _in_tail(self, out: list[Content]) -> bool:
        self._use(match_end(STRAY, self.rest))
        if end := END.match(self.rest):
            return self._close(end.end(), out)
        if any(self.rest.startswith(start) for start in ENDS):
            return self._finish(0, out)
        following = self._next_call(self.rest)
        if following is None or any(marker.startswith(self.rest) for marker in (*MARKERS, "```")):
            return False
        if not following:
            return self._finish(0, out)
        self._drop_unknown(out)
        self._strict.clear()
        return self._go(self._in_object_head if self.rest[0] == "{" else self._in_head, 0)

    def _next_call(self, tail: str) -> bool | None:
        """Whether another call of the same block begins; None when that cannot be told yet."""
        if OBJECT_CALL.match(tail):
            return True
        if OBJECT_CALL_BEGUN.match(tail):
            return None
        if head := NEXT_HEAD.match(tail, 0, LONGEST_HEAD):
            return head["name"] in self._tool_names
        word = tail.split(maxsplit=1)[0] if tail.strip() else ""
        begun = any(name.startswith(word) for name in (*self._tool_names, "function_name:"))
        return None if begun and len(tail) < LONGEST_HEAD else False

    def _in_fence(self, out: list[Content]) -> bool:
        """Behind the end marker of a block in a fence."""
        at = match_end(GAP, self.rest)
        tail = self.rest[at : at + 3]
        if tail == "```":
            self.fenced = False
            return self._finish(at + 3, out)
        if "```".startswith(tail) and at + len(tail) == len(self.rest):
            return False
        return self._finish(0, out)

    def _in_garbage(self, out: list[Content]) -> bool:
        """In a block that cannot be read: up to its end marker, or the next start marker."""
        marker = ANY_MARKER.search(self.rest)
        if marker is None:
            keep = min(len(self.rest), LONGEST_MARKER - 1)
            self._use(len(self.rest) - keep)
            return False
        self._use(marker.end() if marker.group() in ENDS.values() else marker.start())
        self._give_broken("".join(self._raw), _NO_JSON, out)
        self.done = True
        return False

    # Steps

    def _read_json(self) -> str:
        """Feed the rest to the JSON reader, which keeps what it cannot use yet."""
        before, self.rest = self.rest, ""
        strict = self._json.feed(before)
        self._keep(before)
        return strict

    def _leave_json(self, state: Callable[[list[Content]], bool]) -> bool:
        """Take back what stands behind the JSON, or cannot be read."""
        self.rest = self._json.rest
        self._take_back(len(self.rest))
        self._state = state
        return bool(self.rest)

    def _take_back(self, length: int) -> None:
        """Take characters off the end of what was used up, without copying all of it."""
        while length > 0:
            piece = self._raw.pop()
            self._raw += [piece[:-length]] if length < len(piece) else []
            length -= len(piece)

    def _give_whole(self, out: list[Content]) -> None:
        value = json.loads("".join(self._strict))
        calls = [_from_object(item) for item in (value if isinstance(value, list) else [value])]
        known = [call for call in calls if call and call[0] in self._tool_names]
        self._unknown = len(known) < max(1, len(calls))
        self._name = next((call[0] for call in calls if call and call not in known), "")
        for name, arguments in () if self._unknown else known:
            self._give_call(name, arguments, out, mended=self._json.mended)

    def _give_call(self, name: str, arguments: Iterable[str], out: list[Content], *, mended: bool = False) -> None:
        """A whole call; its arguments as pieces of JSON."""
        out += [CallBegan(name), *map(CallArguments, filter(None, arguments)), CallEnded(mended)]
        self._any_calls = True

    def _set_name(self, name: str) -> None:
        self._name, self._unknown = name, name not in self._tool_names

    def _close(self, at: int, out: list[Content]) -> bool:
        """The end marker was read."""
        self._use(at)
        if self._unknown:
            self._unknown = False
            self._give_broken("".join(self._raw), self._unknown_tool(), out)
        if self.fenced and not self._is_talk:
            self._state = self._in_fence
            return bool(self.rest)
        self.done = True
        return False

    def _give_broken(self, raw: str, problem: str, out: list[Content]) -> None:
        self._is_talk = self._in_code and not self._any_calls and not self._names_tool(raw)
        out.append(Text(raw) if self._is_talk else CallBroken(raw, problem))

    def _unknown_tool(self) -> str:
        return f"There is no tool {self._name!r}." if self._name else "It does not name a tool."

    def _finish(self, at: int, out: list[Content]) -> bool:
        """The block ends here, without an end marker or behind its fence."""
        self._drop_unknown(out)
        self._use(at)
        self.done = True
        return False

    def _drop_unknown(self, out: list[Content]) -> None:
        """A block of no declared tool that has no end marker is nothing but text."""
        if self._unknown:
            out.append(Text("".join(self._raw)))
            self._raw.clear()
            self._unknown = False

    def _not_a_call(self, out: list[Content]) -> bool:
        if not self._any_calls:
            out.append(Text(self._start))
        self.done = True
        return False

    def _go(self, state: Callable[[list[Content]], bool], at: int) -> bool:
        self._use(at)
        self._state = state
        return bool(self.rest)

    def _use(self, length: int) -> None:
        self._keep(self.rest[:length])
        self.rest = self.rest[length:]

    def _keep(self, text: str) -> None:
        """Remember what was used up: small strings joined now and then, since they take three times the memory."""
        self._raw.append(text)
        self._loose += 1
        if self._loose == _MOST_LOOSE:
            self._raw[-_MOST_LOOSE:] = ["".join(self._raw[-_MOST_LOOSE:])]
            self._loose = 0

    def _all_raw(self) -> str:
        reading = (self._in_arguments, self._in_whole, self._in_wrapper)
        return "".join(self._raw) + ("" if self._state in reading else self.rest)

    def _may_follow(self, text: str) -> bool | None:
        """Whether `text` may stand behind the arguments; see `LenientJson`."""
        tail = text[match_end(STRAY, text) :]
        if ANY_MARKER.match(tail):
            return True
        begun = any(marker.startswith(tail) for marker in (*MARKERS, "```"))
        return None if begun else self._next_call(tail)


def _encoded_json(string: str) -> list[str] | None:
    """Pieces of the strict JSON that a string of JSON has as its text; None when that is no JSON."""
    encoded = (part.group() for part in ENCODED.finditer(string, 1, len(string) - 1))
    try:
        return _inner_json(json.loads(f'"{part}"', strict=False) for part in encoded)
    except ValueError:
        return None


def _from_object(item: Any) -> tuple[str, list[str]] | None:
    """Name and arguments of a call that is one JSON object; its arguments may be the text of JSON."""
    if not isinstance(item, dict):
        return None
    name = next((item[key] for key in NAME_KEYS if isinstance(item.get(key), str)), None)
    arguments: Any = next((item[key] for key in ARGUMENTS_KEYS if key in item), {})
    if isinstance(arguments, str):
        text = _inner_json([arguments])
    else:
        text = [json.dumps(arguments, ensure_ascii=False)] if isinstance(arguments, dict) else None
    return (name, text) if name and text is not None else None


def _inner_json(pieces: Iterable[str]) -> list[str] | None:
    """Pieces of the strict JSON that the text in `pieces` begins with; None when it begins with none that is whole."""
    reader = LenientJson()
    strict = [*map(reader.feed, pieces), reader.flush()]
    return strict if reader.complete else None
