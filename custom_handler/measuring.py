"""What Prometheus is told about one request: how it ended, how long that took, its tokens and calls."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from custom_handler import metrics
from custom_handler.events import CallBegan, Event, Finish, Text, ToolCall, Usage


async def measured(
    events: AsyncGenerator[Event, None], model: str, clock: Callable[[], float] = time.monotonic
) -> AsyncGenerator[Event, None]:
    """`events` as they are; when they end, however that is, it is counted.

    Args:
        model: the label; see `metrics`.
        clock: seconds that never go back; a test brings its own.
    """
    measure = _Measure(model, clock)
    with metrics.REQUESTS_IN_FLIGHT.track_inprogress():
        try:
            async with aclosing(events):
                async for event in events:
                    measure.note(event)
                    yield event
        except (GeneratorExit, asyncio.CancelledError):
            measure.end(metrics.CANCELLED)
            raise
        except Exception as exc:
            measure.end(metrics.outcome_of(exc))
            raise
        measure.end(metrics.OK)


class _Measure:
    def __init__(self, model: str, clock: Callable[[], float]) -> None:
        self._model = model
        self._clock = clock
        self._began = clock()
        self._first: float | None = None  # seconds until the client got something
        self._usage = Usage(0, 0)
        self._calls = 0
        self._finished = False

    def note(self, event: Event) -> None:
        """One event on its way to the client."""
        match event:
            case Text() | ToolCall() | CallBegan():
                if self._first is None:
                    self._first = self._clock() - self._began
                self._calls += not isinstance(event, Text)
            case Usage():
                self._usage = event
            case Finish():
                self._finished = True

    def end(self, outcome: str) -> None:
        """The request has ended. Who leaves behind the end of an answer has cancelled nothing."""
        if self._finished:
            outcome = metrics.OK
        labels = (self._model, outcome)
        metrics.REQUESTS.labels(*labels).inc()
        metrics.DURATION.labels(*labels).observe(self._clock() - self._began)
        if self._first is not None:
            metrics.FIRST_TOKEN.labels(*labels).observe(self._first)
        metrics.TOKENS.labels(*labels, "prompt").inc(self._usage.prompt_tokens)
        metrics.TOKENS.labels(*labels, "completion").inc(self._usage.completion_tokens)
        metrics.TOOL_CALLS.labels(self._model).inc(self._calls)
