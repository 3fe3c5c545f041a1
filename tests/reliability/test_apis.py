"""How the clients of `make faults` read answers, in each API."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.reliability.answer import Told
from tests.reliability.apis import APIS, CHAT, MESSAGES, RESPONSES, Api
from tests.reliability.apis.api import Json, Question, Tool

TOOL = Tool("save", "Save a file.", {"type": "object"})


def chat_events(*deltas: Json, finish: str | None = "stop") -> list[Json]:
    choices: list[Json] = [{"delta": delta, "finish_reason": None} for delta in deltas]
    return [{"choices": [choice]} for choice in [*choices, {"delta": {}, "finish_reason": finish}]]


def call_delta(**function: str) -> Json:
    return {"tool_calls": [{"index": 0, "function": function}]}


def deltas(*texts: str) -> list[Json]:
    return [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}} for text in texts
    ]


def pieces(*texts: str) -> list[Json]:
    return [{"type": "response.output_text.delta", "delta": text} for text in texts]


def output(text: str) -> list[Json]:
    return [{"type": "message", "content": [{"type": "output_text", "text": text}]}]


FAILED = {"status": "failed", "output": [], "error": {"code": "cut", "message": "It broke."}}
TOOL_USE = {"type": "tool_use", "name": "save", "input": {"a": 1}}
CALL_ITEM = {"type": "function_call", "id": "f", "name": "save", "arguments": '{"a": 1}'}
ERROR = {"type": "error", "error": {"type": "api_error", "message": "It broke."}}

STREAMS: list[tuple[Api, list[Json], Told]] = [
    (CHAT, chat_events({"content": "one "}, {"content": "two"}), Told("one two", complete=True)),
    (CHAT, chat_events({"content": "one"}, finish=None), Told("one")),
    (CHAT, [*chat_events({"content": "one"}, finish=None), {"error": FAILED["error"]}], Told("one", error="cut")),
    (CHAT, [{"error": "broken"}], Told(error="formless")),
    (
        CHAT,
        chat_events(call_delta(name="save", arguments='{"a"'), call_delta(arguments=": 1}")),
        Told(calls=(("save", '{"a": 1}'),), complete=True),
    ),
    (
        RESPONSES,
        [
            *pieces("one ", "two"),
            {"type": "response.completed", "response": {"status": "completed", "output": output("one two")}},
        ],
        Told("one two", complete=True),
    ),
    (
        RESPONSES,
        [
            *pieces("one ", "one "),
            {"type": "response.completed", "response": {"status": "completed", "output": output("one ")}},
        ],
        Told(error="formless"),
    ),
    (RESPONSES, [*pieces("one"), {"type": "response.failed", "response": FAILED}], Told("one", error="cut")),
    (RESPONSES, [{"type": "error", "code": "cut", "message": "It broke."}], Told(error="cut")),
    (
        RESPONSES,
        [
            {"type": "response.output_item.added", "item": {"type": "function_call", "id": "f", "name": "save"}},
            {"type": "response.function_call_arguments.delta", "item_id": "f", "delta": '{"a": 1}'},
            {"type": "response.completed", "response": {"status": "completed", "output": [CALL_ITEM]}},
        ],
        Told(calls=(("save", '{"a": 1}'),), complete=True),
    ),
    (MESSAGES, [*deltas("one ", "two"), {"type": "message_stop"}], Told("one two", complete=True)),
    (
        MESSAGES,
        [*deltas("one"), {"type": "message_delta", "delta": {"stop_reason": "end_turn"}}],
        Told("one", complete=True),
    ),
    (MESSAGES, [*deltas("one"), ERROR], Told("one", error="api_error")),
    (
        MESSAGES,
        [
            {"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "name": "save"}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": "{}"}},
            {"type": "message_stop"},
        ],
        Told(calls=(("save", "{}"),), complete=True),
    ),
]
WHOLE: list[tuple[Api, Json, Told]] = [
    (CHAT, {"choices": [{"message": {"content": "one"}, "finish_reason": "stop"}]}, Told("one", complete=True)),
    (
        CHAT,
        {
            "choices": [
                {
                    "message": {"content": None, "tool_calls": [{"function": {"name": "save", "arguments": "{}"}}]},
                    "finish_reason": "tool_calls",
                }
            ]
        },
        Told(calls=(("save", "{}"),), complete=True),
    ),
    (RESPONSES, {"status": "completed", "output": output("one"), "error": None}, Told("one", complete=True)),
    (
        RESPONSES,
        {"status": "completed", "output": [CALL_ITEM]},
        Told(calls=(("save", '{"a": 1}'),), complete=True),
    ),
    (
        MESSAGES,
        {"content": [{"type": "text", "text": "one"}, TOOL_USE], "stop_reason": "tool_use"},
        Told("one", (("save", '{"a": 1}'),), complete=True),
    ),
]


def sse(events: list[Json]) -> str:
    return "".join(f"data: {json.dumps(event, ensure_ascii=False)}\n\n" for event in events)


@pytest.mark.parametrize(("api", "events", "told"), STREAMS)
def test_a_stream_means_what_its_events_say(api: Api, events: list[Json], told: Told) -> None:
    assert api.read(200, f": ping\n\n{sse(events)}data: [DONE]\n\n") == told


@pytest.mark.parametrize(("api", "body", "told"), WHOLE)
def test_a_whole_answer_means_what_it_says(api: Api, body: Json, told: Told) -> None:
    assert api.read(200, json.dumps(body)) == told


def test_an_event_that_is_torn_counts_for_nothing() -> None:
    assert CHAT.read(200, sse(chat_events({"content": "one"}))[:-60]) == Told("one")


def test_a_line_separator_is_part_of_the_text() -> None:
    assert CHAT.read(200, sse(chat_events({"content": "a\u2028b"}))) == Told("a\u2028b", complete=True)


@pytest.mark.parametrize("api", APIS, ids=lambda api: api.name)
@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"error": {"message": "No.", "code": "no", "type": "x"}}, "no"),
        ({"type": "error", "error": {"message": "No.", "type": "api_error"}}, "api_error"),
        ({"error": {"message": "", "code": "no"}}, "formless"),
        ({"error": "no"}, "formless"),
        ({"detail": "no"}, "formless"),
    ],
)
def test_an_error_needs_its_form(api: Api, body: Json, code: str) -> None:
    assert api.read(503, json.dumps(body)) == Told(error=code)
    assert api.read(503, "Internal Server Error") == Told(error="formless")


@pytest.mark.parametrize("api", APIS, ids=lambda api: api.name)
def test_a_question_is_asked_with_its_tools_and_its_image(api: Api) -> None:
    body: Any = api.body("m", Question("Hi", (TOOL,), image="aGk="), stream=True)
    assert (body["model"], body["stream"]) == ("m", True)
    assert "Hi" in json.dumps(body)
    assert "aGk=" in json.dumps(body)
    assert [tool.get("name") or tool["function"]["name"] for tool in body["tools"]] == ["save"]
    assert "image" not in json.dumps(api.body("m", "Hi", stream=False))
