"""Whatever a client sends for a body: an error in OpenAI's form that names the field, never more."""

from __future__ import annotations

import json
from typing import Any, cast, get_type_hints

import httpx
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import completion_create_params as chat

from custom_handler.body import Policy, clean
from custom_handler.errors import RequestError
from custom_handler.gate import MAX_BODY
from custom_handler.key_list import Key
from custom_handler.routes import ROUTES
from custom_handler.shapes import BODY
from custom_handler.surrogates import mend
from tests.proxy import endpoints

USER = {"role": "user", "content": "hi"}
CHAT_FIELDS = ROUTES["POST", endpoints.CHAT].fields or frozenset()
MESSAGES_FIELDS = ROUTES["POST", endpoints.MESSAGES].fields or frozenset()
POLICY = Policy(("stackspot-chat", "stackspot/*"), frozenset({"api_base"}), Key("anybody", b""))


def passed_of(body: bytes) -> dict[str, Any] | None:
    """What of a chat request passes, or None when it is refused."""
    try:
        return cast("dict[str, Any]", orjson.loads(clean(body, CHAT_FIELDS, POLICY)))
    except RequestError:
        return None


DEEP = b"[" * 100_000 + b"]" * 100_000


UNREADABLE = {
    "empty": b"",
    "not JSON": b"{'model': 1}",
    "cut": b'{"model": "stackspot-chat", "messages": [{"role": "user", "content": "h',
    "10 MB of nonsense": b"\x00\xff" * 5_000_000,
    "10 MB of one word": b'"' + b"a" * 10_000_000 + b'"',
    "not UTF-8": b'{"model": "\xff"}',
    "a number that is none": b'{"model": "stackspot-chat", "temperature": NaN}',
    "a list": b"[]",
    "a string": b'"hi"',
    "a number": b"5",
    "null": b"null",
    "deep": b'{"model": "stackspot-chat", "messages": %b}' % DEEP,
    "a form": b"model=stackspot-chat",
}


@pytest.mark.parametrize("path", endpoints.ALL)
@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_a_body_that_cannot_be_read_is_a_400(client: httpx.Client, path: str, body: bytes) -> None:
    answer = client.post(path, content=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_request")
    assert answer.json()["error"]["message"].startswith("The body ")


@pytest.mark.parametrize("path", [endpoints.CHAT, endpoints.RESPONSES, endpoints.MESSAGES, endpoints.COUNT_TOKENS])
def test_what_is_nested_too_deep_is_a_400_and_the_deepest_below_passes(client: httpx.Client, path: str) -> None:
    def ask(levels: int) -> int:
        schema: dict[str, Any] = {}
        for _ in range(levels):
            schema = {"items": schema}
        tool = {"name": "f", "parameters": schema, "input_schema": schema}
        tools = [{"type": "function", "function": tool} if path == endpoints.CHAT else tool]
        return client.post(path, json=endpoints.request(path, tools=tools)).status_code

    assert (ask(240), ask(300), ask(900)) == (200, 400, 400)


@pytest.mark.parametrize("levels", [130, 300])
def test_results_of_tools_in_results_of_tools_are_counted_as_well(levels: int) -> None:
    part = {"type": "text", "text": "x"}
    for _ in range(levels):
        part = {"type": "tool_result", "content": [part]}  # type: ignore[dict-item]
    body = {"model": "stackspot-chat", "max_tokens": 9, "messages": [{"role": "user", "content": [part]}]}
    with pytest.raises(RequestError, match="nested deeper than 250 levels"):
        clean(json.dumps(body).encode(), MESSAGES_FIELDS, POLICY)


@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "a/b"]
)
def test_the_content_type_makes_no_difference(client: httpx.Client, content_type: str) -> None:
    """LiteLLM reads a form as fields of the request."""
    headers = {"content-type": content_type}
    body = orjson.dumps(endpoints.request(endpoints.CHAT))
    assert client.post(endpoints.CHAT, content=body, headers=headers).status_code == 200
    assert client.post(endpoints.CHAT, content=b"model=stackspot-chat", headers=headers).status_code == 400


