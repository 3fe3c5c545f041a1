"""Files in a body: what reaches LiteLLM of each dialect on each address."""

from __future__ import annotations

from typing import Any

import pytest

from custom_handler.errors import RequestError
from custom_handler.file_parts import rewritten
from custom_handler.routes import ROUTES

CHAT, RESPONSES, MESSAGES, COUNT = (
    ROUTES["POST", path].fields or frozenset()
    for path in ("/v1/chat/completions", "/v1/responses", "/v1/messages", "/v1/messages/count_tokens")
)
URL = "data:image/png;base64,iVBO"
TEXT = {"type": "text", "text": "look", "cache_control": {"type": "ephemeral"}}
IN_CHAT = {"type": "image_url", "image_url": {"url": URL}}
IN_RESPONSES = {"type": "input_image", "image_url": URL}
IN_MESSAGES = {"type": "image", "source": {"type": "url", "url": URL}}
BYTES = {"type": "base64", "media_type": "image/png", "data": "iVBO"}
#: One and the same image.
DIALECTS = [
    {"type": "image_url", "image_url": {"url": URL, "detail": "high"}},
    {"type": "image_url", "image_url": URL},
    {"type": "input_image", "image_url": URL, "detail": "auto"},
    {"type": "input_file", "file_data": URL},
    {"type": "image", "source": BYTES},
    {"type": "image", "data": "iVBO", "mimeType": "image/png"},
]


@pytest.mark.parametrize("part", DIALECTS)
@pytest.mark.parametrize(
    ("fields", "field", "carried"),
    [(CHAT, "messages", IN_CHAT), (RESPONSES, "input", IN_RESPONSES), (MESSAGES, "messages", IN_MESSAGES)],
)
def test_every_dialect_becomes_the_one_that_comes_through(
    fields: frozenset[str], field: str, carried: dict[str, Any], part: dict[str, Any]
) -> None:
    body = {field: [{"role": "user", "content": [TEXT, part, "x"]}]}
    assert rewritten(body, fields) == {field: [{"role": "user", "content": [TEXT, carried, "x"]}]}


def test_detail_reaches_no_address() -> None:
    """LiteLLM counts the tokens of an image with `high` by fetching it, from wherever the client says."""
    for fields in (CHAT, MESSAGES, COUNT):
        body = {"messages": [{"role": "user", "content": [DIALECTS[0]]}]}
        assert "high" not in str(rewritten(body, fields))


@pytest.mark.parametrize("fields", [MESSAGES, COUNT])
@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"system": [TEXT, DIALECTS[0]]}, "system[1].type"),
        ({"messages": [{"role": "user", "content": [{"type": "tool_use", "input": [DIALECTS[0]]}]}]}, "input"),
        ({"messages": [{"role": "user", "content": [{"type": "tool_use", "name": [DIALECTS[0]]}]}]}, "name"),
    ],
)
def test_an_image_stands_nowhere_where_litellm_would_find_it_first(
    fields: frozenset[str], body: dict[str, Any], param: str
) -> None:
    with pytest.raises(RequestError) as refusal:
        rewritten(body, fields)
    assert str(refusal.value.param).endswith(param)


@pytest.mark.parametrize(
    ("fields", "body", "param"),
    [
        (MESSAGES, {"messages": [{"role": "assistant", "content": [TEXT, DIALECTS[4]]}]}, "messages[0].content[1]"),
        (MESSAGES, {"messages": [{"role": "system", "content": [DIALECTS[3]]}]}, "messages[0].content[0]"),
        (RESPONSES, {"input": [{"role": "user", "content": "hi"}, DIALECTS[2]]}, "input[1].type"),
    ],
)
def test_a_file_is_refused_where_litellm_would_drop_it(
    fields: frozenset[str], body: dict[str, Any], param: str
) -> None:
    with pytest.raises(RequestError) as refusal:
        rewritten(body, fields)
    assert refusal.value.param == param


