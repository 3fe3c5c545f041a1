"""One request as a sequence of events: ask the agent, and ask again where something is missing or broken."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import chain

from custom_handler import budget, follow_up
from custom_handler.announcement import announces_action
from custom_handler.calls import SetAside
from custom_handler.disarm import QUOTE, restore
from custom_handler.errors import BadOutputError, BridgeError, ContextWindowError, NoCallError
from custom_handler.events import Event, Finish, FinishReason, Text, Usage
from custom_handler.limits import LengthLimit
from custom_handler.prompt import render
from custom_handler.reader import Reader
from custom_handler.request import ChatRequest
from custom_handler.settings import CallPolicy
from custom_handler.upstream.base import Query, Report, Upstream
from custom_handler.value_desk import ValueDesk

log = logging.getLogger("custom_handler.engine")

#: Only `stop` was ever seen from StackSpot; the others are what agents elsewhere say.
_FINISH: dict[str | None, FinishReason] = {
    "length": "length",
    "max_tokens": "length",
    "content_filter": "content_filter",
}


async def answer(
    request: ChatRequest,
    upstream: Upstream,
    count_tokens: Callable[[str], int],
    policy: CallPolicy | None = None,
    max_input_tokens: int = budget.DEFAULT_LIMIT,
) -> AsyncGenerator[Event, None]:
    """The events of one answer.

    Args:
        request: what the client asked.
        upstream: the agent that is asked.
        count_tokens: the tokens of a text, about. Prompts and whole answers are counted off the event loop.
        policy: how calls are treated.
        max_input_tokens: what the prompt may have; a longer conversation is made to fit.

    Raises:
        NoCallError: the request wants a call, and the agent makes none.
        BadOutputError: the request wants a JSON value, and the agent writes none that can be given.
        BridgeError: from upstream, also in the middle of the answer.
    """
    exchange = _Exchange(request, upstream, count_tokens, policy or CallPolicy())
    async with aclosing(exchange.begin(max_input_tokens)) as events:
        async for event in events:
            yield event
    while (question := exchange.next_question()) is not None:
        async with aclosing(exchange.follow_up(question)) as events:
            async for event in events:
                yield event
    for event in exchange.leftovers():
        yield event
    yield await exchange.usage()
    yield Finish(exchange.finish_reason())


@dataclass(slots=True)
class _Question:
    """One question to the agent and what came of it.

    Attributes:
        hidden, calls: as `Reader.begin` has them.
        limit: how much of the answer is read; None for all of it.
    """

    prompt: str
    hidden: bool = False
    calls: bool = True
    limit: LengthLimit | None = None
    report: Report = field(default_factory=Report)
    pieces: list[str] = field(default_factory=list)

    def take(self, text: str) -> str:
        """The part of `text` that is read now, up to the limit."""
        return self._keep(text if self.limit is None else self.limit.feed(text))

    def rest(self) -> str:
        """What was held back at the limit."""
        return self._keep("" if self.limit is None else self.limit.flush())

    def _keep(self, text: str) -> str:
        self.pieces.append(text)
        return text

    @property
    def query(self) -> Query:
        """What the service is asked."""
        return Query(self.prompt, follow_up=self.hidden)

    @property
    def text(self) -> str:
        """All that was read of what the model wrote."""
        return "".join(self.pieces)

    @property
    def exceeded(self) -> bool:
        """The model wrote more than may be read."""
        return self.limit is not None and self.limit.exceeded


class _Exchange:
    """The questions to the agent that one answer takes."""

    def __init__(
        self, request: ChatRequest, upstream: Upstream, count_tokens: Callable[[str], int], policy: CallPolicy
    ) -> None:
        self._request = request
        self._upstream = upstream
        self._count_tokens = count_tokens
        self._policy = policy
        self._reader = Reader(request, policy.check_chars)
        self._questions: list[_Question] = []

    # Asking

    async def begin(self, max_input_tokens: int) -> AsyncGenerator[Event, None]:
        """Ask what the client asked, and once more with less of it if the service finds that too long."""
        fitted = await self._fit(max_input_tokens)
        try:
            async with aclosing(self._ask(_Question(fitted.prompt))) as events:
                async for event in events:
                    yield event
            return
        except ContextWindowError as exc:
            if self._questions[0].text:
                raise
            fitted = await self._shorten(fitted, exc)
        self._questions.clear()  # what was refused has cost nothing
        async with aclosing(self._ask(_Question(fitted.prompt))) as events:
            async for event in events:
                yield event

    async def follow_up(self, question: _Question) -> AsyncGenerator[Event, None]:
        """Ask again. What fails before it has brought anything leaves the answer as it was."""
        log.info("Following up on the agent's answer")
        calls, outlet = self._reader.calls, self._reader.outlet
        before, calls.set_aside = calls.set_aside, []
        sent, missing = outlet.calls, self._missing_value
        try:
            async with aclosing(self._ask(question)) as events:
                async for event in events:
                    yield event
        except BridgeError as exc:
            if calls.on_the_way or (missing and missing.given):
                raise
            log.warning("The follow-up failed: %s", exc)
        brought = outlet.calls - sent + len(calls.set_aside)
        calls.set_aside += before[brought:]  # a call that was not written again stays as it was

    async def _ask(self, question: _Question) -> AsyncGenerator[Event, None]:
        if self._request.max_tokens:
            question.limit = LengthLimit(self._request.max_tokens, self._count_tokens)
        self._questions.append(question)
        self._reader.begin(question.prompt, hidden=question.hidden, calls=question.calls)
        async with aclosing(self._upstream.stream(question.query)) as pieces:
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

    async def _fit(self, limit: int) -> budget.Fitted:
        prompt = render(self._request)
        if budget.certainly_fits(prompt, limit):
            return budget.Fitted(self._request, prompt)
        return await self._cut(limit)

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

    def next_question(self) -> _Question | None:
        """What to ask the agent now; None when the answer may stand."""
        if self._ended_early or len(self._questions) > self._policy.follow_ups:
            return None
        first, last = self._questions[0], self._questions[-1]
        if complaint := self._complaint_about_calls():
            return _Question(follow_up.render(first.prompt, last.text, complaint), hidden=True)
        if self._missing_value is None or self._request.output is None:
            return None
        if not first.text.strip():
            return _Question(first.prompt, hidden=True)
        repair = follow_up.about_value(first.text, self._missing_value.bad, self._request.output)
        return _Question(repair, hidden=True, calls=False)

    def _complaint_about_calls(self) -> str | None:
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

    def leftovers(self) -> Iterator[Event]:
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
        disarmed = left.call is not None or QUOTE in self._questions[-1].prompt
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

    async def usage(self) -> Usage:
        """Tokens of all questions and all answers; a follow-up that was refused has cost nothing."""
        first, *later = self._questions
        asked = [first, *(question for question in later if question.text or question.report.prompt_tokens)]
        return Usage(
            sum([await self._known_or_counted(one.report.prompt_tokens, one.prompt) for one in asked]),
            sum([await self._known_or_counted(one.report.completion_tokens, one.text) for one in asked]),
        )

    async def _known_or_counted(self, known: int | None, text: str) -> int:
        # Zero for a text that is there breaks clients that divide by it.
        return known if known or (known == 0 and not text) else await asyncio.to_thread(self._count_tokens, text)
