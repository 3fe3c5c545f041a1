"""The way of spans to a collector, LiteLLM's and ours, and what of them leaves the proxy.

LiteLLM writes much into its spans: messages, tools, the hash of the key, headers, addresses of clients, tracebacks with
the text of exceptions. Some of it can be switched off, and each version adds to it; so what may leave is a table.
"""

from __future__ import annotations

from collections.abc import Sequence

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Status

#: Attributes that leave, in whatever span they are; and all that begin with `agent_proxy.`, which are ours.
_PASSED = frozenset(
    {
        "call_type",
        "error.code",
        "error.type",
        "gen_ai.cost.total_cost",
        "gen_ai.request.model",
        "gen_ai.response.id",
        "gen_ai.response.model",
        "gen_ai.system",
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.output_tokens",
        "gen_ai.usage.total_tokens",
        "http.response.status_code",
        "http.route",
        "litellm.call_id",
        "litellm.model_group",
        "litellm.preprocessing.duration_ms",
        "llm.is_streaming",
        "service",
        "url.path",
    }
)
_OURS = "agent_proxy."


def new_provider(endpoint: str) -> TracerProvider:
    """Where spans begin that go to the collector at `endpoint`, over OTLP/HTTP, in batches, beside the requests.

    The SDK reads what else it needs from the environment: OTEL_EXPORTER_OTLP_HEADERS, OTEL_TRACES_SAMPLER,
    OTEL_SERVICE_NAME and others. The provider is not made the global one: other libraries look for that, such as
    FastAPI, and would add spans for every health check.
    """
    provider = TracerProvider()
    exporter = Discreet(OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces"))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


class Discreet(SpanExporter):
    """Exports what the table passes, and no events: of an exception they tell message and stack.

    Args:
        exporter: gets the spans that are left.
    """

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """See `SpanExporter`."""
        return self._exporter.export([_bare(span) for span in spans])

    def shutdown(self) -> None:
        """See `SpanExporter`."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """See `SpanExporter`."""
        return self._exporter.force_flush(timeout_millis)


def _bare(span: ReadableSpan) -> ReadableSpan:
    attributes = span.attributes or {}
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes={key: value for key, value in attributes.items() if key in _PASSED or key.startswith(_OURS)},
        links=span.links,
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )
