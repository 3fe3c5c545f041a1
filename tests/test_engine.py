"""One answer as a sequence of events."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

import pytest

from custom_handler.engine import answer
from custom_handler.errors import BrokenAnswerError
from custom_handler.events import Event, Finish, Text, ToolCall, Usage
from custom_handler.markers import render_call
from custom_handler.request import ChatRequest, Message, Tool, ToolChoice
from custom_handler.upstream.base import Delta, Piece, Report

ASKED = ChatRequest((Message("user", "Hi"),), tools=(Tool("run", "", {}),))


class Agent:
    """An upstream that gives what it was made with; an exception in it is raised at its place."""

    def __init__(self, *pieces: Piece | Exception) -> None:
        self.pieces = pieces
        self.prompts: list[str] = []
        self.closed = False

    async def stream(self, prompt: str) -> AsyncGenerator[Piece, None]:
        self.prompts.append(prompt)
        try:
            for piece in self.pieces:
                if isinstance(piece, Exception):
                    raise piece
                yield piece
        finally:
            self.closed = True


async def events_of(agent: Agent, asked: ChatRequest = ASKED) -> Sequence[Event]:
    return [event async for event in answer(asked, agent, count_tokens=len)]


async def test_text_then_usage_then_finish() -> None:
    agent = Agent(Delta("Hel"), Delta("lo"), Report(749, 5, "stop"))
    assert await events_of(agent) == [Text("Hel"), Text("lo"), Usage(749, 5), Finish("stop")]


async def test_an_answer_with_calls_finishes_with_tool_calls() -> None:
    agent = Agent(Delta("ok " + render_call("run", '{"a": 1}')), Report(1, 1, "stop"))
    assert await events_of(agent) == [Text("ok "), ToolCall("run", '{"a": 1}'), Usage(1, 1), Finish("tool_calls")]


async def test_what_was_held_back_comes_before_the_end() -> None:
    assert await events_of(Agent(Delta("see F"), Report(1, 1))) == [
        Text("see "),
        Text("F"),
        Usage(1, 1),
        Finish("stop"),
    ]


@pytest.mark.parametrize(
    ("stop_reason", "finish"),
    [("stop", "stop"), (None, "stop"), ("length", "length"), ("max_tokens", "length"), ("content_filter",) * 2],
)
async def test_the_reason_of_the_service_is_the_reason_of_the_answer(stop_reason: str | None, finish: str) -> None:
    assert (await events_of(Agent(Delta("x"), Report(1, 1, stop_reason))))[-1] == Finish(finish)  # type: ignore[arg-type] # parametrised


async def test_an_answer_cut_inside_a_call_is_cut_by_length() -> None:
    agent = Agent(Delta('FUNCTION_CALL_START\nrun\narguments: {"a'), Report(1, 1))
    assert (await events_of(agent))[-1] == Finish("length")


async def test_calls_before_a_cut_one_are_to_be_run() -> None:
    agent = Agent(Delta(render_call("run", "{}") + '\nFUNCTION_CALL_START\nrun\narguments: {"a'), Report(1, 1))
    assert await events_of(agent) == [ToolCall("run", "{}"), Usage(1, 1), Finish("tool_calls")]


async def test_without_callable_tools_a_block_is_text() -> None:
    block = render_call("run", "{}")
    asked = ChatRequest(ASKED.messages, ASKED.tools, ToolChoice("none"))
    assert (await events_of(Agent(Delta(block), Report(1, 1)), asked))[0] == Text(block)


@pytest.mark.parametrize("report", [Report(), Report(0, 0), Report(None, 0)])
async def test_usage_is_estimated_where_the_service_gives_none(report: Report) -> None:
    agent = Agent(Delta("Hello"), report)
    assert (await events_of(agent))[-2] == Usage(len(agent.prompts[0]), len("Hello"))


async def test_an_empty_answer_has_no_completion_tokens() -> None:
    assert (await events_of(Agent(Report(7, 0, "stop"))))[-2] == Usage(7, 0)


async def test_an_error_in_the_middle_is_an_error_and_no_end() -> None:
    events = answer(ASKED, Agent(Delta("a"), BrokenAnswerError("cut")), count_tokens=len)
    assert await anext(events) == Text("a")
    with pytest.raises(BrokenAnswerError):
        await anext(events)


async def test_closing_the_answer_closes_the_call() -> None:
    agent = Agent(Delta("a"), Delta("b"), Report())
    events = answer(ASKED, agent, count_tokens=len)
    await anext(events)
    await events.aclose()
    assert agent.closed
