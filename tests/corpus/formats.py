"""The call formats: the documented one, and those that agents were seen to write in its place.

They are written down here anew, not taken from the parser's own table: a mistake there must not be repeated here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.corpus.writer import PLAIN, Style, write


@dataclass(frozen=True, slots=True)
class Format:
    """One way to write a call.

    Attributes:
        name: as it is called in the table of results.
        start, end: the markers.
        label: what stands before the name, where name and arguments are lines.
        name_key: the key of the name, where the call is one JSON object; else None.
    """

    name: str
    start: str
    end: str
    label: str = ""
    name_key: str | None = None

    def json(self, name: str, arguments: Any, style: Style = PLAIN) -> str:
        """All of a call that is JSON: its arguments, or the object around them."""
        return write(arguments if self.name_key is None else {self.name_key: name, "arguments": arguments}, style)

    def body(self, name: str, json: str) -> str:
        """What stands between the markers."""
        return f"{self.label}{name}\narguments: {json}" if self.name_key is None else json

    def block(self, name: str, json: str, gap: str = "\n") -> str:
        """The whole call, with `gap` between the markers and what they hold."""
        return f"{self.start}{gap}{self.body(name, json)}{gap}{self.end}"


DOCUMENTED = Format("documented", "FUNCTION_CALL_START", "FUNCTION_CALL_END")
LABELLED = Format("function_name: NAME", "FUNCTION_CALL_START", "FUNCTION_CALL_END", label="function_name: ")
TOOL_CALL_START = Format("TOOL_CALL_START", "TOOL_CALL_START", "TOOL_CALL_END", name_key="function_name")
TAGGED = Format("<tool_call>", "<tool_call>", "</tool_call>", name_key="name")

FORMATS = (DOCUMENTED, LABELLED, TOOL_CALL_START, TAGGED)
