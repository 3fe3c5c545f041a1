"""Conversations on every address, with the histories that clients and LiteLLM's translations really send back."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterable, Iterator
from typing import Any

import httpx
import openai
import pytest
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import SecretStr
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.settings import ModelSettings

from custom_handler.markers import render_call
from emulator import Emulator, Reply
from tests.support.proxy import ProxyProcess
from tests.support.services import Served

Json = dict[str, Any]
FIRST, SECOND = "How is the weather?", "And tomorrow?"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}}
#: Text, two calls and text behind them: what translations take apart and put together again.
TURNS = (
    "Vou ver.\n\n"
    + render_call("get_weather", '{"days": 1, "city": "São Paulo"}')
    + "\n"
    + render_call("get_weather", '{"city": "Recife"}'),
    "It is sunny.\n\n- in both\n",
    "Rain.",
)


@pytest.fixture
def headers() -> dict[str, str]:
    """Of a conversation that no other test has."""
    return {"correlation-id": str(uuid.uuid4())}


@pytest.fixture
def talking(emulator: Emulator) -> Emulator:
    """An agent that calls a tool twice, answers, and answers once more."""
    emulator.script(*map(Reply, TURNS))
    return emulator


def check(emulator: Emulator, service: Served) -> None:
    """All was one conversation, of which nothing was sent twice."""
    first, results, question = map(service.prompt, emulator.chats)
    (conversation,) = set(map(service.conversation, emulator.chats))
    assert conversation
    assert FIRST in first
    assert FIRST not in results
    assert "Vou ver" not in results
    positions = [results.index(f'call="{number}">\n{27 + number} graus') for number in (1, 2)]
    assert positions == sorted(positions)
    assert SECOND in question
    assert "graus" not in question


# Chat completions


def chat_tools() -> list[Json]:
    return [{"type": "function", "function": {"name": "get_weather", "parameters": SCHEMA}}]


@pytest.mark.parametrize("content", ["as it came", "left out"])
@pytest.mark.parametrize("stream", [False, True])
def test_chat_completions(
    client: openai.OpenAI, talking: Emulator, headers: dict[str, str], stream: bool, content: str, service: Served
) -> None:
    given: Any = {"model": service.model, "tools": chat_tools(), "extra_headers": headers}

    def ask(messages: list[Any]) -> Any:
        if not stream:
            return client.chat.completions.create(**given, messages=messages).choices[0].message
        with client.chat.completions.stream(**given, messages=messages) as chunks:
            return chunks.get_final_completion().choices[0].message

    messages: list[Any] = [{"role": "user", "content": FIRST}]
    called = ask(messages).to_dict()
    messages.append(called if content == "as it came" else {**called, "content": None})
    for number, call in enumerate(called["tool_calls"]):
        messages.append({"role": "tool", "tool_call_id": call["id"], "content": f"{28 + number} graus"})
    messages += [ask(messages).to_dict(), {"role": "user", "content": [{"type": "text", "text": SECOND}]}]
    assert ask(messages).content == "Rain."
    check(talking, service)


def get_weather(city: str, days: int = 0) -> str:
    """The weather of a city."""
    return f"{29 - days} graus em {city}"


def test_langchain(proxy: ProxyProcess, talking: Emulator, headers: dict[str, str], service: Served) -> None:
    weather = tool(get_weather)
    with httpx.Client(trust_env=False) as http:
        clients: Any = {"http_client": http}
        url, key = f"{proxy.url}/v1", SecretStr("none")
        model = ChatOpenAI(model=service.model, base_url=url, api_key=key, default_headers=headers, **clients)
        bound = model.bind_tools([weather])
        messages: list[Any] = [HumanMessage(FIRST)]
        called: Any = bound.invoke(messages)
        messages.append(called)
        messages += [ToolMessage(weather.invoke(call["args"]), tool_call_id=call["id"]) for call in called.tool_calls]
        messages += [bound.invoke(messages), HumanMessage(SECOND)]
        assert bound.invoke(messages).text == "Rain."
    check(talking, service)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model_class", [OpenAIChatModel, OpenAIResponsesModel])
async def test_pydantic_ai(
    proxy: ProxyProcess, talking: Emulator, headers: dict[str, str], model_class: Any, stream: bool, service: Served
) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        client = openai.AsyncOpenAI(base_url=f"{proxy.url}/v1", api_key="none", http_client=http)
        model = model_class(service.model, provider=OpenAIProvider(openai_client=client))
        streamed: list[object] = []

        async def read(_: object, events: AsyncIterable[object]) -> None:
            streamed.extend([event async for event in events])

        agent = Agent(model, tools=[get_weather])
        given: Any = {"model_settings": ModelSettings(extra_headers=headers)}
        given |= {"event_stream_handler": read} if stream else {}
        first = await agent.run(FIRST, **given)
        await agent.run(SECOND, message_history=first.all_messages(), **given)
    assert bool(streamed) == stream
    check(talking, service)


# The Responses API


@pytest.mark.parametrize("bare", [False, True])
@pytest.mark.parametrize("stream", [False, True])
def test_responses(
    http: httpx.Client, talking: Emulator, headers: dict[str, str], stream: bool, bare: bool, service: Served
) -> None:
    tools = [{"type": "function", "name": "get_weather", "parameters": SCHEMA}]
    given = {"model": service.model, "instructions": "Be brief.", "tools": tools, "stream": stream}

    def ask(items: list[Json]) -> list[Json]:
        answer = http.post("/v1/responses", json={**given, "input": items}, headers=headers)
        output = list(done_items(answer)) if stream else answer.json()["output"]
        return [sent_back(item) for item in output] if bare else output

    items: list[Json] = [{"role": "user", "content": [{"type": "input_text", "text": FIRST}]}]
    output = ask(items)
    calls = [item for item in output if item["type"] == "function_call"]
    results = [
        {"type": "function_call_output", "call_id": call["call_id"], "output": f"{28 + number} graus"}
        for number, call in enumerate(calls)
    ]
    items += output + results
    items += [*ask(items), {"role": "user", "content": SECOND}]
    ask(items)
    check(talking, service)


def done_items(answer: httpx.Response) -> Iterator[Json]:
    """What the stream of a response says that it consists of."""
    for line in answer.text.splitlines():
        if line.startswith("data: {"):
            event = json.loads(line.removeprefix("data: "))
            if event["type"] == "response.completed":
                yield from event["response"]["output"]


def sent_back(item: Json) -> Json:
    """An item without what only the server needs to know, as Codex sends it."""
    return {name: value for name, value in item.items() if name not in ("id", "status")}


# Anthropic's Messages API


@pytest.mark.parametrize("stream", [False, True])
def test_messages(
    http: httpx.Client, talking: Emulator, headers: dict[str, str], stream: bool, service: Served
) -> None:
    tools = [{"name": "get_weather", "input_schema": SCHEMA}]

    def ask(messages: list[Json]) -> list[Json]:
        system = [{"type": "text", "text": f"Turn {len(messages)}.", "cache_control": {"type": "ephemeral"}}]
        body = {"model": service.model, "max_tokens": 1000, "system": system, "messages": messages, "tools": tools}
        answer = http.post("/v1/messages", json={**body, "stream": stream}, headers=headers)
        return blocks(answer) if stream else answer.json()["content"]

    messages: list[Json] = [{"role": "user", "content": FIRST}]
    content = ask(messages)
    calls = [block for block in content if block["type"] == "tool_use"]
    told = [[{"type": "text", "text": f"{28 + number} graus"}] for number in range(2)]
    results = [
        {"type": "tool_result", "tool_use_id": call["id"], "content": text}
        for call, text in zip(calls, told, strict=True)
    ]
    messages[0] = {"role": "user", "content": [{"type": "text", "text": FIRST}]}  # a mark for the cache makes it parts
    messages += [{"role": "assistant", "content": content}, {"role": "user", "content": results}]
    messages += [{"role": "assistant", "content": ask(messages)}, {"role": "user", "content": SECOND}]
    ask(messages)
    check(talking, service)


def blocks(answer: httpx.Response) -> list[Json]:
    """The content that a stream of the Messages API comes to."""
    found: list[Json] = []
    for line in answer.text.splitlines():
        event: Json = json.loads(line.removeprefix("data: ")) if line.startswith("data: {") else {"type": ""}
        if event["type"] == "content_block_start":
            found.append({**event["content_block"], "written": ""})
        elif event["type"] == "content_block_delta":
            delta = event["delta"]
            found[event["index"]]["written"] += delta.get("text") or delta.get("partial_json") or ""
    for block in found:
        written = block.pop("written")
        block.update({"input": json.loads(written or "{}")} if block["type"] == "tool_use" else {"text": written})
    return found


# Whose it is


def test_keys_do_not_share_a_conversation(
    http: httpx.Client, talking: Emulator, headers: dict[str, str], service: Served
) -> None:
    messages: list[Json] = [{"role": "user", "content": FIRST}]
    later = [*messages, {"role": "assistant", "content": TURNS[0]}, {"role": "user", "content": SECOND}]
    for key, asked in (("one", messages), ("another", later), ("one", later)):
        sent = {**headers, "authorization": f"Bearer {key}"}
        http.post("/v1/chat/completions", json={"model": service.model, "messages": asked}, headers=sent)
    begun, of_another, continued = map(service.conversation, talking.chats)
    assert begun == continued != of_another
    assert continued
    assert FIRST in service.prompt(talking.chats[1])
    assert service.prompt(talking.chats[2]) == SECOND


def test_without_a_correlation_id_there_is_no_conversation(
    http: httpx.Client, emulator: Emulator, service: Served
) -> None:
    emulator.script(*map(Reply, TURNS[1:]))
    messages: list[Json] = [{"role": "user", "content": FIRST}]
    later = [*messages, {"role": "assistant", "content": TURNS[1]}, {"role": "user", "content": SECOND}]
    for asked in (messages, later):
        answer = http.post("/v1/chat/completions", json={"model": service.model, "messages": asked})
        assert answer.headers["correlation-id"]
    first, second = emulator.chats
    assert FIRST in service.prompt(second)
    assert "use_conversation" not in second.json
    assert service.conversation(second) is None or service.conversation(second) != service.conversation(first)