def test_a_file_of_a_chat_stays_as_it_is_so_that_errors_can_name_its_fields() -> None:
    body = {"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "f"}}]}]}
    assert rewritten(body, CHAT) == body


def test_names_travel_in_the_address() -> None:
    part = {"type": "input_file", "file_data": "data:application/pdf;base64,JVBERi0=", "filename": "a b;.pdf"}
    (item,) = rewritten({"input": [{"role": "user", "content": [part]}]}, RESPONSES)["input"]
    assert item["content"] == [
        {"type": "input_image", "image_url": "data:application/pdf;name=a%20b%3B.pdf;base64,JVBERi0="}
    ]


def test_an_address_is_fetched_as_the_client_wrote_it_whatever_the_file_is_called() -> None:
    url = "https://a.example/r.pdf?x=1,2"
    named = {"type": "document", "title": "My report", "source": {"type": "url", "url": url}}
    (message,) = rewritten({"messages": [{"role": "user", "content": [named]}]}, MESSAGES)["messages"]
    assert message["content"] == [{"type": "image", "source": {"type": "url", "url": url}}]


@pytest.mark.parametrize(
    ("fields", "body", "expected"),
    [
        (
            RESPONSES,
            {"input": [{"type": "function_call_output", "call_id": "c", "output": [DIALECTS[3]]}]},
            {"input": [{"type": "function_call_output", "call_id": "c", "output": [IN_RESPONSES]}]},
        ),
        (
            MESSAGES,
            {"messages": [{"role": "user", "content": [{"type": "tool_result", "content": [DIALECTS[5], TEXT]}]}]},
            {"messages": [{"role": "user", "content": [{"type": "tool_result", "content": [IN_MESSAGES, TEXT]}]}]},
        ),
        (
            CHAT,
            {"messages": [{"role": "tool", "tool_call_id": "c", "content": [DIALECTS[5]]}]},
            {"messages": [{"role": "tool", "tool_call_id": "c", "content": [IN_CHAT]}]},
        ),
    ],
)
def test_files_in_results_of_tools_come_through(
    fields: frozenset[str], body: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert rewritten(body, fields) == expected


def test_a_document_of_text_is_its_text() -> None:
    document = {"type": "document", "title": "Notes", "source": {"type": "text", "data": "hello"}}
    (message,) = rewritten({"messages": [{"role": "user", "content": [document]}]}, MESSAGES)["messages"]
    assert message["content"] == [{"type": "text", "text": "Notes"}, {"type": "text", "text": "hello"}]


@pytest.mark.parametrize("fields", [CHAT, RESPONSES, MESSAGES])
def test_what_litellm_would_drop_is_refused_by_its_path(fields: frozenset[str]) -> None:
    field = "input" if "input" in fields else "messages"
    body = {field: [{"role": "user", "content": [TEXT, {"type": "input_audio"}]}]}
    with pytest.raises(RequestError) as refusal:
        rewritten(body, fields)
    assert refusal.value.param == f"{field}[0].content[1].type"


@pytest.mark.parametrize(
    ("fields", "body"),
    [
        (RESPONSES, {"input": "hi"}),
        (RESPONSES, {"input": ["hi", 5, [1], {"type": "reasoning", "summary": []}]}),
        (RESPONSES, {"input": [{"role": "user", "content": [{"type": "unheard_of"}, {"type": 5}, 7]}]}),
        (MESSAGES, {"messages": [{"role": "user", "content": [{"type": "tool_result", "content": "x"}]}]}),
        (CHAT, {"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": None}]}),
    ],
)
def test_everything_else_stays_as_it_is(fields: frozenset[str], body: dict[str, Any]) -> None:
    assert {**body, **rewritten(body, fields)} == body


def test_a_body_without_a_conversation_has_nothing_to_rewrite() -> None:
    assert rewritten({"prompt": "hi"}, ROUTES["POST", "/v1/completions"].fields or ()) == {}
