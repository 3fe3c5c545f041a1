"""From the agent's text to what the client gets: the same, however the text was cut."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from custom_handler.events import CallArguments, Event, Reasoning, Text, ToolCall
from custom_handler.markers import render_call
from custom_handler.output import OutputFormat
from custom_handler.reader import Reader
from custom_handler.request import ChatRequest, Message, Tool
from tests.support.pieces import cut_at, cut_into

ADD = Tool("add", "", {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]})
ASKED: dict[str, dict[str, Any]] = {
    "text": {},
    "any object": {"output": OutputFormat()},
    "an object that fits": {"output": OutputFormat(ADD.parameters)},
    "a stop word": {"stops": ("STOP", "ST and")},
    "a stop word in a value": {"stops": ("e", "STOP"), "output": OutputFormat()},
    "one call": {"parallel_tool_calls": False},
}
PARTS = (
    render_call("add", '{"n": 1}'),
    render_call("add", '{"n": "x"}'),
    render_call("add", '{"n": 1, "step_id": "yyyyyyyyyyyyyyyyyyyy", "z": [1]}'),
    render_call("add", '"{\\"n\\": 1}"'),
    "FUNCTION_CALL_START\nadd\narguments: ",
    *("hello ", "one two three ", "STOP", "ST", "OP", "FUNCTION_", "END"),
    "FUNCTION_CALL_START\nadd\nFUNCTION_CALL_END",
    *("<THINK a=1>", "<thought>", "</thought>", "<tool_result", '{"a": "'),
    *("<think>", "</think>\n", "\n", "```json\n", "```", "``", "``````"),
    *('{"age": 7}', '{"age": ', '"x"', "}", "[1]", '{"n":', '{"n": "a", "b": [1, 2]}'),
)


def state_after(request: ChatRequest, pieces: Iterable[str], check_chars: int) -> tuple[object, ...]:
    """All that the engine decides by, and what was given out with neighbouring pieces joined."""
    reader = Reader(request, check_chars)
    reader.begin(quoted=False)
    events: list[Event] = []
    for piece in pieces:
        events += reader.feed(piece)
        if reader.outlet.ended:
            break
    else:
        events += reader.flush()
    calls, value, outlet = reader.calls, reader.value, reader.outlet
    return (
        joined(events),
        (outlet.ended, outlet.calls, reader.shortened),
        (calls.set_aside, calls.cut, calls.cut_on_the_way),
        value and (value.given, value.cut, value.bad),
    )


def joined(events: Sequence[Event]) -> list[Event]:
    out: list[Event] = []
    for event in events:
        last = out[-1] if out else None
        if isinstance(event, Text | Reasoning | CallArguments) and isinstance(last, type(event)):
            out[-1] = type(event)(last.text + event.text)
        else:
            out.append(event)
    return out


@pytest.mark.parametrize("asked", ASKED)
@given(
    st.lists(st.sampled_from(PARTS), max_size=7),
    st.sampled_from([0, 5, 20, 1000]),
    st.lists(st.integers(0, 200), max_size=5),
)
@example(["STOP", PARTS[0]], 1000, [4])
@example(["<think>", "one two three ", "one two three ", "</think>\n", "hello "], 1000, [9, 11, 30])
def test_what_comes_of_an_answer_does_not_depend_on_the_pieces(
    asked: str, parts: list[str], check_chars: int, cuts: list[int]
) -> None:
    request = ChatRequest((Message("user", "Hi"),), (ADD,), **ASKED[asked])
    text = "".join(parts)
    whole = state_after(request, [text], check_chars)
    assert state_after(request, cut_at(text, cuts), check_chars) == whole
    assert state_after(request, cut_into(text, 1), check_chars) == whole


VALUES = (
    '{"a": "Use FUNCTION_CALL_START add FUNCTION_CALL_END"}',
    '{"a": "FUNCTION_CALL_START\\nadd\\narguments: {}\\nFUNCTION_CALL_END", "b": "<think>"}',
    '{"a": "\n<think>\n' + PARTS[0].replace('"', "'") + '"}',
)


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_nothing_in_the_value_is_a_call_or_a_thought(value: str, size: int) -> None:
    request = ChatRequest((Message("user", "Hi"),), (ADD,), output=OutputFormat())
    given_out, *_ = state_after(request, cut_into(f"{PARTS[0]}\n{value}\n{PARTS[0]}", size), 1000)
    assert isinstance(given_out, list)
    call, text, other_call = given_out
    assert call == other_call == ToolCall("add", '{"n": 1}')
    assert json.loads(text.text) == json.loads(value, strict=False)


def test_of_a_hidden_answer_only_calls_are_given_out() -> None:
    reader = Reader(ChatRequest((Message("user", "Hi"),), (ADD,)), 1000)
    reader.begin(quoted=False, hidden=True)
    events = [*reader.feed("<think>hm</think>\nSorry. " + render_call("add", '{"n": 1}')), *reader.flush()]
    assert [type(event).__name__ for event in events] == ["ToolCall"]
