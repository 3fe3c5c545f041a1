"""One request as a sequence of events: render the prompt, ask the agent, read its answer, add usage and finish."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from custom_handler.events import Content, Event, Finish, FinishReason, ToolCall, Usage
from custom_handler.parser import CallParser
from custom_handler.prompt import render
from custom_handler.request import ChatRequest
from custom_handler.upstream.base import Delta, Report, Upstream

log = logging.getLogger("custom_handler.engine")

#: Only `stop` was ever seen from StackSpot; the others are what agents elsewhere say.
_FINISH: dict[str | None, FinishReason] = {
    "length": "length",
    "max_tokens": "length",
    "content_filter": "content_filter",
}


async def answer(
    request: ChatRequest, upstream: Upstream, count_tokens: Callable[[str], int]
) -> AsyncGenerator[Event, None]:
    """The events of one answer.

    Args:
        request: what the client asked.
        upstream: the agent that is asked.
        count_tokens: an estimate for when the service does not tell; called with whole texts, off the event loop.

    Raises:
        BridgeError: from upstream, also in the middle of the answer.
    """
    prompt = render(request)
    reading = _Reading(CallParser([tool.name for tool in request.callable_tools]))
    async with aclosing(upstream.stream(prompt)) as pieces:
        async for piece in pieces:
            for event in reading.take(piece):
                yield event
    for event in reading.end():
        yield event
    yield await _usage(reading.report, prompt, reading.text, count_tokens)
    yield Finish(reading.finish_reason)


class _Reading:
    """What one answer has come to so far."""

    def __init__(self, parser: CallParser) -> None:
        self.report = Report()
        self._parser = parser
        self._texts: list[str] = []
        self._calls = 0

    @property
    def text(self) -> str:
        """All that the model wrote."""
        return "".join(self._texts)

    @property
    def finish_reason(self) -> FinishReason:
        """Calls come first: a client must run those it was given, whatever happened behind them."""
        if self._calls:
            return "tool_calls"
        return "length" if self._parser.cut else _FINISH.get(self.report.stop_reason, "stop")

    def take(self, piece: Delta | Report) -> list[Content]:
        """The events that `piece` completes."""
        if isinstance(piece, Report):
            self.report = piece
            return []
        self._texts.append(piece.text)
        return self._count(self._parser.feed(piece.text))

    def end(self) -> list[Content]:
        """The events that were held back."""
        content = self._count(self._parser.flush())
        if self._parser.cut:
            log.warning("The answer ended inside a tool call, which was dropped")
        return content

    def _count(self, content: list[Content]) -> list[Content]:
        for item in content:
            if isinstance(item, ToolCall):
                self._calls += 1
                log.info("Tool call found: %s", item.name)
        return content


async def _usage(report: Report, prompt: str, text: str, count_tokens: Callable[[str], int]) -> Usage:
    async def known_or_estimated(known: int | None, counted: str) -> int:
        # Zero for a text that is there breaks clients that divide by it.
        return known if known or (known == 0 and not counted) else await asyncio.to_thread(count_tokens, counted)

    return Usage(
        prompt_tokens=await known_or_estimated(report.prompt_tokens, prompt),
        completion_tokens=await known_or_estimated(report.completion_tokens, text),
    )
