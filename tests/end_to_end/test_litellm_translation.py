"""What LiteLLM makes of answers on the addresses that it translates, and its faults in docs/compatibility.md."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from custom_handler.markers import render_call
from emulator import Emulator, Reply
from tests.documents.markdown import Document
from tests.support.program import ROOT
from tests.support.services import Served

Json = dict[str, Any]
RESPONSES, MESSAGES = "/v1/responses", "/v1/messages"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
CITIES = ["São Paulo", "Recife 🌊"]
TEXT = "Vou ver.\n"
ANSWER = TEXT + "\n".join(render_call("get_weather", json.dumps({"city": city})) for city in CITIES)
USAGE = (40, 20)

#: Tools that run on the vendor's server stand among those of the client.
RESPONSES_TOOLS = [
    {"type": "function", "name": "get_weather", "parameters": SCHEMA},
    {"type": "web_search"},
    {"type": "namespace", "name": "team", "tools": []},
]
MESSAGES_TOOLS = [
    {"name": "get_weather", "input_schema": SCHEMA},
    {"type": "web_search_20250305", "name": "web_search"},
]
USER = {"role": "user", "content": "Como está o tempo?"}
SMALLEST: dict[str, Json] = {
    RESPONSES: {"input": [USER], "tools": RESPONSES_TOOLS},
    MESSAGES: {"messages": [USER], "tools": MESSAGES_TOOLS, "max_tokens": 1000},
}
#: The calls and their results, as a client sends them back.
RESULTS: dict[str, Json] = {
    RESPONSES: {
        "input": [
            USER,
            *(
                {
                    "type": "function_call",
                    "call_id": f"c{n}",
                    "name": "get_weather",
                    "arguments": json.dumps({"city": city}),
                }
                for n, city in enumerate(CITIES)
            ),
            *({"type": "function_call_output", "call_id": f"c{n}", "output": f"{28 + n} graus"} for n in range(2)),
        ]
    },
    MESSAGES: {
        "messages": [
            USER,
            {
                "role": "assistant",
                "content": [
                    {"type": "tool_use", "id": f"c{n}", "name": "get_weather", "input": {"city": city}}
                    for n, city in enumerate(CITIES)
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": f"c{n}", "content": f"{28 + n} graus"} for n in range(2)
                ],
            },
        ]
    },
}


@pytest.fixture
def calling(emulator: Emulator) -> Emulator:
    """An agent that says a line and makes two calls, and the same once more."""
    emulator.script(*[Reply(ANSWER, tokens=USAGE)] * 2)
    return emulator


def whole(http: httpx.Client, path: str, service: Served, **fields: Any) -> Json:
    answer = http.post(path, json={"model": service.model, **SMALLEST[path], **fields})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def streamed(http: httpx.Client, path: str, model: str) -> Sequence[Json]:
    body = {"model": model, **SMALLEST[path], "stream": True}
    lines = http.post(path, json=body).text.splitlines()
    data = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
    return [json.loads(line) for line in data if line != "[DONE]"]


def of_type(events: Sequence[Json], kind: str) -> list[Json]:
    return [event for event in events if event["type"] == kind]


def said(answer: Json) -> tuple[str, list[str], tuple[int, int]]:
    """Text, cities of the calls, and usage of a whole answer of either address."""
    parts = answer.get("content") or [part for item in answer["output"] for part in item.get("content", [item])]
    calls = [part for part in parts if part["type"] in ("tool_use", "function_call")]
    arguments = [call["input"] if "input" in call else json.loads(call["arguments"]) for call in calls]
    text = "".join(part["text"] for part in parts if "text" in part)
    usage = answer["usage"]
    return text, [each["city"] for each in arguments], (usage["input_tokens"], usage["output_tokens"])


@pytest.mark.usefixtures("calling")
@pytest.mark.parametrize("path", SMALLEST)
def test_text_and_parallel_calls_come_whole(http: httpx.Client, path: str, service: Served) -> None:
    text, cities, (prompt, completion) = said(whole(http, path, service))
    assert (text, cities) == (TEXT, CITIES)
    assert prompt > 0
    assert completion > 0


@pytest.mark.usefixtures("calling")
@pytest.mark.parametrize("path", SMALLEST)
def test_usage_is_what_the_service_counts(http: httpx.Client, path: str, service: Served) -> None:
    assert said(whole(http, path, service))[2] == USAGE


@pytest.mark.usefixtures("calling")
def test_a_response_is_streamed_as_it_is_whole(http: httpx.Client, service: Served) -> None:
    events = streamed(http, RESPONSES, service.model)
    (completed,) = of_type(events, "response.completed")
    assert said(completed["response"]) == said(whole(http, RESPONSES, service))
    assert "".join(event["delta"] for event in of_type(events, "response.output_text.delta")) == TEXT
    for done in of_type(events, "response.function_call_arguments.done"):
        deltas = of_type(events, "response.function_call_arguments.delta")
        assert "".join(each["delta"] for each in deltas if each["item_id"] == done["item_id"]) == done["arguments"]


@pytest.mark.usefixtures("calling")
def test_a_message_is_streamed_as_it_is_whole(http: httpx.Client, service: Served) -> None:
    events = streamed(http, MESSAGES, service.model)
    blocks = [dict(event["content_block"]) for event in of_type(events, "content_block_start")]
    for event in of_type(events, "content_block_delta"):
        block, delta = blocks[event["index"]], event["delta"]
        kind, more = ("text", delta["text"]) if "text" in delta else ("arguments", delta["partial_json"])
        block[kind] = block.get(kind, "") + more
    (end,) = of_type(events, "message_delta")
    content = [
        block | {"input": json.loads(block.pop("arguments"))} if "arguments" in block else block for block in blocks
    ]
    assert said({"content": content, "usage": end["usage"]}) == said(whole(http, MESSAGES, service))
    assert end["delta"]["stop_reason"] == "tool_use"


@pytest.mark.parametrize("path", SMALLEST)
def test_results_reach_the_agent_in_their_order(
    http: httpx.Client, emulator: Emulator, path: str, service: Served
) -> None:
    whole(http, path, service, **RESULTS[path])
    _, _, conversation = service.prompt(emulator.chats[-1]).rpartition(USER["content"])
    calls = re.findall(r"^arguments: (.*)$", conversation, re.MULTILINE)
    assert [json.loads(call) for call in calls] == [{"city": city} for city in CITIES]
    assert re.findall(r"\d\d graus", conversation) == ["28 graus", "29 graus"]


@pytest.mark.parametrize("path", SMALLEST)
def test_tools_of_the_vendors_server_are_not_told_to_the_agent(
    http: httpx.Client, calling: Emulator, path: str, service: Served
) -> None:
    whole(http, path, service)
    prompt = service.prompt(calling.chats[-1])
    assert "get_weather" in prompt
    assert not any(name in prompt for name in ("web_search", "team"))


def test_the_faults_of_the_translation_are_those_of_the_document(
    http: httpx.Client, calling: Emulator, service: Served
) -> None:
    """When one of them is gone, LiteLLM was mended: strike it out of the document."""
    response = streamed(http, RESPONSES, service.model)
    message = streamed(http, MESSAGES, service.model)
    calling.script(Reply(TEXT))
    (told,) = of_type(streamed(http, RESPONSES, "librarian"), "response.content_part.done")  # only StackSpot has some
    kinds = [event["type"] for event in response]
    found = {
        "names the model as the provider does": response[0]["response"]["model"] == "chat",
        "numbers only some events": 0 < sum("sequence_number" in event for event in response) < len(response),
        "ends a text after the calls that follow it": kinds.index("response.output_text.done")
        > kinds.index("response.function_call_arguments.done"),
        "ends a part with empty annotations": told["part"]["annotations"] == [{}, {}],
        "counts no tokens at the start": message[0]["message"]["usage"]["input_tokens"] == 0,
    }
    (table,) = Document.read(ROOT / "docs" / "compatibility.md").section("Faults of LiteLLM's translation").tables
    assert [row[1] for row in table] == [name for name, present in found.items() if present]
