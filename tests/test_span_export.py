"""What leaves the proxy in spans."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Status, StatusCode

from custom_handler.span_export import _OURS, _PASSED, Discreet

MEMORY = InMemorySpanExporter()
PROVIDER = TracerProvider(shutdown_on_exit=False)
PROVIDER.add_span_processor(SimpleSpanProcessor(Discreet(MEMORY)))
TRACER = PROVIDER.get_tracer("litellm")


def exported(attributes: Mapping[str, str | int]) -> ReadableSpan:
    MEMORY.clear()
    TRACER.start_span("request", attributes=attributes).end()
    (span,) = MEMORY.get_finished_spans()
    return span


#: Hypothesis finds names of the table in the code.
NAMES = st.text(min_size=1).filter(lambda name: name not in _PASSED and not name.startswith(_OURS))


@given(st.dictionaries(NAMES, st.text() | st.integers(-9, 9)))
def test_what_is_not_in_the_table_stays(attributes: Mapping[str, str | int]) -> None:
    assert dict(exported(attributes).attributes or {}) == {}


def test_what_is_in_the_table_leaves_with_names_times_and_places() -> None:
    passed: dict[str, str | int] = {
        "gen_ai.usage.input_tokens": 3,
        "agent_proxy.attempt": 1,
        "http.route": "/v1/responses",
    }
    of_litellm: dict[str, str | int] = {
        "gen_ai.input.messages": "secret",
        "metadata.user_api_key_hash": "secret",
        "hidden_params": "secret",
    }
    MEMORY.clear()
    with TRACER.start_as_current_span("request") as parent:
        TRACER.start_span("call", attributes=passed | of_litellm).end()
    call, request = MEMORY.get_finished_spans()
    assert dict(call.attributes or {}) == passed
    assert call.parent == request.context == parent.get_span_context()
    assert call.start_time
    assert call.end_time
    assert call.instrumentation_scope
    assert (call.name, call.instrumentation_scope.name) == ("call", "litellm")


def test_of_an_exception_nothing_leaves_but_that_there_was_one() -> None:
    MEMORY.clear()
    span = TRACER.start_span("request")
    span.record_exception(ValueError("secret"))
    span.set_status(Status(StatusCode.ERROR, "secret"))
    span.end()
    (left,) = MEMORY.get_finished_spans()
    assert left.events == ()
    assert (left.status.status_code, left.status.description) == (StatusCode.ERROR, None)


def test_the_exporter_behind_it_is_flushed_and_shut_down_with_it() -> None:
    memory = InMemorySpanExporter()
    discreet = Discreet(memory)
    assert discreet.force_flush()
    discreet.shutdown()
    assert memory._stopped
