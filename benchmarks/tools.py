"""What tools cost in the prompt: our declarations against the same tools as JSON Schema, in LiteLLM's own tokens.

Each set of `tests/corpus/tool_sets` is counted both ways. JSON is the list of tools as a client sends it, but without
spaces and without escapes for letters beyond ASCII, which is shorter than clients write it.

*Structure* is what is left of each total without the tokens of the texts that no form can leave out: every name of a
tool, parameter or definition, every description and every enum value, each counted by itself, once, and taken from both
totals alike. So everything else is structure: brackets, keywords, types, bounds, patterns, defaults, and in JSON the
names that `required` repeats. The last column is stricter with us and takes those, too, from the total of JSON.

Not in the table: the explanation of the notation, which comes on top once a prompt.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import litellm

from custom_handler.request import Tool
from custom_handler.signatures import NOTATION, render_tools
from tests.support.program import ROOT
from tests.support.published import markdown_table

SETS = sorted((ROOT / "tests" / "corpus" / "tool_sets").glob("*.json"))
_NAMED = {"properties", "$defs"}


@dataclass(frozen=True, slots=True)
class Cost:
    """Tokens of one set: as JSON, as declarations, of its names, descriptions and enum values, of names repeated."""

    as_json: int
    as_declarations: int
    texts: int
    repeated: int

    @property
    def ratio(self) -> float:
        """All tokens of the declarations to all of JSON."""
        return self.as_declarations / self.as_json

    @property
    def structure(self) -> float:
        """The same for structure alone."""
        return (self.as_declarations - self.texts) / (self.as_json - self.texts)

    @property
    def strict_structure(self) -> float:
        """The same, with the names in `required` not counted as structure of JSON."""
        return (self.as_declarations - self.texts) / (self.as_json - self.texts - self.repeated)


def load(path: Path) -> list[dict[str, Any]]:
    """A set of tools in the OpenAI form."""
    sent: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return sent


def parsed(sent: Sequence[dict[str, Any]]) -> list[Tool]:
    """The tools of a set, as the prompt takes them."""
    functions = [tool["function"] for tool in sent]
    return [Tool(each["name"], each["description"], each["parameters"]) for each in functions]


def cost(sent: Sequence[dict[str, Any]]) -> Cost:
    """What a set costs."""
    return Cost(
        as_json=_tokens(json.dumps(sent, ensure_ascii=False, separators=(",", ":"))),
        as_declarations=_tokens(render_tools(parsed(sent))),
        texts=sum(map(_tokens, _texts(sent))),
        repeated=sum(map(_tokens, _repeated(sent))),
    )


def table() -> str:
    """Tokens of each set both ways, and their ratios."""
    head = ["set", "tools", "as JSON", "as declarations", "ratio", "structure", "without repeated names"]
    return markdown_table(head, *map(_line, SETS))


def notation_tokens() -> int:
    """Tokens of the explanation of the notation, once a prompt."""
    return _tokens(NOTATION)


def _line(path: Path) -> list[str]:
    sent = load(path)
    of = cost(sent)
    ratios = (f"{ratio:.2f}" for ratio in (of.ratio, of.structure, of.strict_structure))
    return [path.stem.replace("_", " "), str(len(sent)), f"{of.as_json:,}", f"{of.as_declarations:,}", *ratios]


def _tokens(text: str) -> int:
    """What LiteLLM counts for a text when it does not know the model."""
    return int(litellm.token_counter(model="", text=text))


def _texts(value: object, key: str = "") -> Iterator[str]:
    """The names, descriptions and enum values in tools; `key` is where `value` stands."""
    if isinstance(value, dict):
        yield from value if key in _NAMED else ()
        for name, inner in value.items():
            yield from _texts(inner, "" if key in _NAMED else name)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, key)
    elif key in {"name", "description", "enum", "const"}:
        yield value if isinstance(value, str) else json.dumps(value)


def _repeated(value: object) -> Iterator[str]:
    """The names in every `required`."""
    if isinstance(value, dict):
        names = value.get("required")
        yield from names if isinstance(names, list) else ()
        for inner in value.values():
            yield from _repeated(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _repeated(inner)
