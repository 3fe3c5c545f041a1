"""What a model writes as JSON → strict JSON, as it comes.

A transducer: it reads text piece by piece and gives out, in one pass, text that is always the beginning of a strict
JSON value. Valid JSON passes unchanged. Repaired on the way are raw line breaks and tabs in strings, invalid escapes,
single quotes, quotes inside a string that nobody escaped, `True`, `False` and `None`, trailing and missing commas,
names without quotes, and comments. Digits with zeros before them become a string: they are a code rather than a number.
Nothing is invented: a value that does not end stays open.

Whether a quote ends its string, and whether a comma is a trailing one, is told by what follows; until that has come,
the quote or the comma waits. A decision looks at the text alone, so the result does not depend on how it was cut.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum, auto

from custom_handler.scanning import match_end

#: Whether what follows the value may follow it; None when more text is needed to tell.
After = Callable[[str], bool | None]

_BLANK = re.compile(r"[ \t\r\n]*+")
_GAP = re.compile(r"(?:\s|//[^\n]*(?=\n)|/\*(?:[^*]|\*(?!/))*+\*/)++")
_NO_BLANK = re.compile(r"[^ \t\r\n]")
_COMMENT = re.compile(r"//[^\n]*|/\*(?:[^*]|\*(?!/))*+\*/")
_GAPS = r"\s*+(?:(?://[^\n]*(?=\n)|/\*(?:[^*]|\*(?!/))*+\*/)\s*+)*+"
_NO_GAP = r"(?=[^/]|/[^/*])"  # what is behind white space and comments, if it has come
_GAP_AHEAD = re.compile(_GAPS + _NO_GAP)
#: How far ahead a decision looks. What is not decided by then is decided as in valid JSON.
_WINDOW = 4096

_SAFE = {
    '"': re.compile(r'(?:[^"\\\x00-\x1f]++|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})++'),
    "'": re.compile(r"""(?:[^"'\\\x00-\x1f]++|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})++"""),
}
_HEX = re.compile(r"\\u[0-9a-fA-F]{0,3}")
_CONTROL = {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\b": "\\b", "\f": "\\f"}

_KEY = re.compile(r"""(["'])(?:\\.|(?!\1)[^\\\n])*+\1\s*+:""")
_PLAIN_KEY = re.compile(r"""(["'])(?P<name>[^"'\\\x00-\x1f]*+)\1(?P<colon>[ \t\r\n]*+:[ \t\r\n]*+)""")
_KEY_BEGUN = re.compile(r"""(["'])(?:\\.|(?!\1)[^\\\n])*+(?:\\?|\1\s*+)\Z""")
_BARE_KEY = re.compile(r"[A-Za-z_$][\w$-]*+\s*+:")
_BARE_KEY_BEGUN = re.compile(r"[A-Za-z_$][\w$-]*+\s*+\Z")
_PLAIN_VALUE_BEGUN = re.compile(r"""\s*+(?:-?[\w.+-]*+|\[[^\[\]{}"']*+\]?|\{\s*+\}?)\s*+\Z""")
#: A value that has no string in it, so that its end is certain.
_PLAIN_VALUE = re.compile(r"""\s*+(?:-?[\d.eE+-]++|true|false|null|True|False|None|\[[^\[\]{}"']*+\]|\{\s*+\})\s*+""")
#: Members with such values, each with its comma: to look behind them at once says the same as one by one.
_PLAIN_MEMBERS_AHEAD = re.compile(rf"{_GAPS}(?:{_KEY.pattern}{_PLAIN_VALUE.pattern},{_GAPS})*+{_NO_GAP}")
_ANY_PLAIN_MEMBERS_AHEAD = re.compile(
    rf"{_GAPS}(?:(?:{_KEY.pattern}|{_BARE_KEY.pattern}){_PLAIN_VALUE.pattern},{_GAPS})*+{_NO_GAP}"
)
_NAME = re.compile(r"[A-Za-z_$][\w$-]*+")
_VALUE_BEGIN = frozenset("\"'{[-+.0123456789tfnTFNu")

_WORD = re.compile(r"""[^\s,\]}:"'{\[/]++""")
_WORDS = {"true": "true", "false": "false", "null": "null", "none": "null", "undefined": "null"}
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?")
_STRICT_WORD = rf"(?:{_NUMBER.pattern}|true|false|null)"
_PLAIN_WORD = re.compile(rf"{_STRICT_WORD}(?=[,}}\]])")
#: Strict members or items without strings, each with its comma. What may be anything else is read step by step.
_PLAIN_ITEMS = re.compile(rf"(?:{_STRICT_WORD}{_BLANK.pattern}(?P<comma>,{_BLANK.pattern}))++")
_PLAIN_MEMBERS = re.compile(
    rf"""(?:"[^"\\\x00-\x1f]*+"{_BLANK.pattern}:{_BLANK.pattern}{_STRICT_WORD}{_BLANK.pattern}(?P<comma>,{_BLANK.pattern}))++"""
)
_LOOSE_NUMBER = re.compile(r"\+?(-?)([0-9]*)(?:\.([0-9]*))?((?:[eE][+-]?[0-9]+)?)")


class _Expect(Enum):
    VALUE = auto()
    FIRST_VALUE = auto()  # or the end of the array, also behind a comma
    FIRST_KEY = auto()  # or the end of the object
    KEY = auto()  # or the end of the object, behind a comma
    COLON = auto()
    NEXT = auto()  # a comma or the end of the container


#: Where a container may end, and where a comma is no surprise. (A tuple: enums are slow to hash.)
_BETWEEN = (_Expect.NEXT, _Expect.FIRST_KEY, _Expect.KEY, _Expect.FIRST_VALUE)


class LenientJson:
    """Reads one object or array.

    Args:
        may_follow: tells whether a text may stand behind the value. It decides about a quote before the last brace.

    Attributes:
        complete: the value has ended.
        broken: the text cannot be read as JSON, whatever comes.
        mended: something of it was not strict JSON.
        rest: text that is not used up: what stands behind the value, or cannot be read, or waits for more.
    """

    def __init__(self, may_follow: After = lambda _: True) -> None:
        self.complete = False
        self.broken = False
        self.mended = False
        self.rest = ""
        self._at = 0  # how much of `rest` is used up inside `_run`
        self._may_follow = may_follow
        self._stack: list[str] = []  # closing braces that are due
        self._expect = _Expect.VALUE
        self._quote = ""  # of the string that is being read
        self._is_key = False
        self._inner_quotes = False  # whether quotes were found inside a string: then braces may be inside one, too
        self._bare_keys = False  # whether this value has names without quotes
        self._comma = ""  # a comma, and the white space behind it, that waits for what follows
        self._unmatched = ""  # what was used up and, unless it is mended, is still to be given out
        self._ended = False
        self._out: list[str] = []

    def feed(self, text: str) -> str:
        """The strict JSON that `text` adds."""
        self.rest += text
        return self._run()

    def flush(self) -> str:
        """What was waiting, now that nothing follows."""
        self._ended = True
        return self._run()

    def _run(self) -> str:
        while self._at < len(self.rest) and not self.complete and not self.broken and self._step():
            pass
        used, self.rest, self._at = self.rest[: self._at], self.rest[self._at :], 0
        out = "".join(self._out)
        self._out.clear()
        if (used != out or self._unmatched) and not self.mended:
            self._unmatched += used
            self.mended = not self._unmatched.startswith(out)
            self._unmatched = self._unmatched[len(out) :]
        return out

    def _step(self) -> bool:
        """Use up some text; False when that takes more of it."""
        if self._quote:
            return self._string()
        first = self.rest[self._at]
        if first == "," and self._expect in _BETWEEN:
            return self._hold_comma()
        if first in "}]":
            return self._close(first)
        if first.isspace() or first == "/":
            return self._gap()
        if first == ":" and self._expect is _Expect.COLON:
            self._expect = _Expect.VALUE
            return self._take(1, ":")
        return self._begin(first)

    # Between tokens

    def _gap(self) -> bool:
        gap = _GAP.match(self.rest, self._at)
        if gap is None:
            return self._undecided()
        self._at = gap.end()
        blank = gap.group()
        if not _BLANK.fullmatch(blank):
            blank = _NO_BLANK.sub("", _COMMENT.sub("", blank))
        if self._comma:
            self._comma += blank
        else:
            self._out.append(blank)
        return True

    def _undecided(self) -> bool:
        """Wait for more text, or give up when there is none, or enough."""
        if self._ended or len(self.rest) - self._at >= _WINDOW:
            self.broken = True
        return False

    def _hold_comma(self) -> bool:
        end = _blank_end(self.rest, self._at + 1)
        if self._expect is _Expect.NEXT:
            self._comma = self.rest[self._at : end]
            self._after_comma()
        else:  # it is one too many
            end = self._at + 1
        self._at = end
        return True

    def _after_comma(self) -> None:
        self._expect = _Expect.KEY if self._stack[-1] == "}" else _Expect.FIRST_VALUE

    def _release_comma(self, *, drop: bool = False) -> None:
        self._out.append(self._comma[1:] if drop else self._comma)
        self._comma = ""

    def _close(self, brace: str) -> bool:
        if not self._stack or self._stack[-1] != brace or self._expect not in _BETWEEN:
            return self._give_up()
        self._release_comma(drop=True)
        self._stack.pop()
        self._value_ended()
        return self._take(1, brace)

    def _begin(self, first: str) -> bool:
        """A key or a value begins."""
        if self._expect is _Expect.NEXT:  # a comma is missing
            self._comma = self._comma or ","
            self._after_comma()
        is_key = self._expect in (_Expect.KEY, _Expect.FIRST_KEY)
        if self._expect is _Expect.COLON or (first in "{[" and is_key) or (first not in "{[" and not self._stack):
            return self._give_up()
        if first in "{[":
            return self._open(first)
        if self._expect is not _Expect.VALUE and self._plain_run(_PLAIN_MEMBERS if is_key else _PLAIN_ITEMS):
            return True
        if first in "\"'":
            return (is_key and self._plain_key()) or self._open_string(first, is_key=is_key)
        return self._name() if is_key else self._word()

    def _plain_run(self, pattern: re.Pattern[str]) -> bool:
        """Members or items with nothing odd in them, at once; the last comma waits for what follows."""
        run = pattern.match(self.rest, self._at)
        if run is None:
            return False
        self._release_comma()
        self._out.append(self.rest[self._at : run.start("comma")])
        self._comma, self._at = run["comma"], run.end()
        self._after_comma()
        return True

    def _plain_key(self) -> bool:
        """A key with nothing odd in it, and its colon, at once: most are."""
        key = _PLAIN_KEY.match(self.rest, self._at)
        if key is None:
            return False
        self._release_comma()
        self._expect = _Expect.VALUE
        return self._take(len(key.group()), f'"{key["name"]}"{key["colon"]}')

    def _open_string(self, quote: str, *, is_key: bool) -> bool:
        self._release_comma()
        self._quote, self._is_key = quote, is_key
        return self._take(1, '"')

    def _open(self, brace: str) -> bool:
        self._release_comma()
        self._stack.append("}" if brace == "{" else "]")
        self._expect = _Expect.FIRST_KEY if brace == "{" else _Expect.FIRST_VALUE
        return self._take(1, brace)

    def _name(self) -> bool:
        """A key without quotes."""
        name = _NAME.match(self.rest, self._at)
        if name is None:
            return self._give_up()
        if name.end() == len(self.rest):
            return self._undecided()
        self._release_comma()
        self._bare_keys = True
        self._expect = _Expect.COLON
        return self._take(len(name.group()), f'"{name.group()}"')

    def _word(self) -> bool:
        """A number, or a word such as `true`."""
        if plain := _PLAIN_WORD.match(self.rest, self._at):
            self._release_comma()
            self._value_ended()
            return self._take(len(plain.group()), plain.group())
        word = _WORD.match(self.rest, self._at)
        if word is None:
            return self._give_up()
        if word.end() == len(self.rest) and not self._ended:
            return self._undecided()
        strict = _strict_word(word.group())
        if strict is None:
            return self._give_up()
        self._release_comma()
        self._value_ended()
        return self._take(len(word.group()), strict)

    # Inside a string

    def _string(self) -> bool:
        if run := _SAFE[self._quote].match(self.rest, self._at):
            return self._take(run.end() - self._at, run.group())
        character = self.rest[self._at]
        if character == "\\":
            return self._escape()
        if character == self._quote:
            return self._quote_mark()
        return self._take(1, '\\"' if character == '"' else _control(character))

    def _escape(self) -> bool:
        """A backslash that does not begin one of JSON's escapes, or not yet."""
        begun = self.rest[self._at : self._at + 6]
        if not self._ended and (begun == "\\" or (_HEX.fullmatch(begun) and self._at + len(begun) == len(self.rest))):
            return False
        if begun[1:2] == "'":
            return self._take(2, "'")
        return self._take(1, "\\\\")

    def _quote_mark(self) -> bool:
        ends = self._ends_string(self.rest[self._at + 1 : self._at + 1 + _WINDOW])
        if ends is None and not self._ended and len(self.rest) - self._at <= _WINDOW:
            return False
        if ends is False:
            self._inner_quotes = True
            return self._take(1, '\\"' if self._quote == '"' else "'")
        self._quote = ""
        if self._is_key:
            self._expect = _Expect.COLON
        else:
            self._value_ended()
        return self._take(1, '"')

    def _ends_string(self, ahead: str) -> bool | None:
        """Whether the quote before `ahead` ends the string; None when that cannot be told yet."""
        if self._is_key:  # nobody writes quotes in a name
            return True
        at = _behind_gap(ahead, 0)
        if at is None:
            return None
        if ahead[at] == ",":
            return self._continues(ahead, at + 1)
        if ahead[at] in "}]":
            return self._closes(ahead, at)
        return self._stack[-1] == "}" and self._member(ahead, at)

    def _continues(self, ahead: str, behind_comma: int) -> bool | None:
        """Whether the container goes on behind a comma."""
        in_object = self._stack[-1] == "}"
        members = _ANY_PLAIN_MEMBERS_AHEAD if self._bare_keys else _PLAIN_MEMBERS_AHEAD
        at = _behind_gap(ahead, behind_comma, members if in_object else _GAP_AHEAD)
        if at is None:
            return None
        if ahead[at] in "}]":
            return self._closes(ahead, at)
        return self._member(ahead, at) if in_object else ahead[at] in _VALUE_BEGIN

    def _member(self, ahead: str, at: int) -> bool | None:
        """Whether a name stands here, and what follows it can be followed."""
        key = _KEY.match(ahead, at) or (_BARE_KEY.match(ahead, at) if self._bare_keys else None)
        if key is None:
            begun = _KEY_BEGUN.match(ahead, at) or (_BARE_KEY_BEGUN.match(ahead, at) if self._bare_keys else None)
            return None if begun else False
        if _PLAIN_VALUE_BEGUN.match(ahead, key.end()):
            return None
        value = _PLAIN_VALUE.match(ahead, key.end())
        if value is None:
            return True
        if ahead[value.end()] == ",":
            return self._continues(ahead, value.end() + 1)
        return ahead[value.end()] not in "}]" or self._closes(ahead, value.end())

    def _closes(self, ahead: str, at: int) -> bool | None:
        """Whether braces that are due close here, and what follows them may follow."""
        for due in reversed(self._stack):
            end = _behind_gap(ahead, at)
            if end is None:
                return None
            if ahead[end] == ",":
                return True
            if ahead[end] != due:
                return False
            at = end + 1
        return self._may_follow(ahead[_blank_end(ahead, at) :]) if self._inner_quotes else True

    # Shared

    def _take(self, length: int, strict: str) -> bool:
        self._at += length
        self._out.append(strict)
        return True

    def _value_ended(self) -> None:
        self._expect = _Expect.NEXT
        self.complete = not self._stack

    def _give_up(self) -> bool:
        self.broken = True
        return False


def _blank_end(text: str, at: int) -> int:
    return match_end(_BLANK, text, at)


def _behind_gap(text: str, at: int, before: re.Pattern[str] = _GAP_AHEAD) -> int | None:
    """Where something other than white space and comments begins; None while it has not come."""
    match = before.match(text, at)
    return match.end() if match else None


def _control(character: str) -> str:
    return _CONTROL.get(character) or (f"\\u{ord(character):04x}" if character < " " else character)


def _strict_word(word: str) -> str | None:
    """A word or number as JSON writes it; None when it is neither."""
    if _NUMBER.fullmatch(word):
        return word
    if number := _LOOSE_NUMBER.fullmatch(word):
        sign, whole, fraction, exponent = number.groups()
        if len(whole) > 1 and whole[0] == "0":  # an account's code, say: as a number it would lose its zeros
            return f'"{word}"'
        if whole or fraction:
            return f"{sign}{whole or '0'}{'.' + fraction if fraction else ''}{exponent}"
    return _WORDS.get(word.lower())
