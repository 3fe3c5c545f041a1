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
from tests.support.services import FUSION, STACKSPOT, Served

HI: Any = [{"role": "user", "content": "Hi"}]
TOOLS: Any = [
    {"type": "function", "function": {"name": "run", "parameters": {"type": "object"}}},
    {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}},
]
TWO_CALLS = (
    "Vou ver.\n" + render_call("get_weather", '{"city": "Brasília"}') + "\n" + render_call("run", '{"code": "a\\nb"}')
)


def ask(client: openai.OpenAI, service: Served, **given: Any) -> ChatCompletion:
    answer: ChatCompletion = client.chat.completions.create(**{"model": service.model, "messages": HI, **given})
    return answer


def stream(client: openai.OpenAI, service: Served, **given: Any) -> list[ChatCompletionChunk]:
    chunks: Any = client.chat.completions.create(**{"model": service.model, "messages": HI, "stream": True, **given})
    return list(chunks)


def calls_of(answer: ChatCompletion) -> list[tuple[str, str, str]]:
    calls: Any = answer.choices[0].message.tool_calls or []
    return [(call.id, call.function.name, call.function.arguments) for call in calls]


def test_a_whole_answer(client: openai.OpenAI, emulator: Emulator, service: Served) -> None:
    emulator.script(Reply("Olá, Brasil! 😀"))
    answer = ask(client, service)
    assert answer.object == "chat.completion"
    assert answer.model == service.model
    assert answer.choices[0].message.content == "Olá, Brasil! 😀"
    assert answer.choices[0].finish_reason == "stop"


def test_usage_is_what_the_service_counts(client: openai.OpenAI, emulator: Emulator, service: Served) -> None:
    emulator.script(Reply("Olá, Brasil! 😀", tokens=(749, 5)))
    answer = ask(client, service)
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (749, 5, 754)


def test_a_streamed_answer(client: openai.OpenAI, emulator: Emulator, service: Served) -> None:
    emulator.script(Reply("Olá, Brasil! 😀", chunk=3))
    chunks = stream(client, service, stream_options={"include_usage": True})
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "Olá, Brasil! 😀"
    assert len({(chunk.id, chunk.created) for chunk in chunks}) == 1
    assert [c.choices[0].delta.role for c in chunks if c.choices and c.choices[0].delta.role] == ["assistant"]
    assert [c.choices[0].finish_reason for c in chunks if c.choices and c.choices[0].finish_reason] == ["stop"]
    *others, last = chunks
    assert last.choices == []
    assert last.usage is not None
    assert last.usage.prompt_tokens > 0
    assert last.usage.completion_tokens > 0
    assert not any(chunk.usage for chunk in others)


def test_streamed_usage_is_what_the_service_counts(client: openai.OpenAI, emulator: Emulator, service: Served) -> None:
    emulator.script(Reply("Olá, Brasil! 😀", chunk=3, tokens=(749, 5)))
    *_, last = stream(client, service, stream_options={"include_usage": True})
    assert last.usage is not None
    assert (last.usage.prompt_tokens, last.usage.completion_tokens) == (749, 5)


def test_usage_is_streamed_only_where_asked_for(client: openai.OpenAI, emulator: Emulator, service: Served) -> None:
    emulator.script(Reply("Olá"))
    chunks = stream(client, service)
    assert not any(chunk.usage for chunk in chunks)
    assert all(chunk.choices for chunk in chunks)


def test_text_comes_as_it_is_written(client: openai.OpenAI, emulator: Emulator, service: Served) -> None:
    emulator.script(Reply("Hello, world", hold_after=5))
    chunks = iter(client.chat.completions.create(model=service.model, messages=HI, stream=True))
    seen = ""
    while seen != "Hello":
        seen += next(chunks).choices[0].delta.content or ""
    emulator.release()
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == ", world"


def test_tool_calls_whole_and_streamed_are_the_same(client: openai.OpenAI, emulator: Emulator, service: Served) -> None:
    emulator.script(Reply(TWO_CALLS), Reply(TWO_CALLS, chunk=2))
    given: Any = {"tools": TOOLS, "extra_headers": {"correlation-id": "same"}}
    answer = ask(client, service, **given)
    assert answer.choices[0].finish_reason == "tool_calls"
    assert answer.choices[0].message.content == "Vou ver.\n"
    assert [(name, json.loads(arguments)) for _, name, arguments in calls_of(answer)] == [
        ("get_weather", {"city": "Brasília"}),
        ("run", {"code": "a\nb"}),
    ]
    deltas = [chunk.choices[0].delta for chunk in stream(client, service, **given)]
    streamed = [call for delta in deltas for call in delta.tool_calls or []]
    assert [call.index for call in streamed] == [0, 1]
    assert [(c.id, c.function.name, c.function.arguments) for c in streamed if c.function] == calls_of(answer)
    assert "".join(delta.content or "" for delta in deltas) == "Vou ver.\n"


