"""What an agent is asked when it may remember earlier requests."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from operator import truediv
from typing import Any

import pytest

from custom_handler.conversations import Conversations, Memory, Scope
from custom_handler.disarm import disarm, restore
from custom_handler.engine import answer
from custom_handler.errors import (
    AgentRefusedError,
    BridgeError,
    BrokenAnswerError,
    ContextWindowError,
    NoCallError,
    RateLimitedError,
    RequestError,
)
from custom_handler.events import Event, Finish, Text, ToolCall, Usage
from custom_handler.folding import Folded
from custom_handler.markers import START, render_call
from custom_handler.metrics import CONVERSATIONS
from custom_handler.output import OutputFormat
from custom_handler.prompt import render
from custom_handler.request import ChatRequest, Message, PastCall, Tool, ToolChoice
from custom_handler.settings import Account, CallPolicy
from custom_handler.upstream.base import ConversationLostError, Delta, Piece, Query, Report
from tests.conftest import AGENT
from tests.support.agent import Agent

NUMBER = Tool("add", "", {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]})
GOOD, BAD = render_call("add", '{"n": 1}'), render_call("add", '{"n": "many"}')
REPORT = Report(stop_reason="stop")
Step = Sequence[Piece | Exception]


def saying(text: str, tokens: int | None = None) -> Step:
    """A good answer, to a prompt that the service counts so many tokens of."""
    return [Delta(text), Report(tokens, tokens and 5, "stop")]


class Remembering(Agent):
    """An agent that confirms each conversation; without a script it says "Yes."."""

    def __init__(self, *steps: Step) -> None:
        super().__init__(*(steps[0] if steps else ()), then=steps[1:])
        self.answers = list(steps)

    async def stream(self, query: Query) -> AsyncGenerator[Piece, None]:
        self.answers = self.answers or [saying("Yes.")]
        async with aclosing(super().stream(query)) as pieces:
            async for piece in pieces:
                yield replace(piece, conversation_id=query.conversation_id) if isinstance(piece, Report) else piece


class Chat:
    """A client that sends its whole history with every request."""

    def __init__(self, agent: Agent, **fields: Any) -> None:
        self.agent = agent
        self.conversations = Conversations()
        self.asked = ChatRequest((Message("system", "Be brief."),), tools=(NUMBER,))
        self.asked = replace(self.asked, **fields)
        self.policy = CallPolicy()
        self.limit = 272_000

    @property
    def memory(self) -> Memory | None:
        return self.conversations.of(Scope("key", "id", AGENT, Account("realm", "id", "secret")), None)

    async def say(self, *messages: Message, **fields: Any) -> list[Event]:
        """Send `messages` behind all that was said, and add the answer."""
        asked = replace(self.asked, messages=(*self.asked.messages, *messages), **fields)
        given, events = Folded(), []
        async for event in answer(asked, self.agent, len, self.policy, self.limit, self.memory):
            given.take(event)
            events.append(event)
        calls = tuple(PastCall(f"c{number}", call.name, call.arguments) for number, call in enumerate(given.calls))
        self.asked = replace(self.asked, messages=(*asked.messages, Message("assistant", given.text, calls)))
        return events

    async def ask(self, text: str = "And now?", **fields: Any) -> list[Event]:
        return await self.say(Message("user", text), **fields)

    @property
    def last(self) -> Query:
        return self.agent.queries[-1]

    @property
    def continued(self) -> bool:
        """Whether the last question was asked in the conversation of the one before."""
        *_, before, last = self.agent.queries
        return last.continues and last.conversation_id == before.conversation_id

    @property
    def sent_anew(self) -> bool:
        """Whether the last question had everything in it, and was asked in another conversation than all before."""
        *before, last = self.agent.queries
        return (
            not last.continues
            and last.conversation_id not in {query.conversation_id for query in before}
            and all(message.text in restore(last.prompt) for message in self.asked.messages[:-1])
        )


async def test_of_what_an_agent_remembers_only_what_is_new_is_sent_and_all_the_rest_as_ever() -> None:
    chat = Chat(Remembering(*[saying('{"a": 1}')] * 2), output=OutputFormat())
    await chat.ask("First question.")
    await chat.ask("Second question.")
    assert chat.continued
    first, second = chat.agent.prompts
    assert second == first.replace("First question.", "Second question.")
    assert all(part in second for part in ("Be brief.", "add(", "JSON object"))


async def test_a_plain_question_is_sent_as_it_is_also_later_on() -> None:
    chat = Chat(Remembering(), messages=(), tools=())
    await chat.ask("My name is Ana.")
    await chat.ask("What is my name?")
    assert chat.agent.prompts == ["My name is Ana.", "What is my name?"]
    assert chat.continued


async def test_results_keep_the_labels_of_their_calls() -> None:
    chat = Chat(Remembering(saying(f"{GOOD}\n{GOOD}")), tools=(NUMBER, replace(NUMBER, name="run")))
    await chat.ask()
    await chat.say(Message("tool", "two", tool_call_id="c1"), Message("tool", "one", tool_call_id="c0"))
    assert chat.continued
    results = ['<tool_result name="add" call="2">\ntwo', '<tool_result name="add" call="1">\none']
    assert "\n</tool_result>\n".join(results) in chat.last.prompt
    assert "FUNCTION_CALL_START\nadd" not in chat.last.prompt


async def test_what_was_quoted_in_an_earlier_turn_is_put_back_in_a_later_answer() -> None:
    chat = Chat(Remembering(saying("I see."), saying(f"It says {disarm(START)}.")))
    await chat.ask(f"The file has {START} in it.")
    assert Text(f"It says {START}.") in await chat.ask("What does it say?")
    assert chat.continued


async def test_usage_is_what_the_service_counts_and_else_an_estimate_of_what_was_sent() -> None:
    chat = Chat(Remembering(saying("ok"), saying("ok"), [Delta("ok"), Report(700, 3, "stop")]))
    await chat.ask()
    assert Usage(len(chat.agent.prompts[0]), 2) in await chat.ask()
    assert Usage(700, 3) in await chat.ask()


# When the agent does not remember


@pytest.mark.parametrize("told", [Report(5, 1, "stop"), Report(5, 1, "stop", "01BX5ZZKBKACTAV9WEVGEMMVRZ"), Report()])
async def test_what_the_service_does_not_confirm_is_sent_anew(told: Report) -> None:
    chat = Chat(Agent(Delta("Yes."), told, then=[[Delta("Yes."), told]]))
    await chat.ask()
    await chat.ask()
    assert chat.sent_anew


async def test_the_log_says_once_that_an_agent_does_not_remember(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    chat = Chat(Agent(*saying("Yes."), then=[saying("Yes.")] * 2))
    for _ in range(3):
        await chat.ask()
    (line,) = [record.message for record in caplog.records if record.name == "custom_handler.conversations"]
    assert "conversational mode" in line


CUT: dict[str, tuple[Step, dict[str, Any]]] = {
    "max_tokens": ([Delta("x" * 50), REPORT], {"max_tokens": 10}),
    "a stop word": ([Delta("one STOP"), REPORT], {"stops": ("STOP",)}),
    "a stop word that only the end decides": ([Delta("one ab"), REPORT], {"stops": ("b", "abc")}),
    "max_tokens, in the last word": ([Delta("one two three"), REPORT], {"max_tokens": 10}),
    "the service, by length": ([Delta("one"), Report(stop_reason="length")], {}),
    "a filter of the service": ([Delta("one"), Report(stop_reason="content_filter")], {}),
    "the end, inside a call": ([Delta("one " + GOOD[:-30]), REPORT], {}),
    "the end, inside a second call": ([Delta(f"{GOOD}\n{GOOD[:-30]}"), REPORT], {}),
    "nothing that was said": ([REPORT], {}),
    "blanks alone": ([Delta(" \n"), REPORT], {}),
    "results that were invented": ([Delta(GOOD + "\n<tool_result>\n2\n</tool_result>"), REPORT], {}),
    "a second call": (saying(f"{GOOD}\n{GOOD}"), {"parallel_tool_calls": False}),
    "a second call that is broken": ([Delta(f"{GOOD}\n{BAD}"), REPORT], {"parallel_tool_calls": False}),
    "an unreadable second call": ([Delta(GOOD + GOOD.replace("{", "(")), REPORT], {"parallel_tool_calls": False}),
}


@pytest.mark.parametrize(("step", "fields"), CUT.values(), ids=CUT)
async def test_when_the_client_was_given_less_than_the_agent_said_all_is_sent_anew(
    step: Step, fields: dict[str, Any]
) -> None:
    chat = Chat(Remembering(step))
    await chat.ask(**fields)
    await chat.ask()
    assert chat.sent_anew


@pytest.mark.parametrize("error", [BrokenAnswerError("cut"), RateLimitedError("busy", retry_after=1), ValueError("?")])
@pytest.mark.parametrize("before", [[], [Delta("Y")]])
async def test_after_a_failure_all_is_sent_anew(before: list[Piece], error: Exception) -> None:
    chat = Chat(Remembering(saying("Yes."), [*before, error]))
    await chat.ask()
    with pytest.raises(type(error)):
        await chat.ask()
    assert len(chat.agent.queries) == 2
    await chat.ask()
    assert chat.sent_anew


async def test_after_an_answer_that_nobody_waited_for_all_is_sent_anew() -> None:
    chat = Chat(Remembering(saying("Yes."), [Delta("a"), Delta("b"), REPORT]))
    await chat.ask()
    asked = replace(chat.asked, messages=(*chat.asked.messages, Message("user", "More?")))
    events = answer(asked, chat.agent, len, memory=chat.memory)
    await anext(events)
    await events.aclose()
    await chat.ask("More?")
    assert chat.sent_anew


async def test_an_answer_that_is_an_error_for_the_client_is_not_remembered() -> None:
    chat = Chat(Remembering(saying("No."), saying("No!")))
    with pytest.raises(NoCallError):
        await chat.ask(tool_choice=ToolChoice("required"))
    await chat.ask()
    assert chat.sent_anew


@pytest.mark.parametrize(("text", "continued"), [("I add. ", True), ("", True), ("I subtract.", False)])
async def test_text_beside_calls_may_be_missing_and_not_be_another(text: str, continued: bool) -> None:
    chat = Chat(Remembering(saying(f"I add.\n{GOOD}")))
    await chat.ask()
    *earlier, called = chat.asked.messages
    assert called.text == "I add.\n"
    chat.asked = replace(chat.asked, messages=(*earlier, replace(called, text=text)))
    await chat.say(Message("tool", "2", tool_call_id="c0"))
    assert chat.continued == continued
    assert chat.sent_anew != continued


# When a conversation cannot be continued


@pytest.mark.parametrize(
    "refusal",
    [ContextWindowError("too long"), RequestError("unknown"), AgentRefusedError("no"), ConversationLostError("?")],
)
async def test_a_conversation_that_cannot_be_continued_is_sent_anew_and_continued_from_there(
    refusal: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    chat = Chat(Remembering(saying("Yes."), [refusal]))
    await chat.ask()
    assert Text("Yes.") in await chat.ask()
    assert chat.sent_anew
    assert [query.follow_up for query in chat.agent.queries] == [False, False, True], "it has waited for its turn"
    assert "cannot be continued" in caplog.text
    await chat.ask()
    assert chat.continued


async def test_what_is_too_long_for_the_agent_even_so_is_shortened_once() -> None:
    too_long = ContextWindowError("limit of 1000 tokens. Your messages resulted in 2000 tokens.")
    chat = Chat(Remembering(saying("Yes."), [too_long], [too_long]))
    await chat.ask("x" * 5_000)
    await chat.ask()
    assert [query.continues for query in chat.agent.queries] == [False, True, False, False]
    assert len(chat.last.prompt) < len(chat.agent.prompts[2])
    assert "left out" in chat.last.prompt
    chat.agent.answers = [[too_long]] * 3
    with pytest.raises(ContextWindowError):
        await chat.ask()
    assert len(chat.agent.queries) == 7


async def test_what_was_refused_costs_nothing() -> None:
    chat = Chat(Remembering(saying("Yes."), [RequestError("unknown")], [Delta("Yes."), Report(9, 2, "stop")]))
    await chat.ask()
    assert Usage(9, 2) in await chat.ask()


@pytest.mark.parametrize(("limit", "continued"), [(9_000, True), (7_000, False)])
async def test_a_memory_that_is_nearly_full_is_begun_anew(
    limit: int, continued: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    chat = Chat(Remembering(saying("Yes.", 6_000), saying("Yes.", 9_000)))
    await chat.ask("x" * 1_000)
    chat.limit = limit
    await chat.ask("y" * 1_000)
    assert chat.continued == continued
    assert chat.sent_anew != continued
    assert ("has grown too long" in caplog.text) != continued


async def test_where_the_service_does_not_count_its_memory_is_estimated() -> None:
    chat = Chat(Remembering(), messages=(), tools=())
    chat.limit = 1_000
    continued = []
    for _ in range(3):
        await chat.ask("é" * 350)
        continued.append(chat.last.continues)
    assert continued == [False, True, False]


async def test_tools_that_were_sent_again_and_again_are_not_read_again_and_again() -> None:
    chat = Chat(Remembering())
    remembered, whole = [0], []
    for _ in range(40):
        await chat.ask()
        remembered.append(len(chat.last.prompt) + (remembered[-1] + len("Yes.") if chat.last.continues else 0))
        whole.append(len(render(replace(chat.asked, messages=chat.asked.messages[:-1]))))
    assert max(map(truediv, remembered[1:], whole)) < 5
    assert sum(not query.continues for query in chat.agent.queries) <= 10


# When the service has forgotten


async def test_a_service_that_counts_less_than_it_should_remember_is_not_relied_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    chat = Chat(Remembering(*[saying("Yes.", tokens) for tokens in (600, 500, 500, 600)]))
    await chat.ask()
    await chat.ask()
    assert chat.continued
    assert "has forgotten" in caplog.text
    assert chat.memory is None
    await chat.ask()
    assert chat.last.conversation_id is None
    assert "Be brief." in chat.last.prompt


async def test_it_is_relied_on_again_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    chat = Chat(Remembering(saying("Yes.", 600), saying("Yes.", 500)))
    await chat.ask()
    monkeypatch.setenv("STACKSPOT_CONVERSATION_TTL", "0.000001")
    await chat.ask()
    assert chat.continued
    await chat.ask()
    assert chat.sent_anew


async def test_a_service_that_counts_what_it_remembers_is_relied_on() -> None:
    chat = Chat(Remembering(*[saying("Yes.", tokens) for tokens in (600, 1_200, 1_800)]))
    for _ in range(3):
        await chat.ask()
    assert chat.continued


# Hidden questions


async def test_a_complaint_is_made_alone_where_the_agent_remembers_what_it_is_about() -> None:
    chat = Chat(Remembering(saying(f"ok {BAD}"), saying(f"Sorry. {GOOD}")))
    assert (await chat.ask())[:2] == [Text("ok "), ToolCall("add", '{"n": 1}')]
    assert chat.continued
    assert chat.last.follow_up
    assert chat.last.prompt.startswith("This could not be carried out")
    await chat.say(Message("tool", "2", tool_call_id="c0"))
    assert chat.continued
    assert [query.conversation_id for query in chat.agent.queries[1:]] == [chat.last.conversation_id] * 2


async def test_a_complaint_that_brings_nothing_is_remembered_as_well() -> None:
    chat = Chat(Remembering(saying(f"ok {BAD}"), saying("I cannot.")))
    await chat.ask()
    await chat.ask()
    assert chat.continued


async def test_where_the_agent_does_not_remember_a_complaint_repeats_everything() -> None:
    chat = Chat(Agent(*saying(f"ok {BAD}"), then=[saying(GOOD)]))
    await chat.ask()
    assert chat.last.prompt.startswith(chat.agent.prompts[0])
    assert chat.last.conversation_id is None
    assert not chat.last.continues


@pytest.mark.parametrize("refusal", [ConversationLostError("?"), ContextWindowError("too long"), RequestError("?")])
@pytest.mark.parametrize("turns", [0, 1])
async def test_a_complaint_that_cannot_be_made_alone_repeats_everything_and_all_is_sent_anew_later(
    refusal: Exception, turns: int
) -> None:
    chat = Chat(Remembering(*[saying("Yes.")] * turns, saying(f"ok {BAD}"), [refusal], saying(GOOD)))
    for _ in range(turns):
        await chat.ask("An earlier question.")
    assert ToolCall("add", '{"n": 1}') in await chat.ask("A question.")
    assert all(part in chat.last.prompt for part in ("Be brief.", "A question.", BAD, "could not be carried out"))
    assert ("An earlier question." in chat.last.prompt) == bool(turns)
    assert (chat.last.conversation_id, chat.last.continues, chat.last.follow_up) == (None, False, True)
    await chat.say(Message("tool", "2", tool_call_id="c0"))
    assert chat.sent_anew


@pytest.mark.parametrize("error", [RateLimitedError("busy", retry_after=1), BrokenAnswerError("cut")])
async def test_after_a_complaint_that_failed_all_is_sent_anew(error: BridgeError) -> None:
    chat = Chat(Remembering(saying(f"ok {BAD}"), [error]))
    assert (await chat.ask())[-1] == Finish("stop")
    await chat.ask()
    assert chat.sent_anew


async def test_a_value_is_put_right_in_the_conversation() -> None:
    person = OutputFormat({"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]})
    values = ('{"age": "old"}', '{"age": 7}', '{"age": 8}')
    chat = Chat(Remembering(*map(saying, values)), tools=(), output=person)
    assert Text('{"age": 7}') in await chat.ask()
    first, repair = chat.agent.queries
    assert (repair.conversation_id, repair.continues) == (first.conversation_id, False)
    await chat.ask()
    assert chat.continued


async def test_a_value_that_was_cut_when_it_was_put_right_is_not_remembered() -> None:
    chat = Chat(Remembering(saying("No."), saying('{"a":"xxxxxxxxxx"}')), tools=(), output=OutputFormat())
    assert (await chat.ask(max_tokens=10))[-1] == Finish("length")
    await chat.ask(output=None)
    assert chat.sent_anew


async def test_an_answer_without_a_word_is_asked_for_in_another_conversation() -> None:
    one, two, three = (saying(f'{{"a": {number}}}') for number in range(3))
    chat = Chat(Remembering(one, [REPORT], two, three), tools=(), output=OutputFormat())
    await chat.ask("One.")
    await chat.ask("Two.")
    assert chat.sent_anew
    assert chat.last.follow_up
    await chat.ask("Three.")
    assert chat.continued


# What is counted


def counted() -> dict[str, float]:
    return {
        sample.labels["outcome"]: sample.value
        for metric in CONVERSATIONS.collect()
        for sample in metric.samples
        if sample.name.endswith("_total")
    }


async def test_every_answered_request_is_counted_by_what_became_of_it() -> None:
    before = counted()
    chat = Chat(Remembering(*[saying("Yes.", tokens) for tokens in (600, 1_200, 1_800, 100)]))
    for _ in range(2):
        await chat.ask()
    chat.limit = 1_500
    await chat.ask()
    chat.limit = 272_000
    await chat.ask()
    await chat.ask()
    after = counted()
    gained = {outcome: value - before.get(outcome, 0) for outcome, value in after.items()}
    assert gained == {"new": 1, "hit": 1, "restarted": 1, "forgotten": 1}
