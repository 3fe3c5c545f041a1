"""What a text offers as arguments: quoted strings, numbers, paths, places, `key=value` (pure)."""

import re
from collections.abc import Callable, Iterator

from emulator.words import fold, stems

LIMIT = 4000
"""Characters of a text that are looked at; the rest of a long message is material, not an order."""

_QUOTED = re.compile(r"\"([^\"\n]+)\"|“([^”\n]+)”|`([^`\n]+)`|(?<!\w)'([^'\n]+)'(?!\w)")
_EXACT = {
    "url": re.compile(r"https?://[^\s\"'<>)]+"),
    "email": re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    "date-time": re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)"),
    "date": re.compile(r"\b\d{4}-\d\d-\d\d\b"),
}
_NUMBER = re.compile(r"(?<![\w.,-])-?\d+(?:\.\d+)?(?!\w)")
_PLACE = re.compile(
    r"\b(?:in|at|for|to|of|em|de|do|da|no|na|para|por)\s+"
    r"([A-ZÀ-Þ][\w'-]*(?:\s+(?:d[aeo]s?\s+)?[A-ZÀ-Þ][\w'-]*)*)"
)
_FILE_NAME = re.compile(r"[\w~.-]*[A-Za-z_][\w.-]*\.[A-Za-z]\w{0,5}")


class Evidence:
    """The findings in one text. Each is used once, so that two parameters do not get the same value."""

    def __init__(self, text: str) -> None:
        self._text = text[:LIMIT]
        self._folded = fold(self._text)
        quoted = _captured(_QUOTED, self._text)
        self._found = {"quoted": quoted}
        rest = _QUOTED.sub(" ", self._text)
        for kind, pattern in _EXACT.items():
            self._found[kind] = pattern.findall(rest)
            rest = pattern.sub(" ", rest)
        self._found["path"] = [text for text in quoted if text in paths(text)] + list(paths(rest))
        self._found["number"] = _NUMBER.findall(rest)
        self._found["place"] = _captured(_PLACE, rest)

    def take(self, kind: str, fits: Callable[[str], bool]) -> list[str]:
        """The first unused finding of `kind` that fits, or nothing; it counts as used from then on."""
        for taken in filter(fits, self._found[kind]):
            for kinds in self._found:
                self._found[kinds] = [other for other in self._found[kinds] if other != taken]
            return [taken]
        return []

    def named(self, key: str) -> Iterator[str]:
        """The value that the text gives to `key`: `city=Recife`, `city: "Recife"`, `city is Recife`."""
        spoken = re.escape(key).replace("_", "[_ ]")
        pattern = rf"\b{spoken}\s*(?:[=:]|\bis\b|\bé\b)\s*(?:\"([^\"\n]+)\"|'([^'\n]+)'|([^\s,;]+))"
        for value in _captured(re.compile(pattern, re.IGNORECASE), self._text):
            yield value.rstrip(".!?)")

    def mentions(self, value: object) -> bool:
        """Whether the text contains `value` as words, in either language."""
        words = fold(str(value))
        if re.search(rf"(?<!\w){re.escape(words)}(?!\w)", self._folded):
            return True
        return bool(stems(words)) and stems(words) <= stems(self._text)


def _captured(pattern: re.Pattern[str], text: str) -> list[str]:
    """The one group of each match that took part."""
    return [next(filter(None, match.groups()), "") for match in pattern.finditer(text)]


def paths(text: str) -> Iterator[str]:
    """The words that look like a path or a file name."""
    for word in text.split():
        path = word.strip("\"'`“”()[]{}<>,;:!?").rstrip(".")
        if "/" in path.strip("/") or _FILE_NAME.fullmatch(path) or (path.startswith("/") and len(path) > 1):
            yield path
