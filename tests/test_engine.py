"""One answer as a sequence of events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from custom_handler.attachments import Attachment
from custom_handler.disarm import disarm
from custom_handler.engine import answer
from custom_handler.errors import BadOutputError, BrokenAnswerError, ContextWindowError, NoCallError
from custom_handler.events import (
    CallArguments,
    CallBegan,
    Event,
    Finish,
    Reasoning,
    Source,
    Sources,
    Text,
    ToolCall,
    Usage,
)
from custom_handler.markers import render_call
from custom_handler.output import OutputFormat
from custom_handler.request import ChatRequest, Message, Tool, ToolChoice
from custom_handler.settings import CallPolicy
from custom_handler.upstream.base import Delta, Piece, Report
from tests.support.agent import Agent
from tests.support.figures import counted, labelled
from tests.support.pieces import cut_into

ASKED = ChatRequest((Message("user", "Hi"),), tools=(Tool("run", "", {}),))


async def events_of(agent: Agent, asked: ChatRequest = ASKED, policy: CallPolicy | None = None) -> Sequence[Event]:
    return [event async for event in answer(asked, agent, len, policy)]


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


def with_image(text: str) -> Message:
    """A message with an image of the name that it says."""
    image = Attachment(f"{text}.png", "image/png", b"", text)
    return Message("user", f"{text}\n[attached file: {text}.png]", files=(image,))


async def test_files_come_with_every_question() -> None:
    asked = ChatRequest((with_image("a"), Message("assistant", "ok"), with_image("b")), ASKED.tools)
    broken = render_call("walk", "{}")
    agent = Agent(Delta(broken), Report(1, 1), then=[[Delta("Done."), Report(1, 1)]])
    await events_of(agent, asked)
    assert agent.files == [["a.png", "b.png"]] * 2
    assert agent.prompts[0].index("[attached file: a.png]") < agent.prompts[0].index("[attached file: b.png]")


@pytest.mark.parametrize("refused", [False, True])
async def test_files_of_turns_that_are_left_out_are_left_out(refused: bool) -> None:
    asked = ChatRequest((with_image("a" * 400), Message("assistant", "ok"), with_image("b")))
    answer_: list[Piece | Exception] = [Delta("Done."), Report(1, 1)]
    agent = Agent(ContextWindowError("too long"), then=[answer_]) if refused else Agent(*answer_)
    limit = 10_000 if refused else 350
    async for _ in answer(asked, agent, len, max_input_tokens=limit):
        pass
    assert agent.files[-1] == ["b.png"]
    assert "aaa" not in agent.prompts[-1]


async def test_sources_of_all_questions_come_once_and_before_usage() -> None:
    manual, wiki = Source("Manual", "https://a.example"), Source("Wiki", "")
    agent = Agent(
        Delta(render_call("walk", "{}")),
        Report(1, 1, sources=(manual,)),
        then=[[Delta("Done."), Report(1, 1, sources=(wiki, manual))]],
    )
    *_, sources, usage, finish = await events_of(agent)
    assert (sources, usage, finish) == (Sources((manual, wiki)), Usage(2, 2), Finish("stop"))


NUMBER = Tool("add", "", {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]})
STRICT = ChatRequest(ASKED.messages, (NUMBER,))
REPORT = Report(10, 2, "stop")


async def test_harmless_differences_are_put_right_as_the_schema_says() -> None:
    agent = Agent(Delta(render_call("add", '{"n": "5"}')), REPORT)
    assert (await events_of(agent, STRICT))[0] == ToolCall("add", '{"n": 5}')
    assert len(agent.prompts) == 1


async def test_a_call_that_fits_passes_as_it_was_written() -> None:
    agent = Agent(Delta(render_call("add", '{ "n":5 }')), REPORT)
    assert (await events_of(agent, STRICT))[0] == ToolCall("add", '{ "n":5 }')


@pytest.mark.parametrize(
    "broken",
    [
        render_call("add", '{"n": "many"}'),
        render_call("add", "{}"),
        render_call("subtract", '{"n": 5}'),
        "FUNCTION_CALL_START\nadd\narguments: {n}\nFUNCTION_CALL_END",
    ],
)
async def test_a_broken_call_is_followed_up_once_with_what_is_wrong(broken: str) -> None:
    agent = Agent(Delta(f"ok {broken}"), REPORT, then=[[Delta("sorry " + render_call("add", '{"n": 5}')), REPORT]])
    assert await events_of(agent, STRICT) == [
        Text("ok "),
        ToolCall("add", '{"n": 5}'),
        Usage(20, 4),
        Finish("tool_calls"),
    ]
    first, second = agent.prompts
    assert second.startswith(first)
    assert broken in second.removeprefix(first)


@pytest.mark.parametrize("then", [[[BrokenAnswerError("down")]], [[Delta("I cannot"), REPORT]]])
async def test_a_follow_up_that_brings_nothing_leaves_the_first_answer_standing(
    then: list[list[Piece | Exception]],
) -> None:
    broken = render_call("add", '{"n": "many"}')
    events = await events_of(Agent(Delta(f"ok {broken}"), REPORT, then=then), STRICT)
    assert events[:2] == [Text("ok "), Text(broken)]
    assert events[-1] == Finish("stop")


async def test_a_follow_up_that_is_refused_costs_nothing() -> None:
    agent = Agent(Delta("ok " + render_call("add", "{}")), REPORT, then=[[BrokenAnswerError("down")]])
    assert Usage(10, 2) in await events_of(agent, STRICT)


async def test_a_call_that_stays_broken_is_sent_as_it_is_where_that_is_wanted() -> None:
    broken = Delta(render_call("add", '{"n": "many"}'))
    policy = CallPolicy(broken_calls="call")
    events = await events_of(Agent(broken, REPORT, then=[[broken, REPORT]]), STRICT, policy)
    assert events[0] == ToolCall("add", '{"n": "many"}')
    assert events[-1] == Finish("tool_calls")


async def test_without_follow_ups_nobody_is_asked_again() -> None:
    agent = Agent(Delta(render_call("add", "{}")), REPORT)
    await events_of(agent, STRICT, CallPolicy(follow_ups=0))
    assert len(agent.prompts) == 1


@pytest.mark.parametrize("size", [1, 7, 10_000])
async def test_a_long_call_is_sent_as_it_is_written(size: int) -> None:
    arguments = '{"code": "' + "x" * 1500 + '"}'
    text = render_call("run", arguments)
    pieces = [Delta(piece) for piece in cut_into(text, size)]
    events = await events_of(Agent(*pieces, REPORT))
    assert events[0] == CallBegan("run")
    assert "".join(event.text for event in events if isinstance(event, CallArguments)) == arguments
    assert events[-1] == Finish("tool_calls")


async def test_a_long_call_comes_without_what_agents_add_by_themselves() -> None:
    text = render_call("run", '{"step_id": 1, "code": "' + "x" * 1500 + '", "tool_execution_id": "a"}')
    events = await events_of(Agent(*map(Delta, cut_into(text, 7)), REPORT))
    arguments = "".join(event.text for event in events if isinstance(event, CallArguments))
    assert arguments == '{"code": "' + "x" * 1500 + '"}'


async def test_a_version_that_is_written_like_a_number_keeps_its_digits() -> None:
    tool = Tool("add", "", {"type": "object", "properties": {"n": {"type": "string"}}})
    agent = Agent(Delta(render_call("add", '{"n": 1.10}')), REPORT)
    assert (await events_of(agent, ChatRequest(ASKED.messages, (tool,))))[0] == ToolCall("add", '{"n": "1.10"}')


async def test_a_long_call_that_is_cut_on_its_way_ends_by_length() -> None:
    agent = Agent(Delta('FUNCTION_CALL_START\nrun\narguments: {"code": "' + "x" * 1500), REPORT)
    assert (await events_of(agent))[-1] == Finish("length")
    assert len(agent.prompts) == 1


@pytest.mark.parametrize("choice", [ToolChoice("required"), ToolChoice("named", "add")])
async def test_an_answer_without_the_call_that_is_wanted_is_followed_up(choice: ToolChoice) -> None:
    asked = ChatRequest(ASKED.messages, (NUMBER,), choice)
    agent = Agent(Delta("No."), REPORT, then=[[Delta(render_call("add", '{"n": 1}')), REPORT]])
    assert (await events_of(agent, asked))[1] == ToolCall("add", '{"n": 1}')
    with pytest.raises(NoCallError, match="tool_choice"):
        await events_of(Agent(Delta("No."), REPORT, then=[[Delta("No!"), REPORT]]), asked)


async def test_a_named_choice_lets_no_other_tool_be_called() -> None:
    asked = ChatRequest(ASKED.messages, (NUMBER, Tool("run", "", {})), ToolChoice("named", "add"))
    agent = Agent(Delta(render_call("run", "{}")), REPORT, then=[[Delta(render_call("add", '{"n": 1}')), REPORT]])
    assert (await events_of(agent, asked))[0] == ToolCall("add", '{"n": 1}')


async def test_only_the_first_call_is_sent_where_one_is_wanted() -> None:
    asked = ChatRequest(ASKED.messages, ASKED.tools, parallel_tool_calls=False)
    agent = Agent(Delta(render_call("run", '{"a": 1}') + render_call("run", '{"a": 2}')), REPORT)
    assert await events_of(agent, asked) == [ToolCall("run", '{"a": 1}'), Usage(10, 2), Finish("tool_calls")]


async def test_what_the_model_thinks_is_no_text_and_no_call() -> None:
    thought = "maybe " + render_call("run", "{}")
    agent = Agent(Delta(f"<think>{thought}</think>Hi"), REPORT)
    assert await events_of(agent) == [Reasoning(thought), Text("Hi"), Usage(10, 2), Finish("stop")]


async def test_a_follow_up_that_breaks_inside_a_call_that_is_being_sent_is_an_error() -> None:
    begun = 'FUNCTION_CALL_START\nrun\narguments: {"a": "' + "x" * 2_000
    agent = Agent(Delta("none"), Report(1, 1), then=[[Delta(begun), BrokenAnswerError("cut")]])
    wanted = ChatRequest(ASKED.messages, ASKED.tools, ToolChoice("required"))
    with pytest.raises(BrokenAnswerError):
        await events_of(agent, wanted)


@pytest.mark.parametrize("value", ["1" * 5_000, "[" * 3_000 + "]" * 3_000], ids=["long number", "deep list"])
async def test_arguments_that_python_cannot_read_are_sent_unchecked(value: str) -> None:
    agent = Agent(Delta(render_call("run", f'{{"a": {value}}}')), Report(1, 1))
    events = await events_of(agent, policy=CallPolicy(check_chars=100_000))
    assert events[0] == ToolCall("run", f'{{"a": {value}}}')


async def test_what_the_model_quotes_of_disarmed_text_comes_as_it_was() -> None:
    marker = "FUNCTION_CALL_START"
    quoted = disarm(marker)
    asked = ChatRequest((Message("system", f"Never write {marker}."), *ASKED.messages), ASKED.tools)
    call = render_call("run", f'{{"a": "{quoted}"}}')
    agent = Agent(Delta(f"It is {quoted[:12]}"), Delta(f"{quoted[12:]}.\n{call}"), Report(1, 1))
    events = await events_of(agent, asked)
    assert marker not in agent.prompts[0].partition("<tools>")[0]
    assert "".join(event.text for event in events if isinstance(event, Text)) == f"It is {marker}.\n"
    assert ToolCall("run", f'{{"a": "{marker}"}}') in events


async def test_a_broken_call_that_quotes_a_marker_is_disarmed_for_the_agent_and_restored_for_the_client() -> None:
    marker = "FUNCTION_CALL_START"
    asked = ChatRequest((Message("system", f"Never write {marker}."), *ASKED.messages), (NUMBER,))
    broken = Delta(render_call("add", f'{{"n": "{disarm(disarm(marker))}"}}'))
    agent = Agent(broken, REPORT, then=[[Delta("I cannot"), REPORT]])
    assert (await events_of(agent, asked))[0] == Text(render_call("add", f'{{"n": "{disarm(marker)}"}}'))
    assert broken.text in agent.prompts[1].partition("could not be carried out")[2]


def asked_for(**fields: Any) -> ChatRequest:
    return replace(ChatRequest(ASKED.messages), **fields)


def text_in(events: Sequence[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Text))


LATER = Delta("what nobody asked for")


# Where the answer ends.


async def test_a_stop_word_ends_the_answer_and_the_call_to_the_agent() -> None:
    agent = Agent(Delta("one two th"), Delta("ree four"), LATER, REPORT)
    events = await events_of(agent, asked_for(stops=("three",)))
    assert text_in(events) == "one two "
    assert events[-1] == Finish("stop")
    assert agent.closed
    assert events[-2] == Usage(len(agent.prompts[0]), len("one two three four"))


async def test_a_stop_word_before_the_call_that_is_wanted_is_followed_up() -> None:
    asked = replace(ASKED, tool_choice=ToolChoice("required"), stops=("Observation:",))
    agent = Agent(Delta("I run it. Observation: 5"), REPORT, then=[[Delta(render_call("run", "{}")), REPORT]])
    assert ToolCall("run", "{}") in await events_of(agent, asked)


async def test_the_last_token_ends_the_answer_and_the_call_to_the_agent() -> None:
    agent = Agent(Delta("x" * 50), Delta("x" * 100), LATER, REPORT)
    events = await events_of(agent, asked_for(max_tokens=100))
    assert text_in(events) == "x" * 100
    assert events[-1] == Finish("length")
    assert agent.closed


@pytest.mark.parametrize("arguments", ['{"a": "' + "x" * 200 + '"}', '{"a": "' + "x" * 2000 + '"}'])
async def test_a_call_beyond_the_last_token_is_not_to_be_run(arguments: str) -> None:
    agent = Agent(Delta("ok " + render_call("run", arguments)), REPORT)
    events = await events_of(agent, replace(ASKED, max_tokens=100))
    assert not any(isinstance(event, ToolCall) for event in events)
    assert events[-1] == Finish("length")
    assert len(agent.prompts) == 1


async def test_an_answer_that_is_cut_lacks_no_call() -> None:
    asked = replace(ASKED, tool_choice=ToolChoice("required"), max_tokens=10)
    assert (await events_of(Agent(Delta("x" * 50), REPORT), asked))[-1] == Finish("length")


# The JSON value that an answer must be.

PERSON = OutputFormat({"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]})


async def test_only_the_value_reaches_the_client() -> None:
    agent = Agent(Delta("Sure:\n```json\n{'age'"), Delta(": 7}\n```\nAnything else?"), REPORT)
    events = await events_of(agent, asked_for(output=OutputFormat()))
    assert events == [Text('{"age"'), Text(": 7}"), Usage(10, 2), Finish("stop")]
    assert "JSON object" in agent.prompts[0]


@pytest.mark.parametrize("first", ['{"age": "old"}', "She is seven.", '{"age": '])
async def test_a_value_that_does_not_fit_is_asked_for_once_more(first: str) -> None:
    agent = Agent(Delta(first), REPORT, then=[[Delta('{"age": 7}'), REPORT]])
    events = await events_of(agent, asked_for(output=PERSON))
    assert events == [Text('{"age": 7}'), Usage(20, 4), Finish("stop")]
    assert first.strip() in agent.prompts[1]


@pytest.mark.parametrize("then", [[Delta("{}"), REPORT], [Delta("No."), REPORT], [BrokenAnswerError("down")]])
async def test_a_value_that_stays_bad_is_given_as_it_is_unless_the_client_relies_on_the_schema(
    then: list[Piece | Exception],
) -> None:
    first = Delta('{"age": "old"}')
    assert text_in(await events_of(Agent(first, REPORT, then=[then]), asked_for(output=PERSON))) == first.text
    with pytest.raises(BadOutputError, match="response_format"):
        await events_of(Agent(first, REPORT, then=[then]), asked_for(output=replace(PERSON, strict=True)))


async def test_an_answer_without_any_value_is_an_error() -> None:
    agent = Agent(Delta("No."), REPORT, then=[[Delta("No!"), REPORT]])
    with pytest.raises(BadOutputError):
        await events_of(agent, asked_for(output=OutputFormat()))


async def test_a_repair_that_breaks_when_part_of_the_value_was_given_out_is_an_error() -> None:
    agent = Agent(Delta("No."), REPORT, then=[[Delta('{"a": '), BrokenAnswerError("cut")]])
    with pytest.raises(BrokenAnswerError):
        await events_of(agent, asked_for(output=OutputFormat()))


async def test_a_repair_that_breaks_leaves_nothing_behind_for_the_next() -> None:
    broken: list[Piece | Exception] = [Delta('{"name": "A'), BrokenAnswerError("cut")]
    agent = Agent(Delta("No."), REPORT, then=[broken, [Delta('{"age": 7}'), REPORT]])
    events = await events_of(agent, asked_for(output=PERSON), CallPolicy(follow_ups=2))
    assert events[0] == Text('{"age": 7}')


async def test_nothing_can_be_called_in_a_repair() -> None:
    agent = Agent(Delta("No."), REPORT, then=[[Delta(render_call("run", '{"age": 7}')), REPORT]])
    events = await events_of(agent, replace(ASKED, output=PERSON))
    assert events[0] == Text('{"age": 7}')


async def test_calls_come_without_the_text_around_them_and_in_place_of_the_value() -> None:
    agent = Agent(Delta("I look. " + render_call("run", "{}")), REPORT)
    events = await events_of(agent, replace(ASKED, output=PERSON))
    assert events == [ToolCall("run", "{}"), Usage(10, 2), Finish("tool_calls")]


async def test_a_broken_call_is_no_value() -> None:
    broken = Delta(render_call("add", '{"n": "many"}'))
    with pytest.raises(BadOutputError):
        await events_of(Agent(broken, REPORT, then=[[broken, REPORT]]), replace(STRICT, output=OutputFormat()))


@pytest.mark.parametrize("output", [OutputFormat(), PERSON, replace(PERSON, strict=True)])
async def test_a_value_that_the_service_cut_ends_by_length(output: OutputFormat) -> None:
    agent = Agent(Delta('{"age": 7, "name": "A'), Report(10, 2, "length"))
    events = await events_of(agent, asked_for(output=output))
    assert text_in(events) == '{"age": 7, "name": "A'
    assert events[-1] == Finish("length")


async def test_a_value_whose_end_never_came_ends_by_length() -> None:
    agent = Agent(Delta('{"age": 7, "name": "A'), REPORT)
    assert (await events_of(agent, asked_for(output=OutputFormat())))[-1] == Finish("length")


async def test_the_value_ends_at_the_limit_too() -> None:
    agent = Agent(Delta('{"a": "' + "x" * 500), LATER, REPORT)
    events = await events_of(agent, asked_for(output=OutputFormat(), max_tokens=100))
    assert text_in(events) == '{"a": "' + "x" * 93
    assert events[-1] == Finish("length")


async def test_a_strict_call_is_never_sent_broken() -> None:
    broken = Delta(render_call("add", '{"n": "many"}'))
    asked = replace(STRICT, tools=(replace(NUMBER, strict=True),))
    events = await events_of(Agent(broken, REPORT, then=[[broken, REPORT]]), asked, CallPolicy(broken_calls="call"))
    assert events[0] == Text(broken.text)


# A prompt that is too long.

LONG = ChatRequest(tuple(Message("user" if n % 2 == 0 else "assistant", f"{n} " + "x" * 500) for n in range(21)))


async def test_what_is_above_the_limit_is_left_out_and_the_log_says_so(caplog: pytest.LogCaptureFixture) -> None:
    agent = Agent(Delta("ok"), REPORT)
    events = [event async for event in answer(LONG, agent, len, max_input_tokens=5_000)]
    assert events[0] == Text("ok")
    assert len(agent.prompts[0]) <= 5_000
    assert LONG.messages[-1].text in agent.prompts[0]
    assert "left out" in caplog.text
    assert "xxx" not in caplog.text


TOO_LONG = ContextWindowError("exceed the configured limit of 1000 tokens. Your messages resulted in 2000 tokens.")


async def test_a_prompt_that_the_service_finds_too_long_is_made_smaller_once(caplog: pytest.LogCaptureFixture) -> None:
    agent = Agent(TOO_LONG, then=[[Delta("ok"), REPORT]])
    with counted("agent_proxy_retries_total", code="context_length_exceeded") as retries:
        assert await events_of(agent, LONG) == [Text("ok"), Usage(10, 2), Finish("stop")]
    assert retries == [1]
    first, second = map(len, agent.prompts)
    assert 0.3 * first < second <= 0.5 * first
    assert "left out" in caplog.text


async def test_a_prompt_that_is_still_too_long_is_an_error() -> None:
    agent = Agent(TOO_LONG, then=[[TOO_LONG]])
    with pytest.raises(ContextWindowError):
        await events_of(agent, LONG)
    assert len(agent.prompts) == 2


async def test_a_prompt_of_which_nothing_can_be_left_out_is_not_sent_again() -> None:
    agent = Agent(TOO_LONG)
    with (
        counted("agent_proxy_retries_total", code="context_length_exceeded") as retries,
        pytest.raises(ContextWindowError),
    ):
        await events_of(agent)
    assert len(agent.prompts) == 1
    assert retries == [0]


async def test_a_follow_up_that_is_too_long_leaves_the_first_answer_standing() -> None:
    broken = render_call("add", '{"n": "many"}')
    events = await events_of(Agent(Delta(broken), REPORT, then=[[TOO_LONG]]), STRICT)
    assert events[0] == Text(broken)


# Together.

WANTS_CALL = ToolChoice("required")
GOOD, BAD = render_call("add", '{"n": 1}'), render_call("add", '{"n": "many"}')


@pytest.mark.parametrize("size", [5, 1000])
async def test_a_call_behind_a_stop_word_was_never_made(size: int) -> None:
    asked = replace(STRICT, tool_choice=WANTS_CALL, stops=("STOP",))
    pieces = map(Delta, cut_into(f"I do it. STOP\n{GOOD}", size))
    agent = Agent(*pieces, REPORT, then=[[Delta(render_call("add", '{"n": 2}')), REPORT]])
    events = await events_of(agent, asked)
    assert [event for event in events if isinstance(event, ToolCall)] == [ToolCall("add", '{"n": 2}')]


async def test_a_broken_call_behind_a_stop_word_is_not_given_out() -> None:
    agent = Agent(Delta(f"I do it. STOP\n{BAD}"), REPORT)
    assert text_in(await events_of(agent, replace(STRICT, stops=("STOP",)))) == "I do it. "
    assert len(agent.prompts) == 1


async def test_no_stop_word_ends_a_block_that_is_left_over() -> None:
    policy = CallPolicy(follow_ups=0)
    assert text_in(await events_of(Agent(Delta(BAD), REPORT), replace(STRICT, stops=("many",)), policy)) == BAD


async def test_a_follow_up_about_a_call_that_fails_leaves_the_value_standing() -> None:
    agent = Agent(Delta('{"age": 7}\n' + BAD), REPORT, then=[[BrokenAnswerError("down")]])
    events = await events_of(agent, replace(STRICT, output=OutputFormat()))
    assert text_in(events) == '{"age": 7}'
    assert events[-1] == Finish("stop")


async def test_an_answer_without_a_word_is_asked_for_again_in_place_of_a_repair() -> None:
    agent = Agent(REPORT, then=[[Delta('{"age": 7}'), REPORT]])
    assert text_in(await events_of(agent, asked_for(output=PERSON))) == '{"age": 7}'
    assert agent.prompts[1] == agent.prompts[0]


@pytest.mark.parametrize(
    ("reason", "asked", "first"),
    [
        ("broken_call", STRICT, BAD),
        ("no_call", replace(STRICT, tool_choice=WANTS_CALL), "No."),
        ("announcement", STRICT, "I will add the numbers now."),
        ("bad_value", asked_for(output=PERSON), '{"age": "old"}'),
        ("empty_answer", asked_for(output=PERSON), " "),
    ],
)
async def test_a_follow_up_is_counted_by_its_reason(reason: str, asked: ChatRequest, first: str) -> None:
    before = labelled("agent_proxy_follow_ups_total", "reason")
    await events_of(Agent(Delta(first), REPORT, then=[[Delta(f'{GOOD}{{"age": 7}}'), REPORT]]), asked)
    after = labelled("agent_proxy_follow_ups_total", "reason")
    assert {one: count - before.get(one, 0) for one, count in after.items() if count > before.get(one, 0)} == {
        reason: 1
    }


async def test_an_announcement_may_be_followed_by_a_value() -> None:
    agent = Agent(Delta("I will add the numbers now."), REPORT, then=[[Delta('{"age": 7}'), REPORT]])
    assert text_in(await events_of(agent, replace(STRICT, output=PERSON))) == '{"age": 7}'


async def test_an_announcement_is_followed_up_once_and_then_the_value_is_asked_for() -> None:
    then: list[list[Piece | Exception]] = [[Delta("."), REPORT], [Delta('{"age": 7}'), REPORT]]
    agent = Agent(Delta("I will add the numbers now."), REPORT, then=then)
    assert text_in(await events_of(agent, replace(STRICT, output=PERSON), CallPolicy(follow_ups=2))) == '{"age": 7}'


async def test_what_the_model_thinks_about_a_hidden_question_stays_hidden() -> None:
    agent = Agent(Delta("No."), REPORT, then=[[Delta('<think>hm</think>{"age": 7}'), REPORT]])
    assert (await events_of(agent, asked_for(output=PERSON)))[0] == Text('{"age": 7}')


@pytest.mark.parametrize("end", [REPORT, BrokenAnswerError("cut")])
async def test_a_broken_call_that_is_not_written_again_is_not_lost(end: Piece | Exception) -> None:
    agent = Agent(Delta(f"{BAD}\n{BAD}"), REPORT, then=[[Delta(GOOD), end]])
    events = await events_of(agent, STRICT)
    assert events[:2] == [ToolCall("add", '{"n": 1}'), Text(BAD)]


async def test_where_one_call_is_wanted_an_unreadable_block_behind_it_is_dropped() -> None:
    unreadable = "FUNCTION_CALL_START\nadd\narguments: {n}\nFUNCTION_CALL_END"
    agent = Agent(Delta(f"{GOOD}\n{unreadable}"), REPORT)
    events = await events_of(agent, replace(STRICT, parallel_tool_calls=False))
    assert events == [ToolCall("add", '{"n": 1}'), Usage(10, 2), Finish("tool_calls")]


async def test_where_one_call_is_wanted_only_one_is_sent_broken() -> None:
    asked, policy = replace(STRICT, parallel_tool_calls=False), CallPolicy(follow_ups=0, broken_calls="call")
    events = await events_of(Agent(Delta(f"{BAD}\n{BAD}"), REPORT), asked, policy)
    assert events[:2] == [ToolCall("add", '{"n": "many"}'), Text(BAD)]


async def test_a_number_that_json_cannot_write_passes_as_it_is() -> None:
    agent = Agent(Delta(render_call("add", '{"n": "5", "x": 1e999}')), REPORT)
    assert (await events_of(agent, STRICT))[0] == ToolCall("add", '{"n": "5", "x": 1e999}')


async def test_a_value_that_a_filter_cut_ends_by_that() -> None:
    agent = Agent(Delta('{"a": 1, '), Report(10, 2, "content_filter"))
    assert (await events_of(agent, asked_for(output=OutputFormat())))[-1] == Finish("content_filter")


@pytest.mark.parametrize("check_chars", [1000, 5])
async def test_a_call_that_was_sent_is_not_sent_again_when_another_is_corrected(check_chars: int) -> None:
    first = render_call("run", '{"n": 1}')
    broken = "FUNCTION_CALL_START\nrun\narguments: {n}\nFUNCTION_CALL_END"
    again: list[Piece | Exception] = [Delta(render_call("run", '{ "n": 1 }') + render_call("run", '{"n": 7}')), REPORT]
    agent = Agent(Delta(f"{first}\n{broken}"), REPORT, then=[again])
    events = await events_of(agent, policy=CallPolicy(check_chars=check_chars))
    assert "".join(arguments_in(events)) == '{"n": 1}{"n": 7}'


def arguments_in(events: Sequence[Event]) -> list[str]:
    return [
        event.arguments if isinstance(event, ToolCall) else event.text
        for event in events
        if isinstance(event, ToolCall | CallArguments)
    ]


async def test_the_same_call_twice_in_one_answer_is_meant() -> None:
    agent = Agent(Delta(render_call("run", "{}") * 2), REPORT)
    assert (await events_of(agent))[:2] == [ToolCall("run", "{}")] * 2


async def test_where_a_call_must_come_and_stays_broken_no_text_is_given_out_before_the_error() -> None:
    agent = Agent(Delta(BAD), REPORT, then=[[Delta(BAD), REPORT]])
    events = answer(replace(STRICT, tool_choice=WANTS_CALL), agent, len)
    with pytest.raises(NoCallError):
        await anext(events)


@pytest.mark.parametrize(
    ("begun", "fields"),
    [
        (render_call("add", '{"n": "' + "x" * 300), {"tools": (NUMBER,)}),
        ('{"age": "' + "x" * 300, {"output": PERSON}),
        ("Prose before the value. " * 20, {"output": OutputFormat()}),
        ("<think>" + "x" * 300, {}),
    ],
)
async def test_the_last_token_closes_the_call_to_the_agent_also_where_nothing_is_seen(
    begun: str, fields: dict[str, Any]
) -> None:
    agent = Agent(Delta(begun), LATER, REPORT)
    events = await events_of(agent, asked_for(max_tokens=100, **fields))
    assert events[-1] == Finish("length")
    assert LATER.text not in text_in(events)
    assert events[-2] == Usage(len(agent.prompts[0]), 100)


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize("max_tokens", [20, 60, 110])
async def test_the_last_token_is_the_same_in_pieces(size: int, max_tokens: int) -> None:
    text = f"<think>one two three</think>\nI add. {GOOD}\n and more"
    asked = replace(STRICT, max_tokens=max_tokens)
    whole = await events_of(Agent(Delta(text), REPORT), asked)
    pieces = await events_of(Agent(*map(Delta, cut_into(text, size)), REPORT), asked)
    assert (text_in(pieces), arguments_in(pieces), pieces[-2:]) == (text_in(whole), arguments_in(whole), whole[-2:])
