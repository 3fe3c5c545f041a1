"""Regular expressions of clients, searched with a bound on the work.

`re` cannot be interrupted, and a client's `pattern` may take exponential time even for a short text
(`^(a+)+$` against thirty letters). So the worst case is estimated from the pattern's structure and the length of
the text; a search that may take too long is left out, as is a pattern that Python cannot read (`\\p{L}`).
"""

from __future__ import annotations

import math
import re
import warnings
from dataclasses import dataclass
from functools import lru_cache

#: Steps of the matcher that one search may take at worst: tens of milliseconds.
MOST_STEPS = 1_000_000

_ATOM = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)  # an escape or a set: nothing in it repeats
_LOOP = re.compile(r"[*+]|\{\d*,\d*\}")
_CHOICE = re.compile(r"[?|]")
_REPEATED_GROUP = re.compile(r"\)[*+{]")


@dataclass(frozen=True, slots=True)
class Pattern:
    """One pattern of a schema.

    Args:
        compiled: how Python reads it.
        anchored: it matches at the start of the text only.
        loops: how many parts may repeat; each multiplies the work by the length of the text.
        choices: how many parts are optional or alternatives; each may double the work.
        nested: a group repeats, so that every character may multiply the work.
    """

    compiled: re.Pattern[str]
    anchored: bool
    loops: int
    choices: int
    nested: bool

    def steps(self, size: int) -> float:
        """The most steps a search in `size` characters may take; infinite where that is beyond any bound."""
        if self.nested:
            exponent = size * math.log2(2 + self.loops + self.choices)
        else:
            exponent = (self.loops + (not self.anchored)) * math.log2(size + 1) + self.choices
        return 2.0**exponent if exponent < 64 else math.inf


@lru_cache(maxsize=1024)
def read(source: str) -> Pattern | None:
    """The pattern written as `source`, or None when Python cannot read it."""
    try:
        # Python warns of patterns that a later version may read in another way; a client's are not ours to mend.
        with warnings.catch_warnings(action="ignore"):
            compiled = re.compile(source)
    except (re.error, OverflowError, RecursionError):
        return None
    structure = _ATOM.sub("x", source).replace("(?", "(")
    return Pattern(
        compiled,
        anchored=structure.startswith("^") and "|" not in structure,
        loops=len(_LOOP.findall(structure)),
        choices=len(_CHOICE.findall(structure)),
        nested=_REPEATED_GROUP.search(structure) is not None,
    )
