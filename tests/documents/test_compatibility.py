"""docs/compatibility.md, row by row: what it says happens to a field is what the running proxy does with it."""

from __future__ import annotations

import hashlib
import json
import shlex
import subprocess
from typing import Any

import httpx
import pytest

from custom_handler.routes import ROUTES
from tests.documents.markdown import Document, quoted
from tests.support.files import PDF, PNG, data_url
from tests.support.made_run import MadeRun
from tests.support.program import ROOT

DOCUMENT = Document.read(ROOT / "docs" / "compatibility.md")
CHAT, RESPONSES, MESSAGES, COMPLETIONS = "/v1/chat/completions", "/v1/responses", "/v1/messages", "/v1/completions"
SECTIONS = {
    CHAT: "Fields of chat completions",
    RESPONSES: "Responses API",
    MESSAGES: "Anthropic's Messages API",
    COMPLETIONS: "Completions",
}
QUESTION = "What is the weather in Recife?"
ANSWER = "An answer of a few words."
USER = [{"role": "user", "content": QUESTION}]
IMAGE_MENTIONED = f"[attached file: image-{hashlib.sha256(PNG).hexdigest()[:8]}.png]"
SMALLEST: dict[str, dict[str, Any]] = {
    CHAT: {"messages": USER},
    RESPONSES: {"input": QUESTION},
    MESSAGES: {"messages": USER, "max_tokens": 100},
    COMPLETIONS: {"prompt": QUESTION},
}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
FUNCTION = {"name": "get_weather", "description": "The weather.", "parameters": SCHEMA}
TOOLS = {"tools": [{"type": "function", "function": FUNCTION}]}
RESPONSES_TOOLS = {"tools": [{"type": "function", **FUNCTION}]}
MESSAGES_TOOLS = {"tools": [{"name": "get_weather", "description": "The weather.", "input_schema": SCHEMA}]}

