"""What a request may look like, and what is refused with the path of the field."""

from typing import Any

import pytest

from custom_handler import attachments
from custom_handler.attachments import fetched
from custom_handler.errors import RequestError
from custom_handler.output import OutputFormat
from custom_handler.request import ChatRequest, Message, PastCall, Tool, ToolChoice, parse
from tests.support.files import JPEG, PDF, PNG, data_url

USER = {"role": "user", "content": "hi"}
IMAGE = {"type": "image_url", "image_url": {"url": data_url(PNG)}}
REMOTE = {"type": "image_url", "image_url": {"url": "https://a.example/b.png"}}
TOOL = {"type": "function", "function": {"name": "run", "description": "Runs", "parameters": {"type": "object"}}}


def parse_with(**parameters: Any) -> ChatRequest:
    return parse([USER], parameters)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"role": "user", "content": "hi"}, Message("user", "hi")),
        ({"role": "user", "content": None}, Message("user", "")),
        ({"role": "user"}, Message("user", "")),
        ({"role": "user", "content": [{"type": "text", "text": "a"}, "b"]}, Message("user", "a\nb")),
        ({"role": "user", "content": [{"type": "input_text", "text": "a"}]}, Message("user", "a")),
        ({"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]}, Message("assistant", "no")),
        ({"role": "system", "content": "be"}, Message("system", "be")),
        ({"role": "developer", "content": "be"}, Message("system", "be")),
        ({"role": "tool", "content": "1", "tool_call_id": "c"}, Message("tool", "1", tool_call_id="c")),
        ({"role": "function", "content": "1", "name": "run"}, Message("tool", "1", name="run")),
        ({"role": "assistant", "content": "x", "unknown": 1}, Message("assistant", "x")),
    ],
)
def test_every_role_and_form_of_content_is_read(message: dict[str, Any], expected: Message) -> None:
    assert parse([USER, message], {}).messages[1:] == (expected,)


@pytest.mark.parametrize("content", [None, "", " \n", [], [{"type": "text", "text": ""}]])
def test_messages_without_any_text_are_refused(content: Any) -> None:
    with pytest.raises(RequestError, match="no text") as refusal:
        parse([{"role": "user", "content": content}], {})
    assert refusal.value.param == "messages"


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ({"id": "c", "function": {"name": "run", "arguments": '{"a":1}'}}, PastCall("c", "run", '{"a":1}')),
        ({"id": "c", "function": {"name": "run", "arguments": {"a": "é"}}}, PastCall("c", "run", '{"a": "é"}')),
        ({"id": "c", "function": {"name": "run", "arguments": " "}}, PastCall("c", "run", "{}")),
        ({"id": "c", "function": {"name": "run"}}, PastCall("c", "run", "{}")),
        ({"function": {"name": "run"}}, PastCall("", "run", "{}")),
        (
            {"id": "c", "type": "custom", "custom": {"name": "sh", "input": "ls"}},
            PastCall("c", "sh", '{"input": "ls"}'),
        ),
    ],
)
def test_calls_of_earlier_turns_are_read(call: dict[str, Any], expected: PastCall) -> None:
    messages = [{"role": "assistant", "content": None, "tool_calls": [call]}]
    assert parse(messages, {}).messages[0].calls == (expected,)


def test_the_form_before_tool_calls_is_read() -> None:
    message = {"role": "assistant", "content": None, "function_call": {"name": "run", "arguments": "{}"}}
    assert parse([message], {}).messages[0].calls == (PastCall("", "run", "{}"),)


