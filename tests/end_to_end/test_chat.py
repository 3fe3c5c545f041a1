"""Chat completions with OpenAI's SDK: text, tools, usage, ids, models."""

from __future__ import annotations

import json
from typing import Any

import httpx
import openai
import pydantic
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from custom_handler.markers import render_call
from emulator import Emulator, Reply
from tests.conftest import AGENT

HI: Any = [{"role": "user", "content": "Hi"}]
TOOLS: Any = [
    {"type": "function", "function": {"name": "run", "parameters": {"type": "object"}}},
    {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}},
]
TWO_CALLS = (
    "Vou ver.\n" + render_call("get_weather", '{"city": "Brasília"}') + "\n" + render_call("run", '{"code": "a\\nb"}')
)


def ask(client: openai.OpenAI, **given: Any) -> ChatCompletion:
    answer: ChatCompletion = client.chat.completions.create(**{"model": "stackspot-chat", "messages": HI, **given})
    return answer


def stream(client: openai.OpenAI, **given: Any) -> list[ChatCompletionChunk]:
    chunks: Any = client.chat.completions.create(**{"model": "stackspot-chat", "messages": HI, "stream": True, **given})
    return list(chunks)


def calls_of(answer: ChatCompletion) -> list[tuple[str, str, str]]:
    calls: Any = answer.choices[0].message.tool_calls or []
    return [(call.id, call.function.name, call.function.arguments) for call in calls]


def test_a_whole_answer(client: openai.OpenAI, emulator: Emulator) -> None:
    emulator.script(Reply("Olá, Brasil! 😀", tokens=(749, 5)))
    answer = ask(client)
    assert answer.object == "chat.completion"
    assert answer.model == "stackspot-chat"
    assert answer.choices[0].message.content == "Olá, Brasil! 😀"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (749, 5, 754)


def test_a_streamed_answer(client: openai.OpenAI, emulator: Emulator) -> None:
    emulator.script(Reply("Olá, Brasil! 😀", chunk=3, tokens=(749, 5)))
    chunks = stream(client, stream_options={"include_usage": True})
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "Olá, Brasil! 😀"
    assert len({(chunk.id, chunk.created) for chunk in chunks}) == 1
    assert [c.choices[0].delta.role for c in chunks if c.choices and c.choices[0].delta.role] == ["assistant"]
    assert [c.choices[0].finish_reason for c in chunks if c.choices and c.choices[0].finish_reason] == ["stop"]
    *others, last = chunks
    assert last.choices == []
    assert last.usage is not None
    assert (last.usage.prompt_tokens, last.usage.completion_tokens) == (749, 5)
    assert not any(chunk.usage for chunk in others)


def test_usage_is_streamed_only_where_asked_for(client: openai.OpenAI, emulator: Emulator) -> None:
    emulator.script(Reply("Olá"))
    chunks = stream(client)
    assert not any(chunk.usage for chunk in chunks)
    assert all(chunk.choices for chunk in chunks)


def test_text_comes_as_it_is_written(client: openai.OpenAI, emulator: Emulator) -> None:
    emulator.script(Reply("Hello, world", hold_after=5))
    chunks = iter(client.chat.completions.create(model="stackspot-chat", messages=HI, stream=True))
    seen = ""
    while seen != "Hello":
        seen += next(chunks).choices[0].delta.content or ""
    emulator.release()
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == ", world"


def test_tool_calls_whole_and_streamed_are_the_same(client: openai.OpenAI, emulator: Emulator) -> None:
    emulator.script(Reply(TWO_CALLS), Reply(TWO_CALLS, chunk=2))
    given: Any = {"tools": TOOLS, "extra_headers": {"correlation-id": "same"}}
    answer = ask(client, **given)
    assert answer.choices[0].finish_reason == "tool_calls"
    assert answer.choices[0].message.content == "Vou ver.\n"
    assert [(name, json.loads(arguments)) for _, name, arguments in calls_of(answer)] == [
        ("get_weather", {"city": "Brasília"}),
        ("run", {"code": "a\nb"}),
    ]
    deltas = [chunk.choices[0].delta for chunk in stream(client, **given)]
    streamed = [call for delta in deltas for call in delta.tool_calls or []]
    assert [call.index for call in streamed] == [0, 1]
    assert [(c.id, c.function.name, c.function.arguments) for c in streamed if c.function] == calls_of(answer)
    assert "".join(delta.content or "" for delta in deltas) == "Vou ver.\n"


LONG = {"path": "a.py", "code": 'print("olá 😀")\n\t\\d' * 200}


