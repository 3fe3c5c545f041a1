"""One request as a sequence of events: ask the agent, read its answer, follow up where a call is missing or broken."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import chain

from custom_handler import follow_up
from custom_handler.announcement import announces_action
from custom_handler.calls import CallDesk
from custom_handler.disarm import QUOTE, disarm, restore
from custom_handler.errors import BridgeError, NoCallError
from custom_handler.events import Event, Finish, FinishReason, Reasoning, Text, Usage
from custom_handler.parser import CallParser
from custom_handler.prompt import render
from custom_handler.request import ChatRequest
from custom_handler.restoring import Restoring
from custom_handler.settings import CallPolicy
from custom_handler.upstream.base import Delta, Report, Upstream

log = logging.getLogger("custom_handler.engine")

#: Only `stop` was ever seen from StackSpot; the others are what agents elsewhere say.
_FINISH: dict[str | None, FinishReason] = {
    "length": "length",
    "max_tokens": "length",
    "content_filter": "content_filter",
}


async def answer(
    request: ChatRequest, upstream: Upstream, count_tokens: Callable[[str], int], policy: CallPolicy | None = None
) -> AsyncGenerator[Event, None]:
    """The events of one answer.

    Args:
        request: what the client asked.
        upstream: the agent that is asked.
        count_tokens: an estimate for when the service does not tell; called with whole texts, off the event loop.
        policy: how calls are treated.

    Raises:
        NoCallError: the request wants a call, and the agent makes none.
        BridgeError: from upstream, also in the middle of the answer.
    """
    policy = policy or CallPolicy()
    desk = CallDesk(request.callable_tools, policy.check_chars, at_most_one=not request.parallel_tool_calls)
    rounds = [_Round(render(request))]
    async with aclosing(_ask(rounds[0], upstream, request, desk)) as events:
        async for event in events:
            yield event
    for _ in range(policy.follow_ups):
        complaint = _complaint(request, rounds[0], desk, policy)
        if complaint is None:
            break
        rounds.append(_Round(follow_up.render(rounds[0].prompt, rounds[-1].text, complaint)))
        async with aclosing(_follow_up(rounds[-1], upstream, request, desk)) as events:
            async for event in events:
                yield event
    for event in _leftovers(desk, policy, rounds[-1].prompt):
        yield event
    if request.wants_call and not desk.sent:
        raise NoCallError("The agent made no call, although tool_choice asks for one. Try again, or use another agent.")
    yield await _usage(rounds, count_tokens)
    yield Finish(_finish_reason(desk, rounds[0].report))


@dataclass(slots=True)
class _Round:
    """One question to the agent and what came of it."""

    prompt: str
    report: Report = field(default_factory=Report)
    pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All that the model wrote."""
        return "".join(self.pieces)


async def _ask(asked: _Round, upstream: Upstream, request: ChatRequest, desk: CallDesk) -> AsyncGenerator[Event, None]:
    parser = CallParser([disarm(tool.name) for tool in request.callable_tools])
    restoring = Restoring(active=QUOTE in asked.prompt)
    async with aclosing(upstream.stream(asked.prompt)) as pieces:
        async for piece in pieces:
            if isinstance(piece, Delta):
                asked.pieces.append(piece.text)
                for event in desk.take(restoring.take(parser.feed(piece.text))):
                    yield event
            else:
                asked.report = piece
    for event in desk.take(chain(restoring.take(parser.flush()), restoring.flush())):
        yield event


async def _follow_up(
    asked: _Round, upstream: Upstream, request: ChatRequest, desk: CallDesk
) -> AsyncGenerator[Event, None]:
    """Ask again, for calls alone: text was given out already. What fails before a call leaves the answer as it was."""
    log.info("Following up on the agent's answer")
    before, desk.set_aside = desk.set_aside, []
    sent = desk.sent
    try:
        async with aclosing(_ask(asked, upstream, request, desk)) as events:
            async for event in events:
                if not isinstance(event, Text | Reasoning):
                    yield event
    except BridgeError as exc:
        if desk.on_the_way:
            raise
        log.warning("The follow-up failed: %s", exc)
    if desk.sent == sent and not desk.set_aside:
        desk.set_aside = before


def _complaint(request: ChatRequest, first: _Round, desk: CallDesk, policy: CallPolicy) -> str | None:
    """What is wrong with the answer so far; None when it may stand."""
    if desk.cut:
        return None
    if desk.set_aside:
        return follow_up.about_broken(desk.set_aside)
    if desk.sent or not request.callable_tools:
        return None
    if request.wants_call:
        return follow_up.about_missing(request)
    announced = policy.follow_announcements and announces_action(first.text, request.callable_tools)
    return follow_up.ABOUT_ANNOUNCED if announced else None


def _leftovers(desk: CallDesk, policy: CallPolicy, prompt: str) -> Iterator[Event]:
    """What becomes of calls that are still broken: text, or where that is wanted and possible, the call as it is."""
    for left in desk.set_aside:
        if policy.broken_calls == "call" and left.call is not None:
            desk.sent += 1
            yield left.call
        else:
            disarmed = left.call is not None or QUOTE in prompt
            yield Text(restore(left.raw) if disarmed else left.raw)


def _finish_reason(desk: CallDesk, report: Report) -> FinishReason:
    """Calls come first: a client must run those it was given, unless the last of them was cut on its way."""
    if desk.sent and not desk.cut_on_the_way:
        return "tool_calls"
    return "length" if desk.cut else _FINISH.get(report.stop_reason, "stop")


async def _usage(rounds: Sequence[_Round], count_tokens: Callable[[str], int]) -> Usage:
    async def known_or_estimated(known: int | None, counted: str) -> int:
        # Zero for a text that is there breaks clients that divide by it.
        return known if known or (known == 0 and not counted) else await asyncio.to_thread(count_tokens, counted)

    return Usage(
        prompt_tokens=sum([await known_or_estimated(one.report.prompt_tokens, one.prompt) for one in rounds]),
        completion_tokens=sum([await known_or_estimated(one.report.completion_tokens, one.text) for one in rounds]),
    )