#: Address → field → the fields to send.
IGNORED: dict[str, dict[str, dict[str, Any]]] = {
    CHAT: {
        "temperature": {"temperature": 1.5},
        "top_p": {"top_p": 0.5},
        "presence_penalty": {"presence_penalty": 1.0},
        "frequency_penalty": {"frequency_penalty": 1.0},
        "logit_bias": {"logit_bias": {"50256": -100}},
        "seed": {"seed": 7},
        "reasoning_effort": {"reasoning_effort": "low"},
        "thinking": {"thinking": {"type": "enabled", "budget_tokens": 1024}},
        "verbosity": {"verbosity": "low"},
        "functions": {"functions": [FUNCTION]},
        "function_call": {"functions": [FUNCTION], "function_call": {"name": "get_weather"}},
        "modalities": {"modalities": ["text", "audio"]},
        "audio": {"audio": {"voice": "alloy", "format": "wav"}},
        "prediction": {"prediction": {"type": "content", "content": "Sun."}},
        "web_search_options": {"web_search_options": {}},
        "metadata": {"metadata": {"team": "cards"}},
        "user": {"user": "ana"},
        "safety_identifier": {"safety_identifier": "ana"},
        "service_tier": {"service_tier": "flex"},
        "store": {"store": True},
        "prompt_cache_key": {"prompt_cache_key": "cards"},
        "prompt_cache_retention": {"prompt_cache_retention": "24h"},
        "unknown fields": {"no_such_field": {"a": 1}},
    },
    RESPONSES: {
        "store": {"store": True},
        "reasoning": {"reasoning": {"effort": "low"}},
        "temperature": {"temperature": 1.5},
        "top_p": {"top_p": 0.5},
        "include": {"include": ["message.output_text.logprobs"]},
        "truncation": {"truncation": "auto"},
        "metadata": {"metadata": {"team": "cards"}},
        "max_tool_calls": {"max_tool_calls": 1},
        "service_tier": {"service_tier": "flex"},
    },
    MESSAGES: {
        "temperature": {"temperature": 0.5},
        "top_p": {"top_p": 0.5},
        "top_k": {"top_k": 5},
        "thinking": {"thinking": {"type": "enabled", "budget_tokens": 1024}},
        "metadata": {"metadata": {"user_id": "ana"}},
    },
    COMPLETIONS: {
        "suffix": {"suffix": "."},
        "echo": {"echo": True},
        "best_of": {"best_of": 2},
        "temperature": {"temperature": 1.5},
    },
}
EMULATED: dict[str, dict[str, dict[str, Any]]] = {
    CHAT: {
        "tools": TOOLS,
        "tool_choice": {**TOOLS, "tool_choice": {"type": "function", "function": {"name": "get_weather"}}},
        "parallel_tool_calls": {**TOOLS, "parallel_tool_calls": False},
    },
    RESPONSES: {
        "tools": RESPONSES_TOOLS,
        "tool_choice": {**RESPONSES_TOOLS, "tool_choice": "required"},
        "parallel_tool_calls": {**RESPONSES_TOOLS, "parallel_tool_calls": False},
    },
    MESSAGES: {
        "tools": MESSAGES_TOOLS,
        "tool_choice": {**MESSAGES_TOOLS, "tool_choice": {"type": "any"}},
    },
    COMPLETIONS: {},
}
REFUSED: dict[str, dict[str, dict[str, Any]]] = {
    CHAT: {
        "n": {"n": 2},
        "logprobs": {"logprobs": True},
        "top_logprobs": {"top_logprobs": 2},
        "api_base": {"api_base": "http://localhost"},
        "api_key": {"api_key": "sk-other"},
        "timeout": {"timeout": 1},
        "num_retries": {"num_retries": 1},
        "fallbacks": {"fallbacks": ["other"]},
        "mock_response": {"mock_response": "none"},
        "tags": {"tags": ["a"]},
        "extra_body": {"extra_body": {"a": 1}},
    },
    RESPONSES: {
        "previous_response_id": {"previous_response_id": "resp_1"},
        "conversation": {"conversation": "conv_1"},
        "background": {"background": True},
        "prompt": {"prompt": {"id": "pmpt_1"}},
    },
    MESSAGES: {},
    COMPLETIONS: {"n": {"n": 2}, "logprobs": {"logprobs": 1}},
}
#: Fields that work as in the original API; each has a test of its own below.
YES = {
    CHAT: {"model", "messages", "stream", "stream_options", "stop", "max_tokens", "max_completion_tokens"},
    RESPONSES: {"input", "instructions", "stream", "max_output_tokens"},
    MESSAGES: {"messages", "system", "stream", "max_tokens", "stop_sequences"},
    COMPLETIONS: {"prompt", "stream", "stop", "max_tokens"},
}
#: Address → the field that asks for JSON, as it is sent.
FORMATS: dict[str, dict[str, Any]] = {
    CHAT: {"response_format": {"type": "json_schema", "json_schema": {"name": "weather", "schema": SCHEMA}}},
    RESPONSES: {"text": {"format": {"type": "json_schema", "name": "weather", "schema": SCHEMA}}},
}


def cases(table: dict[str, dict[str, dict[str, Any]]]) -> list[Any]:
    return [
        pytest.param(path, name, fields, id=f"{path}-{name}")
        for path, rows in table.items()
        for name, fields in rows.items()
    ]


def ask(running: MadeRun, path: str, **fields: Any) -> tuple[httpx.Response, list[str]]:
    """The proxy's answer, and what the agent was asked for it."""
    running.script(ANSWER)
    answer = running.proxy.post(path, json={"model": "stackspot-chat", **SMALLEST[path], **fields})
    return answer, running.prompts()


def error(answer: httpx.Response) -> dict[str, Any]:
    return answer.json()["error"]  # type: ignore[no-any-return]


@pytest.mark.parametrize("path", SECTIONS)
def test_every_row_is_tried(path: str) -> None:
    rows = DOCUMENT.section(SECTIONS[path]).tables[0]
    told = {name: row[1] for row in rows for name in quoted(row[0]) or [row[0]]}
    tried = {
        **dict.fromkeys(YES[path], "yes"),
        **dict.fromkeys(IGNORED[path], "ignored"),
        **dict.fromkeys([*EMULATED[path], *FORMATS.get(path, ())], "emulated"),
        **dict.fromkeys(REFUSED[path], "refused"),
    }
    assert told == tried


