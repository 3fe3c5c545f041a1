"""Which tool a message asks for: the overlap of its words with the tools' names and descriptions (pure)."""

import re
from collections.abc import Sequence

from emulator.evidence import paths
from emulator.prompt_reading import Tool
from emulator.words import stems

LIMIT = 4000
"""Characters of a message that are looked at."""

_DESCRIPTION = 200
"""Characters of a description that count: long ones mention everything."""

_FINISHING = stems("final finish complete completion submit output")

_WRAPPED = re.compile(r"<(task|user_message|user_query|query)>(.*?)</\1>", re.DOTALL)
_BLOCK = re.compile(r"<([a-z][\w-]*)>.*?</\1>", re.DOTALL)


def choose(tools: Sequence[Tool], message: str) -> Tool | None:
    """The tool that `message` asks for, None when it asks for none, as small talk does."""
    words = _words(message)
    asked = [tool for tool in tools if _asks(words, tool)]
    return max(asked, key=lambda tool: _rank(words, tool), default=None)


def nearest(tools: Sequence[Tool], message: str) -> Tool:
    """The tool to call when one must be called, and none was asked for."""
    words = _words(message)
    return max(tools, key=lambda tool: _rank(words, tool))


def finishing(tools: Sequence[Tool]) -> Tool | None:
    """The tool through which a client wants its final answer, such as `final_answer` or `final_result`."""
    return next((tool for tool in tools if stems(tool.name) & _FINISHING), None)


def _words(message: str) -> frozenset[str]:
    """The words of the message; one that names a path is about a file, though it may not say so."""
    spoken = _spoken(message)
    return stems(spoken) | (stems("file") if next(paths(spoken), "") else frozenset())


def _spoken(message: str) -> str:
    """What the person wrote, without the blocks that coding programs add to it."""
    message = message[:LIMIT]
    if wrapped := _WRAPPED.search(message):
        return wrapped[2]
    return _BLOCK.sub(" ", message)


def _asks(words: frozenset[str], tool: Tool) -> bool:
    name, described = _hits(words, tool)
    whole_name = bool(name) and name == stems(tool.name)
    # Words of the description alone must be most of what was said, and more than a coincidence.
    by_description = len(described) >= 2 and 2 * len(described) >= len(words)
    return whole_name or bool(name and described) or by_description


def _rank(words: frozenset[str], tool: Tool) -> tuple[int, float]:
    name, described = _hits(words, tool)
    return 2 * len(name) + len(described), len(name) / max(1, len(stems(tool.name)))


def _hits(words: frozenset[str], tool: Tool) -> tuple[frozenset[str], frozenset[str]]:
    """The words that are in the tool's name, and those that are only in its description or parameters."""
    name = stems(tool.name)
    properties = tool.parameters.get("properties")
    names = " ".join(properties) if isinstance(properties, dict) else ""
    described = stems(tool.description[:_DESCRIPTION]) | stems(names)
    return words & name, words & described - name
