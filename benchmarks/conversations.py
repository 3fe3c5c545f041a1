"""What it saves that the service remembers a conversation: the same one, once told anew each time and once remembered.

A conversation has 30 turns of the user. In each the agent of the emulator calls a tool that it is told to call, gets a
result of so many characters, and answers: two requests a turn. The tools are sets of `tests/corpus/tool_sets`, and
before them stands a system text of 1,000 characters. Characters are those of `user_prompt`, of all requests together;
tokens are those that the service reports, which counts what it remembers.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from custom_handler.provider import AgentLLM, StackspotLLM
from emulator import Emulator, Options

_SETS = Path(__file__).parents[1] / "tests" / "corpus" / "tool_sets"
_AGENT = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
_SYSTEM = "You work with care, say what you do, and ask when something is not clear. "
_LINE = "{:>5}  record {} of {}: amount {}, state open, owner team {}\n"
TURNS = 30


@dataclass(frozen=True, slots=True)
class Case:
    """A set of tools, and the characters that each result has."""

    tools: str
    result: int

    @property
    def declared(self) -> list[dict[str, Any]]:
        """The tools in the OpenAI form."""
        tools: list[dict[str, Any]] = json.loads((_SETS / f"{self.tools}.json").read_text("utf-8"))
        return tools

    def orders(self) -> Iterator[str]:
        """What the user says, turn by turn."""
        names = [tool["function"]["name"] for tool in self.declared]
        for turn in range(TURNS):
            yield f"Step {turn}: please call {names[turn % len(names)]} and tell me what comes of it."

    def answer(self, call: int) -> str:
        """The result of a call."""
        line = _LINE.format(call, call, self.tools, call * 17, call % 7)
        return (line * (self.result // len(line) + 1))[: self.result]


CASES = (
    Case("file_and_git_server", 2_000),
    Case("data_warehouse", 2_000),
    Case("coding_agent", 4_000),
    Case("issue_tracker", 2_000),
    Case("bank_back_office", 1_000),
)


@dataclass(slots=True)
class Played:
    """What came of a conversation: answers as (text, calls), and the tokens of all prompts."""

    answers: list[tuple[str, list[tuple[str, str]]]] = field(default_factory=list)
    prompt_tokens: int = 0


async def play(case: Case, llm: AgentLLM, headers: dict[str, str], *, stream: bool = False) -> Played:
    """Have the conversation, as a client does that sends the whole of it with each request."""
    messages: list[dict[str, Any]] = [{"role": "system", "content": (_SYSTEM * 20)[:1_000]}]
    played = Played()
    for order in case.orders():
        messages.append({"role": "user", "content": order})
        while calls := await _ask(llm, case.declared, messages, headers, played, stream=stream):
            for call in calls:
                result = case.answer(len(messages))
                messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})
    return played


async def _ask(
    llm: AgentLLM,
    tools: list[dict[str, Any]],
    messages: list[dict[str, Any]],
    headers: dict[str, str],
    played: Played,
    *,
    stream: bool,
) -> Sequence[dict[str, Any]]:
    """Ask once, add the answer to `messages`, and give its calls."""
    given = {"model": "chat", "messages": [*messages], "optional_params": {"tools": tools}, "headers": headers}
    text, calls, tokens = await (_streamed if stream else _whole)(llm, given)
    played.answers.append((text, [(call["function"]["name"], call["function"]["arguments"]) for call in calls]))
    played.prompt_tokens += tokens
    messages.append({"role": "assistant", "content": text or None, **({"tool_calls": calls} if calls else {})})
    return calls


Answer = tuple[str, list[dict[str, Any]], int]


async def _whole(llm: AgentLLM, given: dict[str, Any]) -> Answer:
    answer: Any = await llm.acompletion(**given)
    message = answer.choices[0].message
    calls = [call.model_dump() for call in message.tool_calls or []]
    return message.content or "", calls, answer.usage.prompt_tokens


async def _streamed(llm: AgentLLM, given: dict[str, Any]) -> Answer:
    text, tokens = "", 0
    calls: list[dict[str, Any]] = []
    async for chunk in llm.astreaming(**given):
        delta: Any = chunk.choices[0].delta
        text += delta.content or ""
        usage: Any = getattr(chunk, "usage", None)
        tokens = usage.prompt_tokens if usage else tokens
        for call in delta.tool_calls or []:
            if call.id:
                function = {"name": call.function.name, "arguments": ""}
                calls.append({"id": call.id, "type": "function", "function": function})
            calls[-1]["function"]["arguments"] += call.function.arguments
    return text, calls, tokens


@dataclass(frozen=True, slots=True)
class Cost:
    """What one conversation cost: requests, characters sent, tokens reported."""

    requests: int
    characters: int
    prompt_tokens: int


def cost(case: Case, headers: dict[str, str]) -> Cost:
    """Have the conversation with an emulator of its own."""
    with Emulator(Options(rpm=None)) as emulator:
        os.environ.update(_settings(emulator.url))
        played = asyncio.run(play(case, StackspotLLM(), headers))
        return Cost(len(emulator.chats), sent(emulator), played.prompt_tokens)


def sent(emulator: Emulator) -> int:
    """Characters of all prompts that the emulator got."""
    return sum(len(chat.json["message" if chat.fusion else "user_prompt"]) for chat in emulator.chats)


def _settings(url: str) -> dict[str, str]:
    names = ("STACKSPOT_IDM_URL", "STACKSPOT_INFERENCE_URL", "STACKSPOT_DATA_URL")
    words = ("STACKSPOT_CLIENT_ID", "STACKSPOT_CLIENT_SECRET", "STACKSPOT_REALM")
    return {**dict.fromkeys(names, url), **dict.fromkeys(words, "emulated"), "STACKSPOT_GENAI_AGENT_ID": _AGENT}


def table() -> str:
    """The table of docs/conversations.md."""
    rows = [
        "| tools | characters a result | characters told anew | remembered | ratio | tokens told anew | remembered |",
        "|---|---|---|---|---|---|---|",
    ]
    for case in CASES:
        anew, remembered = cost(case, {}), cost(case, {"correlation-id": "one"})
        rows.append(
            f"| {len(case.declared)}, {case.tools.replace('_', ' ')} | {case.result:,} | {anew.characters:,} "
            f"| {remembered.characters:,} | {remembered.characters / anew.characters:.2f} "
            f"| {anew.prompt_tokens:,} | {remembered.prompt_tokens:,} |"
        )
    return "\n".join(rows)


if __name__ == "__main__":
    print(table())