@pytest.mark.parametrize(("path", "name", "fields"), cases(IGNORED))
def test_an_ignored_field_changes_neither_the_prompt_nor_the_answer(
    running: MadeRun, path: str, name: str, fields: dict[str, Any]
) -> None:
    assert name in {*fields, "unknown fields"}
    answer, prompts = ask(running, path, **fields)
    assert (answer.status_code, prompts) == (200, [QUESTION]), answer.text
    assert ANSWER in answer.text


@pytest.mark.parametrize(("path", "name", "fields"), cases(EMULATED))
def test_an_emulated_field_is_told_to_the_model(running: MadeRun, path: str, name: str, fields: dict[str, Any]) -> None:
    with_it = ask(running, path, **fields)
    without = ask(running, path, **{key: value for key, value in fields.items() if key != name})
    assert (with_it[0].status_code, without[0].status_code) == (200, 200), with_it[0].text
    assert with_it[1] != without[1]


@pytest.mark.parametrize("path", FORMATS)
def test_a_format_is_told_to_the_model_and_only_the_value_is_given(running: MadeRun, path: str) -> None:
    running.script('Sure: {"city": "Recife"}.')
    answer = running.proxy.post(path, json={"model": "stackspot-chat", **SMALLEST[path], **FORMATS[path]})
    assert said(answer) == '{"city": "Recife"}'
    assert '"city"' in running.prompts()[0]


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        (CHAT, {"stop": ["few"]}),
        (CHAT, {"stop": "few"}),
        (MESSAGES, {"stop_sequences": ["few"]}),
        (COMPLETIONS, {"stop": "few"}),
    ],
)
def test_stop_words_end_the_text(running: MadeRun, path: str, fields: dict[str, Any]) -> None:
    answer, _ = ask(running, path, **fields)
    assert said(answer) == "An answer of a "
    assert '"stop"' in answer.text or '"end_turn"' in answer.text


@pytest.mark.parametrize(
    ("path", "field", "reason"),
    [
        (CHAT, "max_tokens", '"finish_reason":"length"'),
        (CHAT, "max_completion_tokens", '"finish_reason":"length"'),
        (RESPONSES, "max_output_tokens", '"status":"incomplete"'),
        (MESSAGES, "max_tokens", '"stop_reason":"max_tokens"'),
        (COMPLETIONS, "max_tokens", '"finish_reason":"length"'),
    ],
)
def test_the_last_token_ends_the_text(running: MadeRun, path: str, field: str, reason: str) -> None:
    answer, _ = ask(running, path, **{field: 2})
    assert said(answer) == "An answer"
    assert reason in answer.text


def said(answer: httpx.Response) -> str:
    """The text of a whole answer of any of the four APIs."""
    body = answer.json()
    assert answer.status_code == 200, answer.text
    if "output" in body:
        return "".join(part["text"] for item in body["output"] for part in item["content"])
    if "content" in body:
        return "".join(part["text"] for part in body["content"])
    return str(body["choices"][0].get("text") or body["choices"][0]["message"]["content"])


@pytest.mark.parametrize(("path", "name", "fields"), cases(REFUSED))
def test_a_refused_field_is_named(running: MadeRun, path: str, name: str, fields: dict[str, Any]) -> None:
    answer, prompts = ask(running, path, **fields)
    assert (answer.status_code, prompts) == (400, [])
    assert error(answer)["param"] == name


@pytest.mark.parametrize("name", ["n", "logprobs", "top_logprobs"])
def test_a_value_that_asks_for_nothing_is_not_refused(running: MadeRun, name: str) -> None:
    answer, _ = ask(running, CHAT, **{name: {"n": 1, "logprobs": False, "top_logprobs": 0}[name]})
    assert answer.status_code == 200


