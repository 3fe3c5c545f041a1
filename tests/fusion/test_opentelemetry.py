"""Spans and figures of the client's calls, as OpenTelemetry's SDK gets them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from emulator import Emulator, Reply
from fusion_client import FusionClient, FusionError, ServerError, SyncFusionClient
from fusion_client.integrations.opentelemetry import OpenTelemetryObserver
from fusion_client.options import ClientOptions
from tests.fusion.callers import AGENT, KEY, Caller
from tests.fusion.conftest import StartCaller

DURATION, FIRST_TOKEN = "fusion.client.operation.duration", "fusion.client.time_to_first_token"
RETRIES, HITS = "fusion.client.retries", "fusion.client.cache.hits"


class Telemetry:
    """A program's SDK, which keeps what it gets."""

    def __init__(self) -> None:
        self._exporter, self._reader = InMemorySpanExporter(), InMemoryMetricReader()
        self.tracers, self.meters = TracerProvider(), MeterProvider([self._reader])
        self.tracers.add_span_processor(SimpleSpanProcessor(self._exporter))

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        return self._exporter.get_finished_spans()

    def figures(self, name: str) -> list[tuple[Mapping[str, Any], int | float]]:
        """Attributes of each row of a figure, and its count."""
        data: Any = self._reader.get_metrics_data()  # None before the first figure
        scopes = [scope for resource in data.resource_metrics for scope in resource.scope_metrics] if data else []
        metrics = [metric for scope in scopes for metric in scope.metrics if metric.name == name]
        points = [point for metric in metrics for point in metric.data.data_points]
        return [(dict(point.attributes), getattr(point, "count", None) or point.value) for point in points]

    @property
    def everything(self) -> str:
        """All of it as text."""
        return "".join(span.to_json() for span in self.spans) + str(self._reader.get_metrics_data())


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry()


@pytest.fixture
def fusion(emulator: Emulator, call: StartCaller, telemetry: Telemetry) -> Caller:
    return call(emulator, observer=OpenTelemetryObserver(telemetry.tracers, telemetry.meters))


def attributes(span: ReadableSpan) -> Mapping[str, Any]:
    return span.attributes or {}


def test_a_call_is_a_span_and_a_duration(fusion: Caller, telemetry: Telemetry) -> None:
    chat_id = fusion.ask("send_message", AGENT, "Hello").chat_id
    fusion.ask("send_message", AGENT, "And now?", chat_id)
    first, second = telemetry.spans
    usual = {
        "fusion.operation": "send_message",
        "fusion.retries": 0,
        "fusion.cache_hit": False,
        "gen_ai.agent.id": AGENT,
    }
    assert (first.name, first.kind, first.status.status_code) == (
        "fusion.send_message",
        SpanKind.CLIENT,
        StatusCode.UNSET,
    )
    assert attributes(first) == usual
    assert attributes(second) == {**usual, "gen_ai.conversation.id": chat_id}
    assert telemetry.figures(DURATION) == [({"fusion.operation": "send_message"}, 2)]
    assert not telemetry.figures(RETRIES) + telemetry.figures(HITS) + telemetry.figures(FIRST_TOKEN)


def test_a_stream_tells_how_many_tokens_it_had_and_when_the_first_came(
    fusion: Caller, telemetry: Telemetry, emulator: Emulator
) -> None:
    emulator.script(Reply("One Two", chunk=1))
    fusion.stream().whole()
    (span,) = telemetry.spans
    assert attributes(span)["fusion.stream"] == "true"
    assert attributes(span)["fusion.tokens"] == 7
    assert telemetry.figures(FIRST_TOKEN) == [({"fusion.operation": "send_message"}, 1)]


def test_a_stream_that_is_left_ends_well(fusion: Caller, telemetry: Telemetry) -> None:
    stream = fusion.stream()
    stream.first()
    assert not telemetry.spans
    stream.close()
    (span,) = telemetry.spans
    assert span.status.status_code == StatusCode.UNSET
    assert attributes(span)["fusion.tokens"] == 1


def test_new_tries_are_counted(fusion: Caller, telemetry: Telemetry, emulator: Emulator) -> None:
    emulator.script(*[Reply(fault="rate_limited")] * 2)
    fusion.ask("send_message", AGENT, "Hello")
    assert attributes(telemetry.spans[0])["fusion.retries"] == 2
    assert telemetry.figures(RETRIES) == [({"fusion.operation": "send_message"}, 2)]


