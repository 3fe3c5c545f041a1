"""A collector of OpenTelemetry's: OTLP over HTTP, on a real socket."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1 import trace_pb2

from tests.support.local_server import LocalServer, QuietHandler

_PATIENCE = 20.0  # seconds; only a failing test waits that long


@dataclass(frozen=True, slots=True)
class Span:
    """One span, as it came.

    Attributes:
        scope: who wrote it: `litellm` or `custom_handler`.
        everything: all of it as text.
    """

    scope: str
    name: str
    trace_id: str
    span_id: str
    parent_id: str
    attributes: Mapping[str, Any]
    failed: bool
    everything: str

    @classmethod
    def of(cls, scope: str, span: trace_pb2.Span) -> Self:
        values = {each.key: each.value for each in span.attributes}
        return cls(
            scope=scope,
            name=span.name,
            trace_id=span.trace_id.hex(),
            span_id=span.span_id.hex(),
            parent_id=span.parent_span_id.hex(),
            attributes={key: getattr(value, value.WhichOneof("value") or "") for key, value in values.items()},
            failed=span.status.code == trace_pb2.Status.STATUS_CODE_ERROR,
            everything=str(span),
        )


class Collector(LocalServer):
    """Use it as a context manager; it collects from entry to exit.

    Attributes:
        url: what OTEL_EXPORTER_OTLP_ENDPOINT is set to.
    """

    def __init__(self) -> None:
        self._spans: list[Span] = []
        self._resources: list[str] = []
        self._came = threading.Condition()
        collector = self

        class Handler(QuietHandler):
            def do_POST(self) -> None:  # noqa: N802 - a name of the library
                body = self.rfile.read(int(self.headers["content-length"]))
                collector._take(gzip.decompress(body) if self.headers["content-encoding"] == "gzip" else body)
                self.send_response(200 if self.path == "/v1/traces" else 404)
                self.end_headers()

        super().__init__(Handler)

    @property
    def resources(self) -> str:
        """All that was told about where spans come from."""
        return "".join(self._resources)

    def trace(self, trace_id: str, *names: str) -> Sequence[Span]:
        """The spans of a trace, once those with `names` are among them."""
        deadline = time.monotonic() + _PATIENCE
        with self._came:
            while not set(names) <= {span.name for span in self._of(trace_id)}:
                if not self._came.wait(deadline - time.monotonic()):
                    raise TimeoutError(f"{names} are not in {[span.name for span in self._of(trace_id)]}")
            return self._of(trace_id)

    def _of(self, trace_id: str) -> Sequence[Span]:
        return [span for span in self._spans if span.trace_id == trace_id]

    def _take(self, body: bytes) -> None:
        request = ExportTraceServiceRequest.FromString(body)
        with self._came:
            for resource in request.resource_spans:
                self._resources.append(str(resource.resource))
                for scope in resource.scope_spans:
                    self._spans += [Span.of(scope.scope.name, span) for span in scope.spans]
            self._came.notify_all()