def test_a_wrong_type_is_refused_where_the_field_is_ignored_otherwise(running: MadeRun) -> None:
    answer, _ = ask(running, CHAT, temperature="hot")
    assert (answer.status_code, error(answer)["param"]) == (400, "temperature")


@pytest.mark.parametrize(
    ("path", "kind"), [(CHAT, "custom"), (CHAT, "web_search"), (RESPONSES, "web_search"), (RESPONSES, "mcp")]
)
def test_tools_that_are_not_functions_are_ignored(running: MadeRun, path: str, kind: str) -> None:
    answer, prompts = ask(running, path, tools=[{"type": kind, "name": "x", kind: {"name": "x"}}])
    assert (answer.status_code, prompts) == (200, [QUESTION]), answer.text


def test_a_custom_tool_of_the_responses_api_is_a_function_to_the_agent(running: MadeRun) -> None:
    running.script('FUNCTION_CALL_START\npatch\narguments: {"content": "a\\nb"}\nFUNCTION_CALL_END')
    body = {"model": "stackspot-chat", "input": QUESTION, "tools": [{"type": "custom", "name": "patch"}]}
    (call,) = running.proxy.post(RESPONSES, json=body).json()["output"]
    assert (call["type"], call["name"], call["input"]) == ("custom_tool_call", "patch", "a\nb")
    running.script(ANSWER)
    result = {"type": "custom_tool_call_output", "call_id": call["call_id"], "output": "A blue whale."}
    running.proxy.post(RESPONSES, json={**body, "input": [*USER, call, result]}).raise_for_status()
    (prompt,) = running.prompts()
    assert 'FUNCTION_CALL_START\npatch\narguments: {"content": "a\\nb"}\nFUNCTION_CALL_END' in prompt
    assert '<tool_result name="patch">\nA blue whale.\n</tool_result>' in prompt


def test_other_forms_of_tool_choice_are_refused(running: MadeRun) -> None:
    answer, prompts = ask(running, CHAT, **TOOLS, tool_choice={"type": "allowed_tools", "allowed_tools": {}})
    assert (answer.status_code, prompts) == (400, [])


#: One and the same image in each API.
IMAGES: dict[str, dict[str, Any]] = {
    CHAT: {"type": "image_url", "image_url": {"url": data_url(PNG)}},
    RESPONSES: {"type": "input_image", "image_url": data_url(PNG)},
    MESSAGES: {
        "type": "image",
        "source": {"type": "base64", "media_type": "image/png", "data": data_url(PNG).partition(",")[2]},
    },
}


@pytest.mark.parametrize("part", IMAGES.values(), ids=IMAGES)
@pytest.mark.parametrize("path", IMAGES)
def test_images_of_every_api_are_read_on_every_address(running: MadeRun, path: str, part: dict[str, Any]) -> None:
    field = "input" if path == RESPONSES else "messages"
    answer, prompts = ask(running, path, **{field: [{"role": "user", "content": [part]}]})
    assert (answer.status_code, prompts) == (200, [IMAGE_MENTIONED]), answer.text


def test_the_file_of_the_document_reaches_the_agent(running: MadeRun) -> None:
    running.script(None)
    command = Document.read(ROOT / "docs" / "files.md").section("What can be sent").code[0]
    command = command.replace("http://127.0.0.1:4000/v1", running.base_url)
    done = subprocess.run(shlex.split(f"{command} -s"), capture_output=True, text=True, check=True)  # noqa: S603
    assert "I have received hello.txt (5 bytes)." in done.stdout


def test_messages_need_max_tokens(running: MadeRun) -> None:
    answer, _ = ask(running, MESSAGES, max_tokens=None)
    assert answer.status_code == 400
    assert "max_tokens" in error(answer)["message"]


def test_a_list_of_prompts_is_one_conversation(running: MadeRun) -> None:
    answer, prompts = ask(running, COMPLETIONS, prompt=["one", "two"])
    assert [choice["text"] for choice in answer.json()["choices"]] == [ANSWER]
    assert len(prompts) == 1
    assert prompts[0].index("one") < prompts[0].index("two")


