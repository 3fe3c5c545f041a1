"""How long a prompt of 230 kB with 36 tools takes: checked, rendered, and weighed against the limit of the model."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.tools import SETS, load
from custom_handler import budget, prompt, request
from tests.support.program import ROOT
from tests.support.published import markdown_table

HISTORY = 230_000  # bytes
_RESULT = 6_000  # characters of a tool's result, about a file of 150 lines
_READINGS = 20

#: What the results of the tools in the conversation are made of.
SOURCES: Mapping[str, str] = {
    "source code": "custom_handler/engine.py",
    "prose in Portuguese": "README.pt-BR.md",
    "text about the call format": "docs/tool-calling.md",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A chat request, as LiteLLM hands it over."""

    messages: list[dict[str, Any]]
    parameters: Mapping[str, Any]

    def build(self) -> str:
        """The prompt; everything that is done before the agent is asked."""
        parsed = request.parse(self.messages, self.parameters)
        rendered = prompt.render(parsed)
        budget.certainly_fits(rendered, budget.DEFAULT_LIMIT)
        return rendered


def asked(source: str, mark: str = "") -> Asked:
    """A session of a coding agent that has read the file `source` over and over.

    Args:
        mark: makes its tools different from those of other marks.
    """
    tools = [tool for path in SETS if path.stem in {"coding_agent", "file_and_git_server"} for tool in load(path)]
    for tool in tools:
        tool["function"]["description"] += mark
    return Asked([*_turns((ROOT / source).read_text("utf-8"), tools)], {"tools": tools})


def _turns(text: str, tools: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    turns: list[dict[str, Any]] = [
        {"role": "system", "content": "You are a coding agent. Work step by step, and say what you do."},
        {"role": "user", "content": "Refatore o módulo, por favor; a API pública não muda."},
    ]
    size = 0
    while size < HISTORY:
        start = size % max(1, len(text) - _RESULT)
        result = text[start : start + _RESULT]
        called = {"name": tools[0]["function"]["name"], "arguments": json.dumps({"path": "a.py", "offset": start})}
        call = {"id": f"call_{size}", "type": "function", "function": called}
        turns.append({"role": "assistant", "content": "I read on.", "tool_calls": [call]})
        turns.append({"role": "tool", "tool_call_id": call["id"], "content": result})
        size += len(result.encode())
    return turns


def table() -> str:
    """Milliseconds by what the conversation is about: for tools that were never seen, and for those of a session."""
    head = ["36 tools, and 230 kB of", "prompt", "first request", "from then on"]
    return markdown_table(head, *(_line(name, source) for name, source in SOURCES.items()))


def _line(name: str, source: str) -> list[str]:
    new = [asked(source, f" {name} {number}") for number in range(_READINGS)]
    first, later = _milliseconds(new), _milliseconds([asked(source)] * _READINGS)
    size = len(new[0].build().encode()) / 1e3
    return [name, f"{size:.0f} kB", f"{first:.1f} ms", f"{later:.1f} ms"]


def _milliseconds(requests: Sequence[Asked]) -> float:
    """Processor time: the best of all."""
    return min(map(_seconds, requests)) * 1e3


def _seconds(one: Asked) -> float:
    begun = time.process_time()
    one.build()
    return time.process_time() - begun
