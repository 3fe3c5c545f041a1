"""What was mended in an answer is counted, and what was written well is not."""

from __future__ import annotations

import pytest

from custom_handler.markers import render_call
from custom_handler.output import OutputFormat
from custom_handler.reader import Reader
from custom_handler.request import ChatRequest, Message, Tool
from tests.support.figures import counted
from tests.support.pieces import cut_into

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
CALLS = ChatRequest((Message("user", "Hi"),), tools=(Tool("add", "", SCHEMA),))
VALUE = ChatRequest((Message("user", "Hi"),), output=OutputFormat(SCHEMA))

#: Request, answer, and the repairs of it: syntax, schema.
ANSWERS = {
    "a good call": (CALLS, render_call("add", '{"n": 1}'), 0, 0),
    "a trailing comma": (CALLS, render_call("add", '{"n": 1,}'), 1, 0),
    "single quotes": (CALLS, render_call("add", "{'n': 1}"), 1, 0),
    "arguments encoded twice": (CALLS, render_call("add", '"{\\"n\\": 1}"'), 1, 0),
    "a good call in an object": (CALLS, '<tool_call>{"name": "add", "arguments": {"n": 1}}</tool_call>', 0, 0),
    "a bad call in an object": (CALLS, '<tool_call>{"name": "add", "arguments": {"n": 1,}}</tool_call>', 1, 0),
    "an object with its name behind": (CALLS, '<tool_call>{"arguments": {"n": 1,}, "name": "add"}</tool_call>', 1, 0),
    "an end that never came": (CALLS, "FUNCTION_CALL_START\nadd\narguments: {'n': 1}", 1, 0),
    "a number in quotes": (CALLS, render_call("add", '{"n": "1"}'), 0, 1),
    "both": (CALLS, render_call("add", "{n: '1'}"), 1, 1),
    "two calls": (CALLS, render_call("add", "{n: '1'}") + render_call("add", '{"n": "2"}'), 1, 2),
    "a call that cannot be mended": (CALLS, render_call("add", '{"n": "many"}'), 0, 0),
    "no call": (CALLS, "Hello {'n': 1}", 0, 0),
    "a good value": (VALUE, 'Sure: {"n": 1}', 0, 0),
    "a value in single quotes": (VALUE, "Sure: {'n': 1}", 1, 0),
    "a value with a number in quotes": (VALUE, '{"n": "1"}', 0, 1),
    "no value": (VALUE, "No.", 0, 0),
}


@pytest.mark.parametrize("size", [1, 1000])
@pytest.mark.parametrize(("asked", "answer", "syntax", "schema"), ANSWERS.values(), ids=ANSWERS)
def test_a_repair_is_counted_once(asked: ChatRequest, answer: str, syntax: int, schema: int, size: int) -> None:
    part = "value" if asked.output else "call"
    with (
        counted("agent_proxy_repairs_total", part=part, kind="syntax") as of_syntax,
        counted("agent_proxy_repairs_total", part=part, kind="schema") as of_schema,
    ):
        reader = Reader(asked, check_chars=1000)
        reader.begin(quoted=False)
        for piece in cut_into(answer, size):
            list(reader.feed(piece))
        list(reader.flush())
    assert (of_syntax, of_schema) == ([syntax], [schema])