def test_token_numbers_are_refused(running: MadeRun) -> None:
    assert ask(running, COMPLETIONS, prompt=[1, 2])[0].status_code == 400


@pytest.mark.parametrize(
    ("path", "fields"), [(RESPONSES, {"instructions": "Be brief."}), (MESSAGES, {"system": "Be brief."})]
)
def test_instructions_stand_before_the_conversation(running: MadeRun, path: str, fields: dict[str, Any]) -> None:
    _, (prompt,) = ask(running, path, **fields)
    assert prompt.startswith("Be brief.\n")
    assert QUESTION in prompt


@pytest.mark.parametrize("content", ["The folder is /src.", [{"type": "text", "text": "The folder is /src."}]])
@pytest.mark.parametrize("system", [None, "Be brief.", [{"type": "text", "text": "Be brief."}]])
def test_a_system_message_among_those_of_the_messages_api_joins_system(
    running: MadeRun, system: object, content: object
) -> None:
    messages = [*USER, {"role": "system", "content": content}]
    answer, (prompt,) = ask(running, MESSAGES, messages=messages, system=system)
    before, _, conversation = prompt.partition("<conversation>")
    assert answer.status_code == 200, answer.text
    assert [line in before for line in ("The folder is /src.", "Be brief.")] == [True, system is not None]
    assert conversation.count("<user>") == 1


def test_one_call_at_a_time_can_be_asked_for_in_the_messages_api(running: MadeRun) -> None:
    call = 'FUNCTION_CALL_START\nget_weather\narguments: {"city": "Recife"}\nFUNCTION_CALL_END\n'
    running.script(call * 2)
    choice = {"type": "auto", "disable_parallel_tool_use": True}
    body = {"model": "stackspot-chat", **SMALLEST[MESSAGES], **MESSAGES_TOOLS, "tool_choice": choice}
    (block,) = running.proxy.post(MESSAGES, json=body).json()["content"]
    assert (block["type"], block["input"]) == ("tool_use", {"city": "Recife"})


@pytest.mark.parametrize("path", [CHAT, RESPONSES, MESSAGES])
def test_a_long_call_that_was_cut_is_left_out_of_a_whole_answer(running: MadeRun, path: str) -> None:
    running.script('FUNCTION_CALL_START\nget_weather\narguments: {"city": "' + "x" * 1500)
    tools = {CHAT: TOOLS, RESPONSES: RESPONSES_TOOLS, MESSAGES: MESSAGES_TOOLS}[path]
    limit = {"max_tokens": 10_000} if path == MESSAGES else {}
    answer = running.proxy.post(path, json={"model": "stackspot-chat", **SMALLEST[path], **tools, **limit})
    assert answer.status_code == 200, answer.text
    assert "xxx" not in answer.text
    assert any(reason in answer.text for reason in ('"length"', '"incomplete"', '"max_tokens"'))


def test_a_system_message_alone_is_asked(running: MadeRun) -> None:
    answer, (prompt,) = ask(running, MESSAGES, messages=[{"role": "system", "content": "Say hello."}])
    assert answer.status_code == 200, answer.text
    assert "Say hello." in prompt


@pytest.mark.parametrize("path", SECTIONS)
def test_every_address_streams(running: MadeRun, path: str) -> None:
    answer, _ = ask(running, path, stream=True)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert "".join(map(text_of, events(answer))) == ANSWER


def events(answer: httpx.Response) -> list[dict[str, Any]]:
    data = [line.removeprefix("data: ") for line in answer.text.splitlines() if line.startswith("data: {")]
    return [json.loads(each) for each in data]


def text_of(event: dict[str, Any]) -> str:
    """The piece of text in an event of any of the four APIs."""
    if event.get("type") == "response.output_text.delta":
        return str(event["delta"])
    if event.get("type") == "content_block_delta":
        return str(event["delta"]["text"])
    choice = (event.get("choices") or [{}])[0]
    return choice.get("text") or choice.get("delta", {}).get("content") or ""


