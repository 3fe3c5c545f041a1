"""Spans and figures of a client's calls. Needs `opentelemetry-api`; what becomes of them is up to the program's SDK.

    client = FusionClient(observer=OpenTelemetryObserver())

Each call is a span `fusion.<operation>`, such as `fusion.send_message`, below the current one. It has the operation,
the agent and the chat, how often the call was made again, whether the answer was kept in the cache, how many tokens a
stream had, and of an error its class, status and request id: never a message, an answer, an error's text or a key.

    fusion.client.operation.duration    seconds of a call, of a stream until its end
    fusion.client.time_to_first_token   seconds until a stream's first token
    fusion.client.retries               calls that were made again
    fusion.client.cache.hits            reads that the cache answered
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from opentelemetry import metrics, trace
from opentelemetry.metrics import Counter, Histogram, Meter, MeterProvider
from opentelemetry.trace import Span, SpanKind, StatusCode, TracerProvider

from fusion_client.errors import FusionError

_NAME = "fusion_client"
#: What calls are about → attributes, of which two have names in OpenTelemetry's conventions.
_KEYS = {"agent_id": "gen_ai.agent.id", "chat_id": "gen_ai.conversation.id", "stream": "fusion.stream"}
_SECONDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)


class OpenTelemetryObserver:
    """Tells OpenTelemetry of each call; one serves many clients.

    Args:
        tracer_provider, meter_provider: None takes those that the program has set.
    """

    def __init__(
        self, tracer_provider: TracerProvider | None = None, meter_provider: MeterProvider | None = None
    ) -> None:
        self._tracer = trace.get_tracer(_NAME, tracer_provider=tracer_provider)
        self._figures = _Figures.of(metrics.get_meter(_NAME, meter_provider=meter_provider))

    def begin(self, operation: str, about: Mapping[str, str]) -> _ObservedCall:
        """A call begins; see `Observer`."""
        attributes = {"fusion.operation": operation, **{_KEYS.get(name, name): value for name, value in about.items()}}
        span = self._tracer.start_span(f"fusion.{operation}", kind=SpanKind.CLIENT, attributes=attributes)
        return _ObservedCall(operation, span, self._figures)


@dataclass(frozen=True, slots=True)
class _Figures:
    duration: Histogram
    first_token: Histogram
    retries: Counter
    cache_hits: Counter

    @classmethod
    def of(cls, meter: Meter) -> _Figures:
        return cls(
            duration=_seconds(meter, "operation.duration", "Time of a call, of a stream until its end"),
            first_token=_seconds(meter, "time_to_first_token", "Time until the first token of a stream"),
            retries=meter.create_counter("fusion.client.retries", "{retry}", "Calls that were made again"),
            cache_hits=meter.create_counter("fusion.client.cache.hits", "{hit}", "Reads that the cache answered"),
        )


def _seconds(meter: Meter, name: str, description: str) -> Histogram:
    return meter.create_histogram(
        f"fusion.client.{name}", "s", description, explicit_bucket_boundaries_advisory=_SECONDS
    )


@dataclass(slots=True)
class _ObservedCall:
    """One call; see `Observation`."""

    operation: str
    span: Span
    figures: _Figures
    begun: float = field(default_factory=time.monotonic)
    attempts: int = 0
    tokens: int = 0

    def attempt(self) -> None:
        """It is tried."""
        self.attempts += 1
        if self.attempts > 1:
            self.figures.retries.add(1, self._operation)

    def token(self) -> None:
        """A token came."""
        self.tokens += 1
        if self.tokens == 1:
            self.figures.first_token.record(time.monotonic() - self.begun, self._operation)

    def end(self, error: BaseException | None) -> None:
        """It is over."""
        about = {} if error is None else _about(error)
        hit = error is None and self.attempts == 0
        self.figures.duration.record(time.monotonic() - self.begun, {**self._operation, **about})
        if hit:
            self.figures.cache_hits.add(1, self._operation)
        self.span.set_attributes({"fusion.retries": max(0, self.attempts - 1), "fusion.cache_hit": hit, **about})
        if self.tokens:
            self.span.set_attribute("fusion.tokens", self.tokens)
        if isinstance(error, FusionError) and error.request_id:
            self.span.set_attribute("fusion.request_id", error.request_id)
        if isinstance(error, Exception):  # a call that its caller cancels has not failed
            self.span.set_status(StatusCode.ERROR)
        self.span.end()

    @property
    def _operation(self) -> dict[str, str | int]:
        return {"fusion.operation": self.operation}


def _about(error: BaseException) -> dict[str, str | int]:
    kind: dict[str, str | int] = {"error.type": type(error).__name__}
    status = error.status if isinstance(error, FusionError) else None
    return kind if status is None else {**kind, "http.response.status_code": status}
