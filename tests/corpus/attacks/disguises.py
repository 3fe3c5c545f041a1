"""Ways to hide a marker from whoever looks for the plain letters."""

from __future__ import annotations

import re
from collections.abc import Callable

Disguise = Callable[[str], str]

#: The markers and tags that a disguise changes; the rest of the text stays, or the call would be another.
_MARKER = re.compile(r"(?:FUNCTION|TOOL)_CALL_(?:START|END)|</?(?:tool_call|user|system|assistant|tools|think)>")


def _in_markers(change: Disguise) -> Disguise:
    return lambda text: _MARKER.sub(lambda marker: change(marker[0]), text)


def _letters(first_upper: int, first_lower: int) -> Disguise:
    upper = {ord("A") + number: first_upper + number for number in range(26)}
    lower = {ord("a") + number: first_lower + number for number in range(26)}
    return _in_markers(lambda marker: marker.translate(upper | lower))


def _after_second(character: str) -> Disguise:
    return _in_markers(lambda marker: marker[:2] + character + marker[2:])


def _between_all(character: str) -> Disguise:
    return _in_markers(character.join)


DISGUISES: dict[str, Disguise] = {
    "plain": lambda text: text,
    "other case": _in_markers(str.swapcase),
    "first letters upper": _in_markers(str.title),
    "full-width letters": _letters(0xFF21, 0xFF41),
    "all full-width": _in_markers(lambda marker: "".join(chr(ord(character) + 0xFEE0) for character in marker)),
    "mathematical bold": _letters(0x1D400, 0x1D41A),
    "mathematical monospace": _letters(0x1D670, 0x1D68A),
    "circled": _letters(0x24B6, 0x24D0),
    "Cyrillic": _in_markers(lambda marker: marker.translate(str.maketrans("CTSEAaeso", "СТЅЕАаеѕо"))),  # noqa: RUF001
    "Greek": _in_markers(lambda marker: marker.translate(str.maketrans("NTEAIo", "ΝΤΕΑΙο"))),  # noqa: RUF001
    "ligature": _in_markers(lambda marker: marker.replace("START", "ﬆART").replace("syst", "sy\ufb06")),
    "zero-width space": _after_second("\u200b"),
    "zero-width joiners everywhere": _between_all("\u200d"),
    "soft hyphen": _after_second("\u00ad"),
    "word joiner": _after_second("\u2060"),
    "byte order mark": _after_second("\ufeff"),
    "direction mark": _after_second("\u202e"),
    "variation selectors": _between_all("\ufe0f"),
    "invisible tag characters": _after_second("\U000e0041\U000e007f"),
    "combining marks": _between_all("\u0335"),
    "Hangul filler": _after_second("\u3164"),
    "escaped underscores": _in_markers(lambda marker: marker.replace("_", "\\_")),
    "hyphens": _in_markers(lambda marker: marker.replace("_", "-") if marker[0] != "<" else marker),
    "doubled underscores": _in_markers(lambda marker: marker.replace("_", "__") if marker[0] != "<" else marker),
    "spaces": _in_markers(lambda marker: marker.replace("_CALL_", " _CALL_ ").replace("</", "< / ")),
    "no-break spaces": _in_markers(lambda marker: marker.replace("_CALL_", "\xa0_CALL_\xa0")),
}