def test_what_the_cache_answers_is_told(fusion: Caller, telemetry: Telemetry) -> None:
    for _ in range(3):
        fusion.ask("list_agents")
    assert [attributes(span)["fusion.cache_hit"] for span in telemetry.spans] == [False, True, True]
    assert telemetry.figures(HITS) == [({"fusion.operation": "list_agents"}, 2)]


@pytest.mark.parametrize("fault", ["forbidden", "unprocessable", "server_error", "drop_before", "error_event"])
def test_an_error_is_its_class_and_its_status(
    fusion: Caller, telemetry: Telemetry, emulator: Emulator, fault: str
) -> None:
    emulator.script(Reply("One", fault=fault, headers={"x-request-id": "request-1"}))
    with pytest.raises(FusionError) as caught:
        fusion.stream().whole()
    (span,) = telemetry.spans
    told: dict[str, Any] = {"error.type": type(caught.value).__name__}
    if caught.value.status:
        told = {**told, "http.response.status_code": caught.value.status}
    assert attributes(span).items() >= told.items()
    assert attributes(span).get("fusion.request_id") == caught.value.request_id
    assert (span.status.status_code, span.status.description, span.events) == (StatusCode.ERROR, None, ())
    assert telemetry.figures(DURATION) == [({"fusion.operation": "send_message", **told}, 1)]


def test_an_error_of_which_nothing_is_known_is_one(telemetry: Telemetry) -> None:
    call = OpenTelemetryObserver(telemetry.tracers, telemetry.meters).begin("get_agent", {})
    call.attempt()
    call.end(OSError("A secret"))
    assert attributes(telemetry.spans[0])["error.type"] == "OSError"
    assert telemetry.spans[0].status.status_code == StatusCode.ERROR


def test_a_call_that_is_cancelled_has_not_failed(telemetry: Telemetry) -> None:
    call = OpenTelemetryObserver(telemetry.tracers, telemetry.meters).begin("get_agent", {})
    call.end(KeyboardInterrupt())
    assert attributes(telemetry.spans[0])["error.type"] == "KeyboardInterrupt"
    assert attributes(telemetry.spans[0])["fusion.cache_hit"] is False
    assert telemetry.spans[0].status.status_code == StatusCode.UNSET


async def test_a_span_stands_below_that_of_the_caller(emulator: Emulator, telemetry: Telemetry) -> None:
    options: ClientOptions = {"base_url": emulator.fusion_url, "observer": OpenTelemetryObserver(telemetry.tracers)}
    async with FusionClient(KEY, **options) as client:
        with telemetry.tracers.get_tracer("program").start_as_current_span("work") as work:
            await client.list_agents()
            with SyncFusionClient(KEY, **options) as sync_client:
                sync_client.list_agents()
    assert [span.parent for span in telemetry.spans] == [work.get_span_context(), work.get_span_context(), None]


def test_nothing_tells_a_message_an_answer_or_the_key(fusion: Caller, telemetry: Telemetry, emulator: Emulator) -> None:
    emulator.script(Reply("A blue whale."), Reply("A blue whale."), Reply(fault="unprocessable"))
    fusion.ask("send_message", AGENT, "A red fox", folder="A green frog")
    fusion.stream("A red fox").whole()
    with pytest.raises(FusionError):
        fusion.stream("A red fox").whole()
    for secret in ("whale", "fox", "frog", KEY):
        assert secret not in telemetry.everything


def test_without_an_sdk_it_costs_and_does_nothing(emulator: Emulator, call: StartCaller) -> None:
    emulator.script(Reply(fault="server_error"))
    with pytest.raises(ServerError):
        call(emulator, observer=OpenTelemetryObserver()).ask("send_message", AGENT, "Hello")


def test_enable_tracing_tells_what_the_program_has_set_up(
    emulator: Emulator, call: StartCaller, telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: telemetry.tracers)
    call(emulator, enable_tracing=True).ask("list_agents")
    call(emulator).ask("list_agents")
    assert [span.name for span in telemetry.spans] == ["fusion.list_agents"]


def test_the_environment_enables_tracing(
    emulator: Emulator, telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: telemetry.tracers)
    monkeypatch.setenv("FUSION_ENABLE_TRACING", "true")
    monkeypatch.setenv("FUSION_API_KEY", KEY)
    with SyncFusionClient.from_settings(base_url=emulator.fusion_url) as client:
        client.list_agents()
    assert [span.name for span in telemetry.spans] == ["fusion.list_agents"]