def test_usage_is_streamed_when_asked_for(running: MadeRun) -> None:
    asked, _ = ask(running, CHAT, stream=True, stream_options={"include_usage": True})
    *others, last = events(asked)
    assert last["choices"] == []
    assert last["usage"]["total_tokens"] == last["usage"]["prompt_tokens"] + last["usage"]["completion_tokens"] > 0
    assert not any(event.get("usage") for event in others)
    not_asked, _ = ask(running, CHAT, stream=True)
    assert not any(event.get("usage") for event in events(not_asked))


def test_calls_come_whole_when_streamed(running: MadeRun) -> None:
    running.script('FUNCTION_CALL_START\nget_weather\narguments: {"city": "Recife"}\nFUNCTION_CALL_END', chunk=3)
    answer = running.proxy.post(CHAT, json={"model": "stackspot-chat", "messages": USER, **TOOLS, "stream": True})
    deltas = [event["choices"][0]["delta"] for event in events(answer)]
    (calls,) = [delta["tool_calls"] for delta in deltas if delta.get("tool_calls")]
    assert calls[0]["id"].startswith("call_")
    assert calls[0]["function"] == {"name": "get_weather", "arguments": '{"city": "Recife"}'}
    assert events(answer)[-1]["choices"][0]["finish_reason"] == "tool_calls"


@pytest.mark.parametrize(
    ("model", "status"), [("stackspot-chat", 200), ("stackspot/01ARZ3NDEKTSV4RRFFQ69G5FAV", 200), ("gpt-4o", 404)]
)
def test_a_model_is_a_configured_name_or_an_agent_id(running: MadeRun, model: str, status: int) -> None:
    answer, _ = ask(running, CHAT, model=model)
    assert answer.status_code == status
    assert status == 404 or answer.json()["model"] == model


ROLES = ("system", "developer", "user", "assistant", "tool", "function")


def test_the_table_of_roles_is_tried() -> None:
    rows = DOCUMENT.section("Messages").tables[0]
    assert {row[0].strip("`"): row[1] for row in rows} == {**dict.fromkeys(ROLES, "yes"), "any other": "refused"}


@pytest.mark.parametrize("role", ROLES)
def test_a_message_of_a_known_role_is_read(running: MadeRun, role: str) -> None:
    answer, prompts = ask(running, CHAT, messages=[{"role": role, "content": "A blue whale."}, *USER])
    assert answer.status_code == 200, answer.text
    assert "A blue whale." in prompts[0]


def test_any_other_role_is_refused(running: MadeRun) -> None:
    answer, _ = ask(running, CHAT, messages=[{"role": "wizard", "content": "hi"}])
    assert (answer.status_code, error(answer)["param"]) == (400, "messages[0].role")


@pytest.mark.parametrize(
    "turns",
    [
        [
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "A blue whale."},
        ],
        [
            {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": '{"a": 1}'}},
            {"role": "function", "name": "f", "content": "A blue whale."},
        ],
    ],
    ids=["tool_calls", "function_call"],
)
def test_calls_of_the_past_are_read_without_tools(running: MadeRun, turns: list[dict[str, Any]]) -> None:
    answer, (prompt,) = ask(running, CHAT, messages=[*USER, *turns])
    assert answer.status_code == 200, answer.text
    assert 'FUNCTION_CALL_START\nf\narguments: {"a": 1}\nFUNCTION_CALL_END' in prompt
    assert '<tool_result name="f">\nA blue whale.\n</tool_result>' in prompt


