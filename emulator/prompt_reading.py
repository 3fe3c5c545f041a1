"""Reads the one text that a proxy sends: which tools it declares and who said what (pure).

    {system text}

    <tools>
    …prose…
    get_weather( // Current weather.
    city string
    )
    {"name":"get_time","description":"…","parameters":{…}}
    </tools>

    <conversation>
    <user>
    …
    </user>
    <tool_result name="get_weather" call="1">
    …
    </tool_result>
    </conversation>

    …reminder…

A tool is a declaration (see `declarations`) or one line of JSON. A text without `<conversation>` is one user turn. Tags
count only on a line of their own.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

from emulator.declarations import read_declaration

Role = Literal["system", "user", "assistant", "tool_result"]

_OPENING = re.compile(r"<(system|user|assistant|tool_result)( [^>]*)?>")
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')
_CALL = re.compile(r"^FUNCTION_CALL_START\s+(?:function_name:\s*)?(\S+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool as declared. parameters: its JSON Schema, {} when none was given."""

    name: str
    description: str
    parameters: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn. name: of the tool, for a tool result."""

    role: Role
    text: str
    name: str = ""

    @property
    def called(self) -> list[str]:
        """The names of the tools that this turn calls."""
        return _CALL.findall(self.text) if self.role == "assistant" else []


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a prompt says.

    text: the prompt as it came. system: everything around the two blocks. rules: the prose among the tools.
    files: the files uploaded for it, as a reader is told of them.
    """

    text: str
    system: str
    rules: str
    tools: tuple[Tool, ...]
    turns: tuple[Turn, ...]
    files: tuple[str, ...] = ()

    def after(self, earlier: "Prompt | None") -> "Prompt":
        """This prompt as the continuation of `earlier`: its turns and text come first, its tools last on."""
        if earlier is None:
            return self
        return Prompt(
            text=earlier.text + "\n" + self.text,
            system=self.system or earlier.system,
            rules=self.rules or earlier.rules,
            tools=self.tools or earlier.tools,
            turns=earlier.turns + self.turns,
            files=earlier.files + self.files,
        )

    def with_files(self, files: Iterable[str]) -> "Prompt":
        """This prompt with these files attached."""
        return replace(self, files=tuple(files))

    def answered(self, answer: str) -> "Prompt":
        """This prompt with the assistant's `answer` as its last turn."""
        turn = Turn("assistant", answer)
        return replace(self, text=self.text + "\n" + answer, turns=(*self.turns, turn))


def read_prompt(text: str) -> Prompt:
    """Read a prompt. Never raises: what is not in the format is plain text of the user."""
    conversation, rest = _take_block(text.split("\n"), "conversation")
    declared, around = _take_block(rest, "tools")
    tools, rules = _read_tools("\n".join(declared))
    turns = list(_turns(conversation))
    if not turns:
        turns, around = [Turn("user", "\n".join(around).strip())], []
    return Prompt(
        text=text,
        system="\n".join(around).strip(),
        rules="\n".join(rules),
        tools=tuple(tools),
        turns=tuple(turns),
    )


def _take_block(lines: list[str], tag: str) -> tuple[list[str], list[str]]:
    """The lines inside `<tag>` … `</tag>`, and the lines around it; ([], lines) without such a block."""
    try:
        start = lines.index(f"<{tag}>")
        end = len(lines) - 1 - lines[::-1].index(f"</{tag}>")
    except ValueError:
        return [], lines
    if end < start:
        return [], lines
    return lines[start + 1 : end], lines[:start] + lines[end + 1 :]


def _read_tools(text: str) -> tuple[list[Tool], list[str]]:
    """The tools that `text` declares, and the lines that belong to none."""
    tools, prose, start = list[Tool](), list[str](), 0
    while start < len(text):
        newline = text.find("\n", start)
        end = newline if newline >= 0 else len(text)
        if declared := read_declaration(text, start):
            tools.append(Tool(declared.name, declared.description, declared.parameters))
            end = declared.end
        elif tool := _json_tool(text[start:end]):
            tools.append(tool)
        else:
            prose.append(text[start:end])
        start = end + 1
    return tools, prose


def _json_tool(line: str) -> Tool | None:
    """The tool that a line of JSON declares: an object with a string `name`."""
    value = _object(line)
    name, description, parameters = (value.get(key) for key in ("name", "description", "parameters"))
    if not isinstance(name, str):
        return None
    return Tool(name, str(description or ""), parameters if isinstance(parameters, dict) else {})


def _object(line: str) -> dict[str, Any]:
    if not line.lstrip().startswith("{"):
        return {}
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _turns(lines: list[str]) -> Iterator[Turn]:
    """The turns. Lines outside of any turn are dropped; an unclosed turn lasts to the end."""
    role, name, text = "", "", list[str]()
    for line in lines:
        opening = _OPENING.fullmatch(line)
        if not role and opening:
            role = opening[1]
            name = dict(_ATTRIBUTE.findall(opening[2] or "")).get("name", "")
        elif role and line == f"</{role}>":
            yield Turn(cast(Role, role), "\n".join(text), name)
            role, name, text = "", "", []
        elif role:
            text.append(line)
    if role:
        yield Turn(cast(Role, role), "\n".join(text), name)
