"""One request as a sequence of events: ask the agent, and ask again where something is missing or broken."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from dataclasses import replace
from itertools import chain

from custom_handler import budget, follow_up, metrics, tracing
from custom_handler.announcement import announces_action
from custom_handler.attachments import Attachment
from custom_handler.calls import SetAside
from custom_handler.conversations import Memory
from custom_handler.disarm import restore
from custom_handler.errors import (
    AgentRefusedError,
    BadOutputError,
    BridgeError,
    ContextWindowError,
    NoCallError,
    RequestError,
)
from custom_handler.events import Event, Finish, FinishReason, Source, Sources, Text, Usage
from custom_handler.folding import Folded
from custom_handler.follow_up import Complaint
from custom_handler.limits import LengthLimit
from custom_handler.prompt import render
from custom_handler.question import Question
from custom_handler.reader import Reader
from custom_handler.recall import Recall
from custom_handler.request import ChatRequest
from custom_handler.settings import CallPolicy
from custom_handler.upstream.base import ConversationLostError, Report, Upstream
from custom_handler.value_desk import ValueDesk

log = logging.getLogger("custom_handler.engine")

#: Only `stop` was ever seen from StackSpot; the others are what agents elsewhere say.
_FINISH: dict[str | None, FinishReason] = {
    "length": "length",
    "max_tokens": "length",
    "content_filter": "content_filter",
}
#: How a service may answer that does not know a conversation, or finds it too long; nobody has seen which it is.
_MAY_HAVE_FORGOTTEN = (ConversationLostError, RequestError, AgentRefusedError)


async def answer(
    request: ChatRequest,
    upstream: Upstream,
    count_tokens: Callable[[str], int],
    policy: CallPolicy | None = None,
    max_input_tokens: int = budget.DEFAULT_LIMIT,
    memory: Memory | None = None,
) -> AsyncGenerator[Event, None]:
    """The events of one answer.

    Args:
        request: what the client asked.
        upstream: the agent that is asked.
        count_tokens: the tokens of a text, about. Prompts and whole answers are counted off the event loop.
        policy: how calls are treated.
        max_input_tokens: what the prompt may have; a longer conversation is made to fit.
        memory: what the agent remembers of earlier requests; None when it is to remember nothing.

    Raises:
        NoCallError: the request wants a call, and the agent makes none.
        BadOutputError: the request wants a JSON value, and the agent writes none that can be given.
        BridgeError: from upstream, also in the middle of the answer.
    """
    exchange = _Exchange(request, upstream, count_tokens, policy or CallPolicy(), max_input_tokens, memory)
    given = Folded()
    async with aclosing(exchange.content()) as events:
        async for event in events:
            given.take(event)
            yield event
    usage = await exchange.usage()
    await exchange.remember(given)  # before the client knows that the answer is complete, and asks on
    yield usage
    yield Finish(exchange.finish_reason())


class _Exchange:
    """The questions to the agent that one answer takes."""

    def __init__(
        self,
        request: ChatRequest,
        upstream: Upstream,
        count_tokens: Callable[[str], int],
        policy: CallPolicy,
        max_input_tokens: int,
        memory: Memory | None,
    ) -> None:
        self._request = request
        self._upstream = upstream
        self._count_tokens = count_tokens
        self._policy = policy
        self._limit = max_input_tokens
        self._recall = Recall(memory, request, max_input_tokens, count_tokens)
        self._fitted: budget.Fitted | None = None
        self._shortened = False
        self._reader = Reader(request, policy.check_chars)
        self._questions: list[Question] = []

    async def content(self) -> AsyncGenerator[Event, None]:
        """Everything but usage and finish."""
        first = await self._recall.what_is_new() or self._recall.begin((await self._whole()).prompt)
        async with aclosing(self._ask(first)) as events:
            async for event in events:
                yield event
        while (question := await self._next_question()) is not None:
            async with aclosing(self._follow_up(question)) as events:
                async for event in events:
                    yield event
        for event in self._leftovers():
            yield event
        if sources := self._sources():
            yield Sources(sources)

    # Asking

    async def _follow_up(self, question: Question) -> AsyncGenerator[Event, None]:
        """Ask again. What fails before it has brought anything leaves the answer as it was."""
        log.info("Following up on the agent's answer: %s", question.reason)
        metrics.FOLLOW_UPS.labels(question.reason).inc()
        calls, outlet = self._reader.calls, self._reader.outlet
        before, calls.set_aside = calls.set_aside, []
        sent, missing = outlet.calls, self._missing_value
        try:
            answered = tracing.follow(self._ask(question), "follow-up", reason=question.reason)
            async with aclosing(answered) as events:
                async for event in events:
                    yield event
        except BridgeError as exc:
            if calls.on_the_way or (missing and missing.given):
                raise
            log.warning("The follow-up failed: %s", exc)
        brought = outlet.calls - sent + len(calls.set_aside)
        calls.set_aside += before[brought:]  # a call that was not written again stays as it was

    async def _ask(self, question: Question) -> AsyncGenerator[Event, None]:
        """Ask; when that was refused, ask in another way that may be accepted."""
        while True:
            try:
                async with aclosing(self._ask_once(question)) as events:
                    async for event in events:
                        yield event
                return
            except (BridgeError, ConversationLostError) as exc:
                if question.text:
                    raise
                question = replace(await self._instead_of(question, exc), again=True)
            self._questions.pop()  # what was refused has cost nothing

    async def _ask_once(self, question: Question) -> AsyncGenerator[Event, None]:
        if self._request.max_tokens:
            question.limit = LengthLimit(self._request.max_tokens, self._count_tokens)
        self._recall.conversation = None  # what the service takes in of a question that fails is not known
        self._questions.append(question)
        self._reader.begin(quoted=question.quoted, hidden=question.hidden, calls=question.calls)
        async with aclosing(self._upstream.stream(replace(question.query, files=self._files))) as pieces:
            async for piece in pieces:
                if isinstance(piece, Report):
                    question.report = piece
                    continue
                for event in self._reader.feed(question.take(piece.text)):
                    yield event
                if self._reader.outlet.ended or question.exceeded:
                    break  # and so close the call: nobody will read the rest
        if not self._reader.outlet.ended:
            for event in chain(self._reader.feed(question.rest()), self._reader.flush()):
                yield event
        await self._recall.note(question, shortened=self._reader.shortened)

    async def _instead_of(self, refused: Question, exc: Exception) -> Question:
        """What to ask in place of a question that brought nothing but `exc`, which is raised when there is nothing."""
        if refused.continues and isinstance(exc, _MAY_HAVE_FORGOTTEN):
            log.info("The conversation cannot be continued (%s); it is sent anew", exc)
            if refused.reason:
                return await self._hidden_question(Complaint(refused.reason, refused.prompt), self._questions[-2].text)
            return self._recall.begin((await self._whole()).prompt)
        if isinstance(exc, ContextWindowError) and not refused.hidden and not self._shortened:
            self._shortened = True
            self._fitted = await self._shorten(await self._whole(), exc)
            metrics.RETRIES.labels(exc.code).inc()
            return self._recall.begin(self._fitted.prompt)
        raise exc

    # Fitting

    async def _whole(self) -> budget.Fitted:
        """All that the client asked, made to fit."""
        if self._fitted is None:
            self._fitted = await self._fit()
        return self._fitted

    @property
    def _files(self) -> tuple[Attachment, ...]:
        """The files that are asked with: without those of turns that were left out."""
        return (self._fitted.request if self._fitted else self._request).attachments

    async def _fit(self) -> budget.Fitted:
        prompt = render(self._request)
        if budget.certainly_fits(prompt, self._limit):
            return budget.Fitted(self._request, prompt)
        return await self._cut(self._limit)

    async def _cut(self, limit: int) -> budget.Fitted:
        fitted = await asyncio.to_thread(budget.fit, self._request, limit, self._count_tokens)
        if fitted.summary:
            log.warning("%s", fitted.summary)
        return fitted

    async def _shorten(self, refused: budget.Fitted, exc: ContextWindowError) -> budget.Fitted:
        """Less than what was refused.

        Raises:
            ContextWindowError: the one given, when nothing more can be left out.
        """
        counted = refused.tokens
        if counted is None:
            counted = await asyncio.to_thread(self._count_tokens, refused.prompt)
        log.warning("The agent refused a prompt of %d tokens by our count: %s", counted, exc)
        shorter = await self._cut(budget.smaller(counted, exc.message))
        if len(shorter.prompt) >= len(refused.prompt):
            raise exc
        return shorter

    # Deciding

    async def _next_question(self) -> Question | None:
        """What to ask the agent now; None when the answer may stand."""
        if self._ended_early or len(self._questions) > self._policy.follow_ups:
            return None
        first, last, conversation = self._questions[0], self._questions[-1], self._recall.conversation
        if complaint := self._complaint_about_calls():
            if conversation:
                return Question(complaint.text, complaint.reason, conversation=conversation, continues=True)
            return await self._hidden_question(complaint, last.text)
        if self._missing_value is None or self._request.output is None:
            return None
        if not first.text.strip():
            return replace(self._recall.begin((await self._whole()).prompt), reason="empty_answer")
        repair = follow_up.about_value(first.text, self._missing_value.bad, self._request.output)
        return Question(repair, "bad_value", calls=False, conversation=conversation)

    async def _hidden_question(self, complaint: Complaint, answer: str) -> Question:
        """A complaint about `answer` for an agent that remembers nothing."""
        whole = await self._whole()
        return Question(follow_up.render(whole.prompt, answer, complaint), complaint.reason)

    def _complaint_about_calls(self) -> Complaint | None:
        """What is wrong with the calls so far; None when they may stand."""
        calls, request = self._reader.calls, self._request
        if calls.set_aside:
            return follow_up.about_broken(calls.set_aside)
        if self._reader.outlet.calls or not request.callable_tools:
            return None
        if request.wants_call:
            return follow_up.about_missing(request)
        if not self._policy.follow_announcements or len(self._questions) > 1:
            return None
        announced = announces_action(self._questions[0].text, request.callable_tools)
        return follow_up.ABOUT_ANNOUNCED if announced else None

    @property
    def _missing_value(self) -> ValueDesk | None:
        """The desk of the value that the answer should have and has not."""
        value = self._reader.value
        return None if value is None or value.given or self._reader.outlet.calls else value

    @property
    def _ended_early(self) -> bool:
        """The answer was cut: by the limit, inside a call, or by the service; asking again would not help."""
        first = self._questions[0]
        return first.exceeded or self._reader.calls.cut or first.report.stop_reason in _FINISH

    # Ending

    def _leftovers(self) -> Iterator[Event]:
        """What becomes of calls and of a value that are still broken.

        Raises:
            NoCallError, BadOutputError: the answer has not what the request wants, and was not cut either.
        """
        texts = []
        for left in self._reader.calls.set_aside:
            if left.call is not None and self._may_be_sent_broken(left.call.name):
                yield from self._reader.give([left.call])
            else:
                texts.append(self._as_text(left))
        value = self._missing_value
        if value is not None and (self._ended_early or not value.strict):
            yield from self._reader.give(value.give_bad())
        self._check()
        if self._reader.value is None:  # text around a JSON value would break it
            yield from self._reader.give(texts)

    def _as_text(self, left: SetAside) -> Text:
        disarmed = left.call is not None or self._questions[-1].quoted
        return Text(restore(left.raw) if disarmed else left.raw)

    def _may_be_sent_broken(self, name: str) -> bool:
        if self._policy.broken_calls != "call" or (self._reader.outlet.calls and not self._request.parallel_tool_calls):
            return False
        return not any(tool.strict for tool in self._request.tools if tool.name == name)

    def _check(self) -> None:
        if self._ended_early:
            return
        if self._request.wants_call and not self._reader.outlet.calls:
            raise NoCallError(
                "The agent made no call, although tool_choice asks for one. Try again, or use another agent."
            )
        if self._missing_value:
            raise BadOutputError(
                "The agent wrote no JSON that fits response_format. Try again, use a simpler schema, or another agent."
            )

    def finish_reason(self) -> FinishReason:
        """Calls come first: a client must run those it was given, unless the last of them was cut on its way."""
        reader, first = self._reader, self._questions[0]
        if reader.outlet.calls and not reader.calls.cut_on_the_way:
            return "tool_calls"
        if first.exceeded or reader.calls.cut:
            return "length"
        told = _FINISH.get(first.report.stop_reason)
        return told or ("length" if reader.value and reader.value.cut else "stop")

    def _sources(self) -> tuple[Source, ...]:
        """What the service drew on, over all questions."""
        return tuple(dict.fromkeys(source for question in self._questions for source in question.report.sources))

    async def usage(self) -> Usage:
        """Tokens of all questions and all answers; a follow-up that was refused has cost nothing."""
        first, *later = self._questions
        asked = [first, *(question for question in later if question.text or question.report.prompt_tokens)]
        read, written = zip(*[await question.tokens(self._count_tokens) for question in asked], strict=True)
        return Usage(sum(read), sum(written))

    async def remember(self, given: Folded) -> None:
        """Let the agent's memory be used for the client's next request, if it holds what the client was `given`."""
        complete = not self._ended_early and self.finish_reason() in ("stop", "tool_calls")
        await self._recall.keep(self._questions[0], given, complete=complete)