@pytest.mark.parametrize(
    ("messages", "param"),
    [
        (None, "messages"),
        ("hi", "messages"),
        ([], "messages"),
        ({"role": "user"}, "messages"),
        ([1], "messages[0]"),
        ([USER, {"content": "x"}], "messages[1].role"),
        ([{"role": "wizard", "content": "x"}], "messages[0].role"),
        ([{"role": ["user"], "content": "x"}], "messages[0].role"),
        ([{"role": "user", "content": 5}], "messages[0].content"),
        ([{"role": "user", "content": [5]}], "messages[0].content[0]"),
        ([{"role": "user", "content": [{"type": "image_url"}]}], "messages[0].content[0].image_url"),
        ([{"role": "user", "content": [{"type": "input_audio"}]}], "messages[0].content[0].type"),
        (
            [USER, {"role": "tool", "content": [IMAGE, {"type": "image_url", "image_url": {"url": "data:,"}}]}],
            "messages[1].content[1].image_url.url",
        ),
        ([{"role": "user", "content": [{"type": "text"}]}], "messages[0].content[0].text"),
        ([{"role": "tool", "content": "x", "tool_call_id": 5}], "messages[0].tool_call_id"),
        ([{"role": "user", "content": "x", "name": 5}], "messages[0].name"),
        ([{"role": "assistant", "tool_calls": {}, "content": "", "x": 1}, {}], "messages[1].role"),
        ([{"role": "assistant", "tool_calls": "x"}], "messages[0].tool_calls"),
        ([{"role": "assistant", "tool_calls": [5]}], "messages[0].tool_calls[0]"),
        ([{"role": "assistant", "tool_calls": [{"function": 5}]}], "messages[0].tool_calls[0].function"),
        ([{"role": "assistant", "tool_calls": [{"function": {}}]}], "messages[0].tool_calls[0].function.name"),
        ([{"role": "assistant", "tool_calls": [{"type": "custom"}]}], "messages[0].tool_calls[0].custom"),
    ],
)
def test_messages_that_cannot_be_read_are_refused_by_their_path(messages: Any, param: str) -> None:
    with pytest.raises(RequestError) as refusal:
        parse(messages, {})
    assert refusal.value.param == param
    assert param in refusal.value.message


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("n", 2),
        ("n", True),
        ("logprobs", True),
        ("top_logprobs", 3),
        ("temperature", "hot"),
        ("temperature", True),
        ("top_p", []),
        ("seed", 1.5),
        ("max_tokens", 0),
        ("max_tokens", "10"),
        ("max_completion_tokens", -1),
        ("stop", 5),
        ("stop", ["a", 5]),
        ("parallel_tool_calls", "no"),
        ("response_format", "json"),
        ("tools", {}),
    ],
)
def test_parameters_of_a_wrong_type_or_value_are_refused_by_name(parameter: str, value: Any) -> None:
    with pytest.raises(RequestError) as refusal:
        parse_with(**{parameter: value})
    assert refusal.value.param == parameter
    assert parameter in refusal.value.message


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("n", 1),
        ("n", None),
        ("logprobs", False),
        ("top_logprobs", 0),
        ("temperature", 0),
        ("top_p", 0.5),
        ("seed", 7),
        ("max_tokens", None),
        ("stop", []),
        ("stop", None),
        ("response_format", {"type": "text"}),
        ("tools", None),
        ("tools", []),
        ("something_new", object()),
    ],
)
def test_parameters_of_the_right_type_and_unknown_ones_are_accepted(parameter: str, value: Any) -> None:
    assert parse_with(**{parameter: value}) == ChatRequest(messages=(Message("user", "hi"),))


def test_where_an_answer_ends_is_read() -> None:
    assert parse_with(stop="x").stops == ("x",)
    assert parse_with(stop=["x", "y"]).stops == ("x", "y")
    assert parse_with(max_tokens=10).max_tokens == 10
    assert parse_with(max_tokens=10, max_completion_tokens=5).max_tokens == 5  # the newer name of the same


def test_the_format_of_the_answer_is_read() -> None:
    assert parse_with(response_format={"type": "json_object"}).output == OutputFormat()
    with pytest.raises(RequestError, match="json_schema") as refusal:
        parse_with(response_format={})
    assert refusal.value.param == "response_format.type"


def test_a_tool_may_be_strict() -> None:
    strict = {"type": "function", "function": {"name": "f", "strict": True}}
    assert parse_with(tools=[strict]).tools == (Tool("f", "", {}, strict=True),)


def test_tools_are_read_and_those_that_are_no_functions_are_left_out() -> None:
    tools = [TOOL, {"type": "web_search"}, {"type": "custom", "custom": {"name": "x"}}, {"function": {"name": "f"}}]
    assert parse_with(tools=tools).tools == (Tool("run", "Runs", {"type": "object"}), Tool("f", "", {}))