def test_a_body_that_is_too_large_is_a_413_after_all_of_it_was_read(client: httpx.Client) -> None:
    answer = client.post(endpoints.CHAT, content=(b"a" * 1_000_000 for _ in range(MAX_BODY // 1_000_000 + 1)))
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "request_too_large")


@pytest.mark.parametrize("path", endpoints.ALL)
def test_a_long_prompt_passes(client: httpx.Client, path: str) -> None:
    fields = ROUTES["POST", path].fields or frozenset()
    field = next(name for name in ("input", "prompt", "messages") if name in fields)
    text: Any = "word " * 200_000
    long = {field: [{"role": "user", "content": text}] if field == "messages" else text}
    assert client.post(path, json=endpoints.request(path) | long, timeout=30).status_code == 200


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": None}, "model"),
        ({"model": ""}, "model"),
        ({"model": 5}, "model"),
        ({"model": ["stackspot-chat"]}, "model"),
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": "hi"}, "messages"),
        ({"messages": USER}, "messages"),
        ({"messages": [1, 2]}, "messages[0]"),
        ({"messages": [USER, "hi"]}, "messages[1]"),
        ({"messages": [{"role": 5}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": {}}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": ["hi", 5]}]}, "messages[0].content[1]"),
        ({"messages": [{"role": "user", "content": [{"type": 5}]}]}, "messages[0].content[0].type"),
        ({"messages": [{"role": "assistant", "tool_calls": 5}]}, "messages[0].tool_calls"),
        ({"messages": [{"role": "assistant", "tool_calls": [5]}]}, "messages[0].tool_calls[0]"),
        ({"messages": [{"role": "assistant", "tool_calls": [{"function": 5}]}]}, "messages[0].tool_calls[0].function"),
        ({"stream": "yes"}, "stream"),
        ({"stream": 1}, "stream"),
        ({"stream_options": True}, "stream_options"),
        ({"tools": {}}, "tools"),
        ({"tools": ["f"]}, "tools[0]"),
        ({"tools": [{"type": 5}]}, "tools[0].type"),
        ({"tool_choice": 5}, "tool_choice"),
        ({"max_tokens": "9"}, "max_tokens"),
        ({"temperature": True}, "temperature"),
        ({"user": {}}, "user"),
    ],
)
@pytest.mark.parametrize("path", [endpoints.CHAT, endpoints.MESSAGES])
def test_a_field_of_a_wrong_type_is_named(client: httpx.Client, path: str, fields: dict[str, Any], param: str) -> None:
    answer = client.post(path, json=endpoints.request(path) | fields)
    if param.partition("[")[0] not in (ROUTES["POST", path].fields or ()):
        assert answer.status_code == 200  # not a field of this endpoint
        return
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param
    assert answer.json()["error"]["message"].startswith(param)


@pytest.mark.parametrize("item", ["hi", 5, [1]])
def test_items_of_input_must_be_objects(client: httpx.Client, item: object) -> None:
    answer = client.post(endpoints.RESPONSES, json=endpoints.request(endpoints.RESPONSES) | {"input": [item]})
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "input[0]"


#: What LiteLLM falls over inside of, in the form of one API or another.
MALFORMED_INSIDE: list[tuple[str, list[Any]]] = [
    (endpoints.CHAT, [{}]),
    (endpoints.CHAT, [{"role": "user", "content": [{}]}]),
    (endpoints.CHAT, [{"role": "user", "content": [{"type": "tool_result"}]}]),
    (endpoints.MESSAGES, [{}]),
    (endpoints.MESSAGES, [{"role": "user", "content": ["hi"]}]),
    (endpoints.MESSAGES, [{"role": "user", "content": [{"type": "text"}]}]),
    (endpoints.MESSAGES, [USER, {"role": "system"}]),
    (endpoints.MESSAGES, [USER, {"role": "system", "content": [{"type": "text"}]}]),
    (endpoints.MESSAGES, [USER, {"role": "system", "content": [{"type": "image"}]}]),
    (endpoints.COUNT_TOKENS, [USER, {"role": "system", "content": [{"type": "image"}]}]),
    (endpoints.COUNT_TOKENS, [{"role": "user", "content": [{"type": "image"}]}]),
    (endpoints.COUNT_TOKENS, [{"role": "assistant", "content": "x", "function_call": 5}]),
    (endpoints.RESPONSES, [{"type": "message", "role": "user", "content": [[1]]}]),
    (endpoints.RESPONSES, [{"type": "web_search_call", "action": 5}]),
    (endpoints.RESPONSES, [{"type": "message", "content": [{"type": "x"}]}]),
    (endpoints.COMPLETIONS, [[]]),
    (endpoints.COMPLETIONS, [5, "a"]),
    (endpoints.COMPLETIONS, [["a"]]),
]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("path", "value"), MALFORMED_INSIDE)
def test_what_litellm_cannot_read_is_the_requests_fault(
    client: httpx.Client, path: str, value: list[Any], stream: bool
) -> None:
    field = {endpoints.RESPONSES: "input", endpoints.COMPLETIONS: "prompt"}.get(path, "messages")
    answer = client.post(path, json=endpoints.request(path) | {field: value, "stream": stream})
    assert answer.status_code in {200, 400}
    for inside in ("Traceback", "internal_error", "litellm.", "object has no attribute"):
        assert inside not in answer.text