LONG = {"path": "a.py", "code": 'print("olá 😀")\n\t\\d' * 200}


def test_long_arguments_are_streamed_as_they_are_written(
    client: openai.OpenAI, emulator: Emulator, service: Served
) -> None:
    text = render_call("run", json.dumps(LONG, ensure_ascii=False))
    emulator.script(Reply(text, chunk=50, hold_after=2500), Reply(text))
    chunks = iter(client.chat.completions.create(model=service.model, messages=HI, tools=TOOLS, stream=True))
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
    ((_, name, whole),) = calls_of(ask(client, service, tools=TOOLS))
    assert (name, whole) == ("run", arguments)


def test_a_client_hears_something_while_a_call_is_held_back(
    http: httpx.Client, emulator: Emulator, service: Served
) -> None:
    emulator.script(Reply(render_call("run", '{"a": 1}'), hold_after=30))
    body = {"model": service.model, "messages": HI, "tools": TOOLS, "stream": True}
    with http.stream("POST", "/v1/chat/completions", json=body) as answer:
        lines = answer.iter_lines()
        assert next(line for line in lines if line).startswith(":")
        emulator.release()
        assert any('"name":"run"' in line for line in lines)


def test_a_stop_word_ends_the_answer_in_a_stream_too(
    client: openai.OpenAI, emulator: Emulator, service: Served
) -> None:
    emulator.script(Reply("one two three", chunk=1), Reply("one two three"))
    given: Any = {"stop": ["three"], "stream_options": {"include_usage": True}}
    chunks = stream(client, service, **given)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "one two "
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens > 0
    assert ask(client, service, stop=["three"]).choices[0].message.content == "one two "


def test_a_value_is_streamed_as_it_is_written(client: openai.OpenAI, emulator: Emulator, service: Served) -> None:
    emulator.script(Reply('Sure:\n```json\n{"a": "one two"}\n```', hold_after=24))
    chunks = iter(
        client.chat.completions.create(
            model=service.model, messages=HI, stream=True, response_format={"type": "json_object"}
        )
    )
    seen = ""
    while not seen.endswith("one"):
        seen += next(chunks).choices[0].delta.content or ""
    emulator.release()
    assert seen + "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == '{"a": "one two"}'


def test_a_parsed_answer_of_openais_sdk_fits_its_model(
    client: openai.OpenAI, emulator: Emulator, service: Served
) -> None:
    class Person(pydantic.BaseModel):
        name: str
        age: int

    emulator.script(Reply('{"name": "Ana", "age": "seven"}'), Reply('{"name": "Ana", "age": "7"}'))
    answer = client.chat.completions.parse(model=service.model, messages=HI, response_format=Person)
    assert answer.choices[0].message.parsed == Person(name="Ana", age=7)
    assert len(emulator.chats) == 2


def test_a_prompt_that_is_too_long_is_made_shorter(client: openai.OpenAI, emulator: Emulator, service: Served) -> None:
    emulator.script(Reply(fault="too_long"), Reply("ok"))
    turns: Any = [{"role": "user" if n % 2 == 0 else "assistant", "content": f"{n} " + "x" * 200} for n in range(21)]
    assert ask(client, service, messages=turns).choices[0].message.content == "ok"
    first, second = (service.prompt(chat) for chat in emulator.chats)
    assert len(second) < len(first)
    assert turns[-1]["content"] in second


def test_drift_is_repaired_and_broken_calls_are_followed_up(
    client: openai.OpenAI, emulator: Emulator, service: Served
) -> None:
    tool: Any = {"name": "add", "parameters": {"type": "object", "properties": {"n": {"type": "integer"}}}}
    tools: Any = [{"type": "function", "function": tool}]
    drifted = "FUNCTION_CALL_START\nadd\narguments: {'n': '5',}\nFUNCTION_CALL_END"
    emulator.script(Reply(drifted), Reply(render_call("add", '{"n": "five"}')), Reply(render_call("add", '{"n": 5}')))
    assert [call[1:] for call in calls_of(ask(client, service, tools=tools))] == [("add", '{"n": 5}')]
    assert len(emulator.chats) == 1
    assert [call[1:] for call in calls_of(ask(client, service, tools=tools))] == [("add", '{"n": 5}')]
    assert len(emulator.chats) == 3
    assert "five" in service.prompt(emulator.chats[2])


