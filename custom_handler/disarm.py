"""Call markers and tags in foreign text → harmless, and back again. Pure.

Everything goes to the agent as one prompt, and the agent may quote any of it in its answer. A marker in a file, a
question or a description must then not be read as a call, and a `</user>` in it must not end the user's turn. Code
assistants, on the other hand, really do read and write files with such markers, so nothing may be lost:

    FUNCTION_CALL_START  ⇄  FUNCTION_CALL_~quoted:START
    </user>              ⇄  </~quoted:user>

`disarm` puts `QUOTE` into every marker and one more into text that already has some; `restore` takes the first of
every run away. So `restore(disarm(x)) == x` for every text, and `restore(y) == y` where `QUOTE` does not occur. It is
plain, visible ASCII with a meaning, because models copy that faithfully and drop or mend what they cannot see; it needs
no escape in JSON, so arguments can be restored as text. No end of it is a beginning of it, so runs are unambiguous.
A model that leaves `QUOTE` out does no harm in arguments: there it writes what the file has. Where the prompt has no
`QUOTE`, nothing was disarmed, and nothing that the model writes needs to be restored.

The parser takes markers only exactly as written. Other case, letters that merely look like ASCII and invisible
characters in between are disarmed too: a model that quotes them may write the plain letters.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from custom_handler.markers import ENDS, REASONING, length_begun

#: What stands in a disarmed marker. Nobody writes this: text of which it is a part is escaped all the same.
QUOTE = "~quoted:"

_MARKERS = (*ENDS, *ENDS.values())
_WORD_MARKERS = [marker for marker in _MARKERS if not marker.startswith("<")]
#: Tags that structure the prompt, those around a call, and those that models put around their reasoning.
TAGS = frozenset(
    {"tools", "conversation", "user", "assistant", "system", "tool_result", *REASONING}
    | {marker.strip("</>") for marker in _MARKERS if marker.startswith("<")}
)

# Markdown escapes underscores, JSON may escape slashes. All repetitions are bounded, to stay linear.
_JOINT = r"[ \\]{0,2}[_-]{1,3}[ \\]{0,2}"
_GAP = r"[\s\\]{0,2}"


def _names(names: Iterable[str]) -> str:
    return "(?:" + "|".join(sorted(names)).replace("_", r"\\?_") + r")(?![\w:.-])"


_TAG = _names(TAGS)
_UNUSUAL_TAG = _names(tag for tag in TAGS if "_" in tag)
_FIRSTS = "<" + "".join(sorted({marker[0] for marker in _WORD_MARKERS}))
_ENDINGS = sorted({tuple(marker.split("_")[-2:]) for marker in _WORD_MARKERS})


def _words(marker: str) -> str:
    """The words of `marker` behind its first letter, up to the last word."""
    *words, last = marker[2:].split("_")
    joined = "".join(word + _JOINT for word in words)
    return f"[{marker[1]}{marker[1].lower()}](?i:(?<={marker[:2]}){joined}(?={last}))"


#: Behind the `<` of a tag. `List<User>` and `a < user` are everyday code: opening tags that are plain words count only
#: without spaces, and after a word only in lower case.
_TAG_BEGUN = "|".join(
    (
        f"{_GAP}/?{_GAP}(?={_UNUSUAL_TAG})",
        f"{_GAP}/{_GAP}(?={_TAG})",
        f"(?=(?-i:{_TAG}))",
        rf"(?<!\w<)(?={_TAG})",
    )
)
#: Ends where `QUOTE` is put in. The first two letters are classes: letters in any case are none that `re` passes over
#: quickly.
_MARKER = re.compile(
    f"[{_FIRSTS}{_FIRSTS.lower()}](?:{'|'.join(map(_words, _WORD_MARKERS))}|(?<=<)(?i:{_TAG_BEGUN}))", re.ASCII
)
#: Necessary for a marker and quick to search, since each begins with a fixed text; for lower-case UTF-8.
_HINTS = [
    *(re.compile(f"{before}{_JOINT}{last}".lower().encode()) for before, last in _ENDINGS),
    re.compile(f"<{_GAP}/?{_GAP}{_TAG}".encode()),
]

#: Letters of other scripts and brackets that look like those of the markers; characters that show as nothing.
_LOOKALIKES = dict(
    zip("АаСсЕеІіЅѕТОоКкУуΑΕΙΚΝΟοΤΥ‹〈⟨›〉⟩", "AaCcEeIiSsTOoKkYyAEIKNOoTY<<<>>>", strict=True)  # noqa: RUF001
) | dict.fromkeys("\u115f\u1160\u3164\uffa0\u2800", "")
_INVISIBLE = frozenset({"Cf", "Mn", "Me"})  # format characters (zero width), combining marks
_ALPHABET = frozenset("".join((*_MARKERS, *TAGS)).lower() + " -\\")
_ASCII = bytes(range(128))

_RUN = re.compile(f"{QUOTE}(?:{QUOTE})*")  # a fixed text first: `re` finds that quickly


def disarm(text: str) -> str:
    """`text` without anything that could be taken for a call or a tag of the prompt, in linear time."""
    quoted = _RUN.sub(lambda run: run[0] + QUOTE, text) if QUOTE in text else text
    data = quoted.encode("utf-8", "surrogatepass")
    disguises = _disguises(data)
    if disguises:
        return _disarm_disguised(quoted, disguises)
    return _put_in(quoted, (match.end() for match in _MARKER.finditer(quoted))) if _has_hint(data) else quoted


def restore(text: str) -> str:
    """The text that was disarmed, out of what the model wrote; for arguments, their JSON text."""
    return _RUN.sub(lambda run: run[0][len(QUOTE) :], text) if QUOTE in text else text


class Restorer:
    """`restore` for text that comes in pieces, wherever it is cut; only a beginning of `QUOTE` waits."""

    def __init__(self) -> None:
        self._run = ""  # QUOTE when the last thing given out, or taken away, was one: the next is not a run's first
        self._held = ""

    def feed(self, text: str) -> str:
        """What can be given out of everything so far."""
        text = self._run + self._held + text
        held_from = len(text) - length_begun(text, QUOTE)
        ready, self._held = text[:held_from], text[held_from:]
        self._run = QUOTE if ready.endswith(QUOTE) else ""
        return restore(ready)

    def flush(self) -> str:
        """What was held back, now that nothing follows."""
        held, self._held, self._run = self._held, "", ""
        return held


def _has_hint(data: bytes) -> bool:
    lower = data.lower()
    return any(hint.search(lower) for hint in _HINTS)


def _put_in(text: str, places: Iterable[int]) -> str:
    """`text` with `QUOTE` at `places`, which ascend."""
    pieces: list[str] = []
    done = 0
    for place in places:
        pieces += (text[done:place], QUOTE)
        done = place
    return "".join((*pieces, text[done:]))


@dataclass(frozen=True, slots=True)
class _Folded:
    """A text with disguises replaced by what they stand for, and the way back.

    `origins[i]` is where in the original goes on what stands behind the i-th disguise, at `starts[i]`, in `text`.
    """

    text: str
    starts: list[int]
    origins: list[int]

    def origin(self, at: int) -> int:
        """The place in the original text of `at` in `text`; no character stands for what is on both sides of one."""
        index = bisect_right(self.starts, at) - 1
        return at if index < 0 else self.origins[index] + at - self.starts[index]


def _disarm_disguised(text: str, disguises: dict[str, str]) -> str:
    folded = _fold(text, disguises)
    if not _has_hint(folded.text.encode("utf-8", "surrogatepass")):
        return text
    return _put_in(text, (folded.origin(match.end()) for match in _MARKER.finditer(folded.text)))


def _fold(text: str, disguises: dict[str, str]) -> _Folded:
    pieces: list[str] = []
    starts: list[int] = []
    origins: list[int] = []
    size = done = 0
    for place in _places(text, disguises):
        stands_for = disguises[text[place]]
        pieces += (text[done:place], stands_for)
        size += place - done + len(stands_for)
        done = place + 1
        starts.append(size)
        origins.append(done)
    return _Folded("".join((*pieces, text[done:])), starts, origins)


def _places(text: str, characters: Iterable[str]) -> Iterator[int]:
    any_of = re.compile("[" + re.escape("".join(sorted(characters))) + "]")
    return (match.start() for match in any_of.finditer(text))


def _disguises(data: bytes) -> dict[str, str]:
    """Each character in `data` that stands for others of a marker's alphabet, or for nothing → those."""
    others = set(data.translate(None, delete=_ASCII).decode("utf-8", "surrogatepass"))
    folded = ((character, _stands_for(character)) for character in others)
    return {
        character: meant for character, meant in folded if meant != character and _ALPHABET.issuperset(meant.lower())
    }


def _stands_for(character: str) -> str:
    if character in _LOOKALIKES:
        return _LOOKALIKES[character]
    if unicodedata.category(character) in _INVISIBLE:
        return ""
    return unicodedata.normalize("NFKC", character)