@pytest.mark.parametrize("field", ["previous_response_id", "conversation", "background", "prompt"])
def test_what_needs_a_memory_is_refused_rather_than_ignored(client: httpx.Client, field: str) -> None:
    answer = client.post(endpoints.RESPONSES, json=endpoints.request(endpoints.RESPONSES) | {field: "resp_1"})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, field)
    null = client.post(endpoints.RESPONSES, json=endpoints.request(endpoints.RESPONSES) | {field: None})
    assert null.status_code == 200


NUMBERS = st.integers(-(2**40), 2**40) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELD = st.sampled_from([*sorted(BODY), "api_base", "fallbacks", "metadata", "anything"])


@given(st.dictionaries(FIELD, JSON))
def test_what_passes_has_known_fields_and_a_known_model_only(fields: dict[str, Any]) -> None:
    sent = {"model": "stackspot-chat", "messages": [USER], **fields}
    passed = passed_of(orjson.dumps(sent))
    if passed is not None:
        assert passed["model"] == "stackspot-chat"
        assert set(passed) <= CHAT_FIELDS
        assert all(passed[name] == sent[name] for name in passed if name != "tools")


@given(st.binary())
def test_no_bytes_raise_anything_else(body: bytes) -> None:
    with pytest.raises(RequestError):
        clean(body, CHAT_FIELDS, POLICY)


@given(st.text(st.characters(exclude_categories=())))
def test_text_passes_unchanged_but_for_half_characters_which_are_replaced(text: str) -> None:
    body = json.dumps({"model": "stackspot-chat", "messages": [{"role": "user", "content": text}]}).encode()
    passed = passed_of(body)
    assert passed is not None
    assert passed["messages"][0]["content"] == mend(text)


def test_half_characters_that_are_not_escaped_are_replaced_too() -> None:
    body = b'{"model": "stackspot-chat", "messages": [{"role": "user", "content": "a\xed\xa0\xbd"}]}'
    passed = passed_of(body)
    assert passed is not None
    assert passed["messages"][0]["content"] == "a\ufffd"


@pytest.mark.parametrize("parameters", [chat.CompletionCreateParamsStreaming, chat.CompletionCreateParamsNonStreaming])
def test_no_parameter_that_openai_documents_is_refused(parameters: Any) -> None:
    for name in set(get_type_hints(parameters)) - {"model", "messages"}:
        assert passed_of(orjson.dumps({"model": "stackspot-chat", "messages": [USER], name: None})) is not None


PARTS = st.text().map(lambda text: {"type": "text", "text": text})
CONTENTS = st.none() | st.text() | st.lists(st.text() | PARTS)
TURNS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "system"]), "content": CONTENTS}
)


def texts_of(content: Any) -> list[str]:
    parts = [content] if isinstance(content, str) else content or []
    return [part if isinstance(part, str) else part["text"] for part in parts]


@given(system=st.none() | st.text() | st.lists(PARTS), messages=st.lists(TURNS, min_size=1))
def test_system_messages_of_the_messages_api_join_system_in_their_order(system: Any, messages: list[Any]) -> None:
    body = {"model": "stackspot-chat", "max_tokens": 9, "system": system, "messages": messages}
    passed = orjson.loads(clean(orjson.dumps(body), MESSAGES_FIELDS, POLICY))
    spoken = [message for message in messages if message["role"] != "system"]
    told = [text for message in messages if message["role"] == "system" for text in texts_of(message["content"])]
    alone = not spoken  # LiteLLM needs a message: there, all stays as it is
    assert passed["messages"] == (messages if alone else spoken)
    assert texts_of(passed.get("system")) == texts_of(system) + ([] if alone else told)
