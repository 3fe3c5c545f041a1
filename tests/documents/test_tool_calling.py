"""docs/tool-calling.md, example by example: the running proxy gives what it says that a client gets, in both ways."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from custom_handler import settings
from tests.documents.markdown import Document, quoted
from tests.support.made_run import MadeRun
from tests.support.program import ROOT

DOCUMENT = Document.read(ROOT / "docs" / "tool-calling.md")
LABELS = ("The request has", "The agent is asked", "The agent writes", "Asked again, it writes", "The client gets")
_LABELLED = re.compile(rf"^({'|'.join(LABELS)}):\n\n(`{{3,4}})\w+\n(.*?)^\2$", re.MULTILINE | re.DOTALL)
TOOLS = json.loads(DOCUMENT.code[0])
QUESTION = [{"role": "user", "content": "What is the balance of account 1001?"}]

#: An example: what follows each of the labels, in order, up to what the client gets.
Example = list[tuple[str, str]]


def examples() -> Iterator[Example]:
    example: Example = []
    for label, _, text in _LABELLED.findall(DOCUMENT.text):
        example.append((label, text))
        if label == "The client gets":
            yield example
            example = []
    assert not example, "an example has no end"


EXAMPLES = list(examples())


def texts(example: Example, *labels: str) -> list[str]:
    return [text for label, text in example if label in labels]


def ask(running: MadeRun, example: Example, **fields: Any) -> httpx.Response:
    """The proxy's answer to the request of an example, when the agent writes what it says."""
    running.script(*texts(example, "The agent writes", "Asked again, it writes"))
    given = {"messages": QUESTION, **json.loads("".join(texts(example, "The request has")) or "{}")}
    body = {"model": "stackspot-chat", "tools": TOOLS, **given, **fields}
    return running.proxy.post("/v1/chat/completions", json=body)


def shown(message: dict[str, Any], finish_reason: str) -> dict[str, Any]:
    """An answer as the document shows it: with what is there, and the arguments of calls as JSON."""
    calls = [call["function"] for call in message.get("tool_calls") or []]
    told = {name: message[name] for name in ("reasoning_content", "content") if message.get(name) is not None}
    if calls:
        told["tool_calls"] = [{"name": call["name"], "arguments": json.loads(call["arguments"])} for call in calls]
    return {**told, "finish_reason": finish_reason}


def folded(answer: httpx.Response) -> dict[str, Any]:
    """The chunks of a stream as one message."""
    lines = [line.removeprefix("data: ") for line in answer.text.splitlines() if line.startswith("data: {")]
    choices = [json.loads(line)["choices"][0] for line in lines]
    message: dict[str, Any] = {"tool_calls": [call for one in choices for call in one["delta"].get("tool_calls") or []]}
    for name in ("content", "reasoning_content"):
        pieces = [one["delta"][name] for one in choices if one["delta"].get(name)]
        message[name] = "".join(pieces) if pieces else None
    return shown(message, next(one["finish_reason"] for one in choices if one.get("finish_reason")))


def test_there_is_an_example_of_everything() -> None:
    assert {label for example in EXAMPLES for label, _ in example} == set(LABELS)
    assert len(EXAMPLES) >= 15


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: " ".join(example[0][1].split())[:40])
def test_the_client_gets_what_the_document_says(running: MadeRun, example: Example) -> None:
    expected = json.loads(texts(example, "The client gets")[0])
    answer = ask(running, example)
    prompt = running.prompts()[0]
    assert all(text in prompt for text in texts(example, "The agent is asked"))
    if "error" in expected:
        assert answer.json()["error"]["code"] == expected["error"]["code"]
        return
    assert answer.status_code == 200, answer.text
    choice = answer.json()["choices"][0]
    assert shown(choice["message"], choice["finish_reason"]) == expected
    streamed = folded(ask(running, example, stream=True))
    assert streamed == {name: value for name, value in expected.items() if value != ""}


def test_the_table_of_settings_is_that_of_the_code() -> None:
    (table,) = DOCUMENT.section("Settings").tables
    told = {quoted(name)[0]: default for name, default, _ in table}
    found: list[settings.Setting[Any]] = [
        settings.CHECK_CHARS,
        settings.FOLLOW_UPS,
        settings.FOLLOW_ANNOUNCEMENTS,
        settings.BROKEN_CALLS,
    ]
    assert told == {**{setting.name: setting.default for setting in found}, "max_input_tokens": "272000"}