def test_long_arguments_are_streamed_as_they_are_written(client: openai.OpenAI, emulator: Emulator) -> None:
    text = render_call("run", json.dumps(LONG, ensure_ascii=False))
    emulator.script(Reply(text, chunk=50, hold_after=2500), Reply(text))
    chunks = iter(client.chat.completions.create(model="stackspot-chat", messages=HI, tools=TOOLS, stream=True))
    begun = [next(chunks) for _ in range(2)]
    emulator.release()
    deltas = [chunk.choices[0].delta for chunk in (*begun, *chunks)]
    calls = [call for delta in deltas for call in delta.tool_calls or []]
    assert [(call.id is not None, call.function.name if call.function else None) for call in calls[:1]] == [
        (True, "run")
    ]
    assert not any(call.id or (call.function and call.function.name) for call in calls[1:])
    assert {call.index for call in calls} == {0}
    arguments = "".join(call.function.arguments or "" for call in calls if call.function)
    assert json.loads(arguments) == LONG
    assert len(calls) > 2
    ((_, name, whole),) = calls_of(ask(client, tools=TOOLS))
    assert (name, whole) == ("run", arguments)


def test_a_client_hears_something_while_a_call_is_held_back(http: httpx.Client, emulator: Emulator) -> None:
    emulator.script(Reply(render_call("run", '{"a": 1}'), hold_after=30))
    body = {"model": "stackspot-chat", "messages": HI, "tools": TOOLS, "stream": True}
    with http.stream("POST", "/v1/chat/completions", json=body) as answer:
        lines = answer.iter_lines()
        assert next(line for line in lines if line).startswith(":")
        emulator.release()
        assert any('"name":"run"' in line for line in lines)


def test_a_stop_word_ends_the_answer_in_a_stream_too(client: openai.OpenAI, emulator: Emulator) -> None:
    emulator.script(Reply("one two three", chunk=1), Reply("one two three"))
    given: Any = {"stop": ["three"], "stream_options": {"include_usage": True}}
    chunks = stream(client, **given)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "one two "
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens > 0
    assert ask(client, stop=["three"]).choices[0].message.content == "one two "


def test_a_value_is_streamed_as_it_is_written(client: openai.OpenAI, emulator: Emulator) -> None:
    emulator.script(Reply('Sure:\n```json\n{"a": "one two"}\n```', hold_after=24))
    chunks = iter(
        client.chat.completions.create(
            model="stackspot-chat", messages=HI, stream=True, response_format={"type": "json_object"}
        )
    )
    seen = ""
    while not seen.endswith("one"):
        seen += next(chunks).choices[0].delta.content or ""
    emulator.release()
    assert seen + "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == '{"a": "one two"}'


def test_a_parsed_answer_of_openais_sdk_fits_its_model(client: openai.OpenAI, emulator: Emulator) -> None:
    class Person(pydantic.BaseModel):
        name: str
        age: int

    emulator.script(Reply('{"name": "Ana", "age": "seven"}'), Reply('{"name": "Ana", "age": "7"}'))
    answer = client.chat.completions.parse(model="stackspot-chat", messages=HI, response_format=Person)
    assert answer.choices[0].message.parsed == Person(name="Ana", age=7)
    assert len(emulator.chats) == 2


def test_a_prompt_that_is_too_long_is_made_shorter(client: openai.OpenAI, emulator: Emulator) -> None:
    emulator.script(Reply(fault="too_long"), Reply("ok"))
    turns: Any = [{"role": "user" if n % 2 == 0 else "assistant", "content": f"{n} " + "x" * 200} for n in range(21)]
    assert ask(client, messages=turns).choices[0].message.content == "ok"
    first, second = (chat.json["user_prompt"] for chat in emulator.chats)
    assert len(second) < len(first)
    assert turns[-1]["content"] in second


def test_drift_is_repaired_and_broken_calls_are_followed_up(client: openai.OpenAI, emulator: Emulator) -> None:
    tool: Any = {"name": "add", "parameters": {"type": "object", "properties": {"n": {"type": "integer"}}}}
    tools: Any = [{"type": "function", "function": tool}]
    drifted = "FUNCTION_CALL_START\nadd\narguments: {'n': '5',}\nFUNCTION_CALL_END"
    emulator.script(Reply(drifted), Reply(render_call("add", '{"n": "five"}')), Reply(render_call("add", '{"n": 5}')))
    assert [call[1:] for call in calls_of(ask(client, tools=tools))] == [("add", '{"n": 5}')]
    assert len(emulator.chats) == 1
    assert [call[1:] for call in calls_of(ask(client, tools=tools))] == [("add", '{"n": 5}')]
    assert len(emulator.chats) == 3
    assert "five" in emulator.chats[2].json["user_prompt"]


