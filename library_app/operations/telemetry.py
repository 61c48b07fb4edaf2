"""Spans of requests and of what they ask of the event store, for OpenTelemetry. Needs the extra `telemetry`.

    span of the request, a child of that of the caller (traceparent)      POST /api/lending/lend-book-to-reader
      ├── query events
      └── append events

Where they go, and how many, is said by the standard variables (OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_TRACES_SAMPLER, …),
which the SDK reads itself. The instrumentation for Flask that everybody can install tells addresses with all that was
asked for in them, and those of the clients; this one tells the rule of the route.
"""

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from flask import Flask, Response, request
from opentelemetry.context import attach, detach
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.propagate import extract
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode, set_span_in_context

from eventstore import EventStore
from eventstore.telemetry import InstrumentedEventStore
from library_app.operations.otlp import is_exported
from library_app.operations.watching import TRACE, http_method, route

_SERVICE: Final = {"service.name": "library-app"}
_OPEN: Final = "library_app.open_span"


@dataclass(frozen=True, slots=True)
class Telemetry:
    """Who is told, in this process."""

    tracers: TracerProvider
    meters: MeterProvider

    def watched(self, store: EventStore, table: str) -> EventStore:
        """The store, with spans and metrics about it."""
        return InstrumentedEventStore(store, collection=table, tracer_provider=self.tracers, meter_provider=self.meters)

    def install(self, app: Flask) -> None:
        """Give each request a span, and the lines of the log its ids. Install it first, so that it encloses all."""
        tracer = self.tracers.get_tracer("library_app")

        def begin() -> None:
            caller = extract(request.headers)
            attributes = {"http.request.method": http_method(), "http.route": route()}
            name = f"{attributes['http.request.method']} {attributes['http.route']}"
            span = tracer.start_span(name, caller, SpanKind.SERVER, attributes)
            ids = span.get_span_context()
            request.environ[TRACE] = {"trace_id": f"{ids.trace_id:032x}", "span_id": f"{ids.span_id:016x}"}
            request.environ[_OPEN] = span, attach(set_span_in_context(span, caller))

        def tell(response: Response) -> Response:
            span, _ = request.environ[_OPEN]
            span.set_attribute("http.response.status_code", response.status_code)
            if response.status_code >= 500:
                span.set_status(StatusCode.ERROR)
            return response

        def end(_error: BaseException | None) -> None:
            if _OPEN in request.environ:
                span, surroundings = request.environ.pop(_OPEN)
                detach(surroundings)
                span.end()

        app.before_request(begin)
        app.after_request(tell)
        app.teardown_request(end)


@contextmanager
def opened_telemetry(environment: Mapping[str, str] = os.environ) -> Generator[Telemetry]:
    """Begin to tell, in a process that forks no more; the end of the block sends what is left.

    Args:
        environment: says which signals are exported. The SDK reads everything else from the variables of the process.
    """
    resource = Resource.create(_SERVICE).merge(OTELResourceDetector().detect())
    tracers = TracerProvider(resource=resource, shutdown_on_exit=False)
    if is_exported("traces", environment):
        tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    readers = [PeriodicExportingMetricReader(OTLPMetricExporter())] if is_exported("metrics", environment) else []
    meters = MeterProvider(readers, resource, shutdown_on_exit=False)
    try:
        yield Telemetry(tracers, meters)
    finally:
        tracers.shutdown()
        meters.shutdown()