def test_reasoning_is_kept_apart(client: openai.OpenAI, emulator: Emulator, service: Served) -> None:
    emulator.script(Reply("<think>Let me see.</think>Hi", chunk=3), Reply("<think>Let me see.</think>Hi"))
    deltas: Any = [chunk.choices[0].delta for chunk in stream(client, service)]
    assert "".join(getattr(delta, "reasoning_content", None) or "" for delta in deltas) == "Let me see."
    assert "".join(delta.content or "" for delta in deltas) == "Hi"
    message: Any = ask(client, service).choices[0].message
    assert (message.reasoning_content, message.content) == ("Let me see.", "Hi")


def test_a_call_that_must_come_and_does_not_is_an_error(
    client: openai.OpenAI, emulator: Emulator, service: Served
) -> None:
    emulator.script(Reply("No."), Reply("No!"))
    with pytest.raises(openai.APIStatusError, match="tool_choice") as error:
        ask(client, service, tools=TOOLS, tool_choice="required")
    assert error.value.status_code == 502


def test_a_whole_tool_loop_with_the_emulators_agent(client: openai.OpenAI, emulator: Emulator, service: Served) -> None:
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
    first = ask(client, service, messages=messages, tools=tools)
    ((call_id, name, arguments),) = calls_of(first)
    assert (name, json.loads(arguments)) == ("get_weather", {"city": "Recife"})
    messages += [
        first.choices[0].message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": call_id, "content": "31 degrees and sunny"},
    ]
    second = ask(client, service, messages=messages, tools=tools)
    assert second.choices[0].finish_reason == "stop"
    assert "31 degrees and sunny" in (second.choices[0].message.content or "")
    assert len(emulator.chats) == 2


def test_everything_of_the_request_is_in_the_prompt(client: openai.OpenAI, emulator: Emulator, service: Served) -> None:
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
    ask(client, service, messages=messages)
    prompt = service.prompt(emulator.chats[0])
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
        ("fusion-chat", FUSION.agent),
        (FUSION.named(FUSION.other_agent), FUSION.other_agent),
        ("archivist", FUSION.other_agent),
    ],
)
def test_every_way_to_name_a_model(client: openai.OpenAI, emulator: Emulator, model: str, agent: str) -> None:
    assert ask(client, STACKSPOT, model=model).model == model
    (chat,) = emulator.chats
    assert (FUSION if chat.fusion else STACKSPOT).asked(chat) == agent


def test_a_model_of_fusion_has_its_own_account_and_folder(http: httpx.Client, emulator: Emulator) -> None:
    assert http.post("/v1/chat/completions", json={"model": "archivist", "messages": HI}).status_code == 200
    (chat,) = emulator.chats
    assert chat.headers["authorization"] == "Bearer archive-fusion-key"
    assert chat.json["folder"] == "proxy"


def test_a_model_has_its_own_account_and_price(http: httpx.Client, emulator: Emulator) -> None:
    emulator.script(Reply("x", tokens=(3, 0)))
    answer = http.post("/v1/chat/completions", json={"model": "reviewer", "messages": HI})
    assert emulator.chats[0].realm == "payments"
    assert emulator.chats[0].client_id == "payments-client"
    assert float(answer.headers["x-litellm-response-cost"]) == pytest.approx(0.003)


def test_the_models_are_listed(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == [
        "stackspot-chat",
        "fusion-chat",
        "reviewer",
        "short",
        "librarian",
        "archivist",
    ]


def test_a_request_cannot_change_what_the_configuration_says(http: httpx.Client, emulator: Emulator) -> None:
    body = {"model": "stackspot-chat", "messages": HI, "agent_id": "01BX5ZZKBKACTAV9WEVGEMMVRZ", "account": "payments"}
    assert http.post("/v1/chat/completions", json=body).status_code == 200
    assert emulator.chats[0].path == f"/v1/agent/{AGENT}/chat"


def test_two_hundred_words_a_chunk_each_arrive_in_order(
    client: openai.OpenAI, emulator: Emulator, service: Served
) -> None:
    text = " ".join(map(str, range(200)))
    emulator.script(Reply(text, chunk=4))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream(client, service)) == text