def test_reasoning_is_kept_apart(client: openai.OpenAI, emulator: Emulator) -> None:
    emulator.script(Reply("<think>Let me see.</think>Hi", chunk=3), Reply("<think>Let me see.</think>Hi"))
    deltas: Any = [chunk.choices[0].delta for chunk in stream(client)]
    assert "".join(getattr(delta, "reasoning_content", None) or "" for delta in deltas) == "Let me see."
    assert "".join(delta.content or "" for delta in deltas) == "Hi"
    message: Any = ask(client).choices[0].message
    assert (message.reasoning_content, message.content) == ("Let me see.", "Hi")


def test_a_call_that_must_come_and_does_not_is_an_error(client: openai.OpenAI, emulator: Emulator) -> None:
    emulator.script(Reply("No."), Reply("No!"))
    with pytest.raises(openai.APIStatusError, match="tool_choice") as error:
        ask(client, tools=TOOLS, tool_choice="required")
    assert error.value.status_code == 502


def test_a_whole_tool_loop_with_the_emulators_agent(client: openai.OpenAI, emulator: Emulator) -> None:
    tools: Any = [
        {
            "type": "function",
            "function": {
                "name": "get_weather",
                "description": "The weather of a city",
                "parameters": {
                    "type": "object",
                    "properties": {"city": {"type": "string"}},
                    "required": ["city"],
                },
            },
        }
    ]
    messages: Any = [{"role": "user", "content": "What is the weather in Recife?"}]
    first = ask(client, messages=messages, tools=tools)
    ((call_id, name, arguments),) = calls_of(first)
    assert (name, json.loads(arguments)) == ("get_weather", {"city": "Recife"})
    messages += [
        first.choices[0].message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": call_id, "content": "31 degrees and sunny"},
    ]
    second = ask(client, messages=messages, tools=tools)
    assert second.choices[0].finish_reason == "stop"
    assert "31 degrees and sunny" in (second.choices[0].message.content or "")
    assert len(emulator.chats) == 2


def test_everything_of_the_request_is_in_the_prompt(client: openai.OpenAI, emulator: Emulator) -> None:
    messages: Any = [
        {"role": "developer", "content": "system-text"},
        {"role": "user", "content": [{"type": "text", "text": "part-one"}, {"type": "text", "text": "part-two"}]},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "run", "arguments": '{"a": "é"}'}}],
        },
        {"role": "tool", "tool_call_id": "c", "content": "tool-result"},
        {"role": "user", "content": "last-turn"},
    ]
    ask(client, messages=messages)
    prompt = emulator.chats[0].json["user_prompt"]
    positions = [
        prompt.index(text) for text in ("system-text", "part-one", "part-two", '{"a": "é"}', "tool-result", "last-turn")
    ]
    assert positions == sorted(positions)


@pytest.mark.parametrize(
    ("model", "agent"),
    [
        ("stackspot-chat", AGENT),
        ("stackspot/01BX5ZZKBKACTAV9WEVGEMMVRZ", "01BX5ZZKBKACTAV9WEVGEMMVRZ"),
        ("reviewer", "01BX5ZZKBKACTAV9WEVGEMMVRZ"),
        ("short", AGENT),
    ],
)
def test_every_way_to_name_a_model(client: openai.OpenAI, emulator: Emulator, model: str, agent: str) -> None:
    assert ask(client, model=model).model == model
    assert emulator.chats[0].path == f"/v1/agent/{agent}/chat"


def test_a_model_has_its_own_account_and_price(http: httpx.Client, emulator: Emulator) -> None:
    emulator.script(Reply("x", tokens=(3, 0)))
    answer = http.post("/v1/chat/completions", json={"model": "reviewer", "messages": HI})
    assert emulator.chats[0].realm == "payments"
    assert emulator.chats[0].client_id == "payments-client"
    assert float(answer.headers["x-litellm-response-cost"]) == pytest.approx(0.003)


def test_the_models_are_listed(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["stackspot-chat", "reviewer", "short", "librarian"]


def test_a_request_cannot_change_what_the_configuration_says(http: httpx.Client, emulator: Emulator) -> None:
    body = {"model": "stackspot-chat", "messages": HI, "agent_id": "01BX5ZZKBKACTAV9WEVGEMMVRZ", "account": "payments"}
    assert http.post("/v1/chat/completions", json=body).status_code == 200
    assert emulator.chats[0].path == f"/v1/agent/{AGENT}/chat"


def test_two_hundred_words_a_chunk_each_arrive_in_order(client: openai.OpenAI, emulator: Emulator) -> None:
    text = " ".join(map(str, range(200)))
    emulator.script(Reply(text, chunk=4))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream(client)) == text
