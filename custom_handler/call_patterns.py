"""How the parts of a block look that a model wrote to call a tool, and how they begin.

A pattern whose name ends in `BEGUN` tells what may still become the part, so that no more waits than has to.
"""

from __future__ import annotations

import re

from custom_handler.markers import ARGUMENTS_KEYS, ENDS, NAME_KEYS

#: Before the arguments stands only a name: where more than this comes, the marker was not a call's.
LONGEST_HEAD = 512
MARKERS = (*ENDS, *ENDS.values())
LONGEST_MARKER = max(map(len, MARKERS))
END = re.compile("|".join(map(re.escape, ENDS.values())))
ANY_MARKER = re.compile("|".join(map(re.escape, MARKERS)))
LINE_ENDS = re.compile(r"[ \t]*\r?\n")


def _begun(*words: str) -> str:
    """A pattern for any of `words`, or a beginning of one."""
    return "(?:" + "|".join(re.escape(word[:size]) for word in words for size in range(len(word), 0, -1)) + ")"


# The head of a block: what stands before the arguments. `HEAD_BEGUN` is all that may still become one.
_FENCE = r"(?:```\w*+\s*+)?+"
_LETTER = rf"(?:(?!{ANY_MARKER.pattern})[^\s{{}}\[\]\"'`])"
_BEFORE_NAME = r"(?:function_name\s*+:\s*+)?+"
_NAME = rf"{_BEFORE_NAME}(?P<quote>[`\"']?)(?P<name>{_LETTER}++)(?P=quote)"
_LABEL = r"\s*+(?P<label>(?i:arguments)\s*+:)"
_END_BEGUN = _begun(*ENDS.values())
OBJECT_BEGINS = re.compile(rf"\s*+{_FENCE}(?=[{{\[])")
LABELLED_HEAD = re.compile(rf"\s*+{_FENCE}{_NAME}{_LABEL}")
HEAD = re.compile(
    rf"\s*+{_FENCE}{_NAME}(?:{_LABEL})?+\s*+{_FENCE}"
    rf"(?:(?P<stop>[{{\"]|{END.pattern})|(?:null|None)\s*+(?P<none>```|{END.pattern}))"
)
NAME_BEGUN = re.compile(rf"\s*+{_FENCE}(?P<label>{_BEFORE_NAME})[`\"']?(?P<name>{_LETTER}*+)")
_VALUE_BEGUN = rf"(?:{_END_BEGUN}|{_begun('null', 'None')}|(?:null|None)\s*+(?:`{{1,2}}|{_END_BEGUN})?)?"
HEAD_BEGUN = re.compile(
    rf"\s*+(?:`{{1,2}}|{_FENCE}(?:{_BEFORE_NAME}[`\"']?{_LETTER}*+"
    rf"|{_NAME}(?:\s*+(?i:{_begun('arguments')})\s*+|(?:{_LABEL})?+\s*+(?:`{{1,2}}|{_FENCE}{_VALUE_BEGUN}))))"
)
NEXT_HEAD = re.compile(rf"{_BEFORE_NAME}(?P<name>{_LETTER}++)(?:{_LABEL}|\s*+\{{)")

OBJECT_HEAD = re.compile(
    rf'\{{\s*"(?:{"|".join(NAME_KEYS)})"\s*:\s*"(?P<name>[^"\\]+)"\s*,\s*"(?:{"|".join(ARGUMENTS_KEYS)})"\s*:\s*(?=\{{)'
)
LONGEST_OBJECT_HEAD = 256
#: An object that ends before the name of a tool is told.
OBJECT_BEGUN = re.compile(
    r"\{\s*(?:\Z|[\"'](?:PREFIX)\Z|[\"'](?:NAME)[\"']\s*(?:\Z|:\s*(?:\Z|[\"'][^\"']*\Z)))".replace(
        "PREFIX", "|".join(name[:size] for name in NAME_KEYS for size in range(len(name), -1, -1))
    ).replace("NAME", "|".join(NAME_KEYS))
)
# Bounded, so that waiting for the next character never means reading much again.
OBJECT_CALL = re.compile(rf'\{{\s{{0,64}}"(?:{"|".join(NAME_KEYS)})"\s{{0,8}}:')
OBJECT_CALL_BEGUN = re.compile(r'\{\s{0,64}(?:"\w{0,16}(?:"\s{0,8})?)?\Z')
GAP = re.compile(r"\s{0,64}+")
#: A stretch of a string that can be decoded by itself, with no escape cut. Decoded at once, a string takes its length
#: four times, and its JSON, of which the reader makes many small strings, takes it ten times.
_PAIR = r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
ENCODED = re.compile(rf'(?:[^"\\]{{1,64}}+|{_PAIR}|\\u[0-9a-fA-F]{{4}}|\\.){{1,1000}}+', re.DOTALL)
IN_STRING = re.compile(r'(?:[^"\\]++|\\.)*+', re.DOTALL)
STRAY = re.compile(r"(?:\s|[}\],;]|```)*+")