#: First cell of the table → content, and what of it is in the prompt (None: it is refused).
CONTENTS: dict[str, tuple[Any, str | None]] = {
    "a string": ("A blue whale.", "A blue whale."),
    "null": (None, ""),
    "parts of type `text`": ([{"type": "text", "text": "blue"}, {"type": "text", "text": "whale"}], "blue\nwhale"),
    "parts of type `image_url`": ([{"type": "image_url", "image_url": {"url": data_url(PNG)}}], IMAGE_MENTIONED),
    "parts of type `file`": (
        [{"type": "file", "file": {"file_data": data_url(PDF, ""), "filename": "a.pdf"}}],
        "[attached file: a.pdf]",
    ),
    "parts of type `input_audio`": ([{"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}], None),
}


def test_the_table_of_contents_is_tried() -> None:
    rows = DOCUMENT.section("Messages").tables[1]
    tried = {name: "refused" if expected is None else "yes" for name, (_, expected) in CONTENTS.items()}
    assert {row[0]: row[1] for row in rows} == tried


@pytest.mark.parametrize("name", CONTENTS)
def test_content_is_read_or_refused(running: MadeRun, name: str) -> None:
    content, expected = CONTENTS[name]
    answer, prompts = ask(running, CHAT, messages=[{"role": "user", "content": content}, *USER])
    if expected is None:
        assert (answer.status_code, error(answer)["param"]) == (400, "messages[0].content[0].type")
    else:
        assert answer.status_code == 200, answer.text
        assert f"<user>\n{expected}\n</user>" in prompts[0]


def test_the_table_of_addresses_is_that_of_the_code() -> None:
    told = {address for row in DOCUMENT.section("Endpoints").tables[0] for address in quoted(row[0])}
    served = {f"{method} {path}" for method, path in ROUTES}
    aliases = {f"{method} {path.removeprefix('/v1')}" for method, path in ROUTES if path.startswith("/v1/")}
    assert told == served - aliases
    assert aliases - served == {"POST /messages", "POST /messages/count_tokens"}


BODIES: dict[str, dict[str, Any]] = {**SMALLEST, "/v1/messages/count_tokens": {"messages": USER}}


def test_the_table_of_addresses_says_that_all_are_served() -> None:
    assert {row[1] for row in DOCUMENT.section("Endpoints").tables[0]} == {"yes"}


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_an_address_is_served(running: MadeRun, route: tuple[str, str]) -> None:
    method, path = route
    canonical = path if path.startswith(("/v1/", "/health", "/metrics")) or path == "/" else f"/v1{path}"
    body = {"model": "stackspot-chat", **BODIES[canonical]} if method == "POST" else None
    running.script(None)
    answer = running.proxy.request(method, path, json=body)
    assert answer.status_code == 200, answer.text


def test_a_stream_that_breaks_ends_with_an_error(running: MadeRun) -> None:
    running.script(ANSWER, fault="drop_in_stream", after=5, chunk=1)
    body = {"model": "stackspot-chat", "messages": USER, "stream": True}
    answer = running.proxy.post(CHAT, json=body)
    assert events(answer)[-1]["error"]["code"] == "upstream_broken_answer"
    assert "[DONE]" not in answer.text


@pytest.mark.parametrize("path", [RESPONSES, MESSAGES])
def test_two_translated_addresses_tell_errors_in_a_stream_of_200(running: MadeRun, path: str) -> None:
    running.script(ANSWER, fault="forbidden")
    answer = running.proxy.post(path, json={"model": "stackspot-chat", **SMALLEST[path], "stream": True})
    assert answer.status_code == 200
    assert "agent id wrong or not shared with this key" in answer.text


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ({"stop_reason": "stop"}, "stop"),
        ({"stop_reason": "length"}, "length"),
        ({"stop_reason": "content_filter"}, "content_filter"),
    ],
)
def test_the_finish_reason_is_the_agents(running: MadeRun, reply: dict[str, Any], reason: str) -> None:
    running.script(ANSWER, **reply)
    answer = running.proxy.post(CHAT, json={"model": "stackspot-chat", "messages": USER})
    assert answer.json()["choices"][0]["finish_reason"] == reason


def test_usage_is_the_agents_count(running: MadeRun) -> None:
    running.script(ANSWER, tokens=[749, 5])
    answer = running.proxy.post(CHAT, json={"model": "stackspot-chat", "messages": USER})
    assert answer.json()["usage"] == {"prompt_tokens": 749, "completion_tokens": 5, "total_tokens": 754}