@pytest.mark.parametrize(
    ("tool", "param"),
    [
        (5, "tools[0]"),
        ({"type": "function"}, "tools[0].function"),
        ({"function": {}}, "tools[0].function.name"),
        ({"function": {"name": "a b"}}, "tools[0].function.name"),
        ({"function": {"name": "a", "strict": "yes"}}, "tools[0].function.strict"),
        ({"function": {"name": "f", "description": 5}}, "tools[0].function.description"),
        ({"function": {"name": "f", "parameters": []}}, "tools[0].function.parameters"),
    ],
)
def test_tools_that_cannot_be_read_are_refused_by_their_path(tool: Any, param: str) -> None:
    with pytest.raises(RequestError) as refusal:
        parse_with(tools=[tool])
    assert refusal.value.param == param


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, ToolChoice("auto")),
        ("auto", ToolChoice("auto")),
        ("none", ToolChoice("none")),
        ("required", ToolChoice("required")),
        ({"type": "function", "function": {"name": "run"}}, ToolChoice("named", "run")),
        ({"type": "function", "name": "run"}, ToolChoice("named", "run")),
    ],
)
def test_every_tool_choice_is_read(choice: Any, expected: ToolChoice) -> None:
    assert parse_with(tools=[TOOL], tool_choice=choice).tool_choice == expected


@pytest.mark.parametrize("choice", ["maybe", 5, {}, {"type": "function", "function": {"name": "other"}}])
def test_a_tool_choice_that_makes_no_sense_is_refused(choice: Any) -> None:
    with pytest.raises(RequestError) as refusal:
        parse_with(tools=[TOOL], tool_choice=choice)
    assert refusal.value.param == "tool_choice"


def test_required_calls_need_tools() -> None:
    with pytest.raises(RequestError, match="with tools"):
        parse_with(tool_choice="required")


def test_tools_are_not_offered_when_none_may_be_called() -> None:
    assert parse_with(tools=[TOOL], tool_choice="none").callable_tools == ()
    assert len(parse_with(tools=[TOOL]).callable_tools) == 1


def test_parallel_calls_are_allowed_unless_switched_off() -> None:
    assert parse_with().parallel_tool_calls
    assert not parse_with(parallel_tool_calls=False).parallel_tool_calls


def test_a_file_is_mentioned_where_it_stood_and_kept_with_its_message() -> None:
    report = {"type": "file", "file": {"file_data": data_url(PDF, ""), "filename": "report.pdf"}}
    asked = parse([{"role": "user", "content": ["a", report, "b"]}, {"role": "tool", "content": [IMAGE]}], {})
    pdf, image = asked.attachments
    assert asked.messages == (
        Message("user", "a\n[attached file: report.pdf]\nb", files=(pdf,)),
        Message("tool", f"[attached file: {image.name}]", files=(image,)),
    )
    assert (pdf.data, image.data) == (PDF, PNG)


def test_a_file_alone_is_something_to_answer() -> None:
    assert len(parse([{"role": "user", "content": [IMAGE]}], {}).attachments) == 1


def test_a_file_that_comes_again_is_one_file() -> None:
    asked = parse([{"role": "user", "content": [IMAGE]}, {"role": "user", "content": [IMAGE]}], {})
    assert len(asked.attachments) == 1
    assert asked.messages[0] == asked.messages[1]


def test_files_to_be_fetched_are_told_and_can_be_filled_in() -> None:
    asked = parse([{"role": "user", "content": [IMAGE, REMOTE]}, {"role": "user", "content": [REMOTE]}], {})
    (remote,) = asked.remote_files
    here = fetched(remote, "image/jpeg", JPEG)
    filled = asked.with_fetched({remote: here})
    assert filled.remote_files == ()
    assert filled.attachments == (*asked.attachments, here)
    assert [message.text for message in filled.messages] == [message.text for message in asked.messages]


def test_fetched_files_count_with_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachments, "MAX_TOTAL", len(PNG) + 5)
    asked = parse([{"role": "user", "content": [IMAGE, REMOTE]}], {})
    (remote,) = asked.remote_files
    with pytest.raises(RequestError, match="bytes of files"):
        asked.with_fetched({remote: fetched(remote, "", JPEG)})
