"""The text of one strict JSON object, without some of its members, as it comes.

Sans-I/O: what is given out does not depend on where the text was cut. Of a member that is left out go its key, its
value and one comma with the white space behind it. All else passes as it is written, so valid JSON stays valid. A key
waits until it is whole, or too long for a name, and the comma before it does too; values never wait.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection

from custom_handler.scanning import match_end

_TO_FIRST_KEY = re.compile(r'[^"}]*+')
_TO_KEY = re.compile(r'[^"]*+')
_TO_VALUE = re.compile(r"[ \t\r\n:]*+")
_TO_COMMA = re.compile(r"[^,}]*+")
_WORD = re.compile(r"[^ \t\r\n,}]*+")  # a number, or a word such as `true`
_IN_STRING = re.compile(r'(?:[^"\\]++|\\.)*+', re.DOTALL)
_FLAT = r'[^"{}\[\]]*+(?:"(?:[^"\\]++|\\.)*+"[^"{}\[\]]*+)*+'
_BRACKETS = r"(?:(?P<open>[{\[]++)|(?P<close>[}\]]++))?+"
_TO_BRACKETS = re.compile(_FLAT + _BRACKETS, re.DOTALL)
#: The same inside a container: those in it that hold no others are taken as a whole.
_TO_OUTER_BRACKETS = re.compile(rf"{_FLAT}(?:[{{\[]{_FLAT}[}}\]]{_FLAT})*+{_BRACKETS}", re.DOTALL)
#: The longest way to write one character: both halves of a surrogate pair.
_LONGEST_ESCAPE = len(r"\ud83d\ude00")


class WithoutMembers:
    """Reads one object.

    Args:
        names: keys of the members that are left out. Members of inner objects stay.
    """

    def __init__(self, names: Collection[str]) -> None:
        self._names = frozenset(names)
        self._longest_key = max((_LONGEST_ESCAPE * len(name) + len('""') for name in names), default=0)
        self._state: Callable[[str, int], int] = self._in_opening
        self._out: list[str] = []
        self._comma: list[str] = []  # the comma before a key, and the white space behind it
        self._key = ""  # what has come of a key that waits
        self._any_kept = False
        self._dropping = False
        self._depth = 0  # of brackets in a value
        self._in_string = False
        self._after_backslash = False

    def feed(self, text: str) -> str:
        """What can be given out now."""
        in_value = self._in_string and not self._after_backslash and not self._key
        if in_value and _IN_STRING.fullmatch(text):  # almost every piece of a long string, so it has to be quick
            return "" if self._dropping else text
        at = 0
        while at < len(text):
            at = self._state(text, at)
        return self._take_out()

    # Each state uses up some of the text from `at` on, and returns where the next has to go on.

    def _in_opening(self, text: str, at: int) -> int:
        end = match_end(_TO_FIRST_KEY, text, at)
        if end < len(text):
            self._state = self._in_key if text[end] == '"' else self._in_ending
        return self._pass(text, at, end)

    def _in_comma(self, text: str, at: int) -> int:
        end = match_end(_TO_KEY, text, at)
        if end < len(text):
            self._state = self._in_key
        self._comma.append(text[at:end])
        return end

    def _in_key(self, text: str, at: int) -> int:
        end = self._string_end(text, at)
        self._key += text[at:end]
        if not self._in_string:
            self._state = self._in_colon
            self._decide()
        elif len(self._key) > self._longest_key:
            self._state = self._in_long_key
            self._keep()
        return end

    def _in_long_key(self, text: str, at: int) -> int:
        """In a key that is too long to be one of the names, and was given out so far."""
        return self._pass_string(text, at, self._in_colon)

    def _in_colon(self, text: str, at: int) -> int:
        end = match_end(_TO_VALUE, text, at)
        if end < len(text):
            self._state = self._value_state(text[end])
        return self._pass(text, at, end)

    def _value_state(self, first: str) -> Callable[[str, int], int]:
        if first == '"':
            return self._in_text
        return self._in_container if first in "{[" else self._in_word

    def _in_text(self, text: str, at: int) -> int:
        return self._pass_string(text, at, self._behind_value)

    def _in_container(self, text: str, at: int) -> int:
        in_string = self._in_string or text[at] == '"'
        end = self._string_end(text, at) if in_string else self._brackets_end(text, at)
        if not self._depth:
            self._state = self._behind_value
        return self._pass(text, at, end)

    def _in_word(self, text: str, at: int) -> int:
        end = match_end(_WORD, text, at)
        if end < len(text):
            self._state = self._behind_value
        return self._pass(text, at, end)

    def _behind_value(self, text: str, at: int) -> int:
        self._dropping = False
        end = match_end(_TO_COMMA, text, at)
        if end < len(text):
            self._state = self._in_comma if text[end] == "," else self._in_ending
        return self._pass(text, at, end)

    def _in_ending(self, text: str, at: int) -> int:
        return self._pass(text, at, len(text))

    # Steps

    def _decide(self) -> None:
        """The key is whole."""
        if json.loads(self._key) not in self._names:
            self._keep()
            return
        self._dropping = True
        self._comma.clear()
        self._key = ""

    def _keep(self) -> None:
        self._release()
        self._any_kept = True

    def _release(self) -> None:
        """Give out what waits; before the first member there is no comma."""
        if self._any_kept:
            self._out += self._comma
        self._out.append(self._key)
        self._comma.clear()
        self._key = ""

    def _pass_string(self, text: str, at: int, behind: Callable[[str, int], int]) -> int:
        end = self._string_end(text, at)
        if not self._in_string:
            self._state = behind
        return self._pass(text, at, end)

    def _pass(self, text: str, at: int, end: int) -> int:
        if not self._dropping:
            self._out.append(text[at:end])
        return end

    def _take_out(self) -> str:
        out = "".join(self._out)
        self._out.clear()
        return out

    def _string_end(self, text: str, at: int) -> int:
        """The index behind the string that `at` is in or at, or the end of `text` when it goes on."""
        skipped = not self._in_string or self._after_backslash  # the opening quote, or the other half of an escape
        end = match_end(_IN_STRING, text, at + skipped)
        # Here stands the closing quote, or a backslash whose other half is in the next piece, or nothing.
        self._in_string = text[end : end + 1] != '"'
        self._after_backslash = text[end : end + 1] == "\\"
        return min(end + 1, len(text))

    def _brackets_end(self, text: str, at: int) -> int:
        """The index behind the next brackets, but at most behind the value; or that of a string that goes on."""
        match = (_TO_OUTER_BRACKETS if self._depth else _TO_BRACKETS).match(text, at)
        if match is None or match.lastgroup is None:
            return match.end() if match else at
        start, end = match.span(match.lastgroup)
        if match.lastgroup == "open":
            self._depth += end - start
            return end
        end = min(end, start + self._depth)
        self._depth -= end - start
        return end
