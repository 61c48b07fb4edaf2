"""Spans leave the process in OTLP: a request with what it asked of the store, and nothing that is nobody's business."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from eventstore import InMemoryEventStore
from library_app import Config, create_app
from library_app.operations.otlp import ENDPOINT
from library_app.operations.telemetry import opened_telemetry
from tests.library_app.library import READER
from tests.library_app.test_logs import Lines, lines, written

__all__ = ["lines", "written"]

TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
ADDRESS = "ann.secret@example.org"
REGISTER = "/api/lending/register-reader"


class Collector(BaseHTTPRequestHandler):
    """Keeps what it is sent, by path."""

    received: ClassVar[dict[str, list[bytes]]] = {}

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.received.setdefault(self.path, []).append(body)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def received(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, list[bytes]]]:
    monkeypatch.setattr(Collector, "received", {})
    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setenv(ENDPOINT, f"http://127.0.0.1:{server.server_port}")
        yield Collector.received
        server.shutdown()
        thread.join()


def spans_in(bodies: list[bytes]) -> list[Span]:
    return [
        span
        for body in bodies
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def service_of(body: bytes) -> str:
    [resource] = ExportTraceServiceRequest.FromString(body).resource_spans
    return "".join(each.value.string_value for each in resource.resource.attributes if each.key == "service.name")


def test_a_request_contains_what_it_asks_of_the_store_and_belongs_to_its_caller(
    received: dict[str, list[bytes]], config: Config, lines: Lines
) -> None:
    with opened_telemetry() as telemetry:
        store = telemetry.watched(InMemoryEventStore(), "events")
        client = create_app(store, config=config, tracing=telemetry.install).test_client()
        fields = {"ReaderID": READER, "Name": "Ann Secret", "Email": ADDRESS}
        headers = {"traceparent": f"00-{TRACE}-{CALLER}-01"}
        assert client.post(f"{REGISTER}?q={ADDRESS}", json=fields, headers=headers).status_code == 201
    [line] = [line for line in lines() if line["logger"] == "library_app.requests"]

    spans = spans_in(received["/v1/traces"])
    [request] = [span for span in spans if span.kind == Span.SPAN_KIND_SERVER]
    assert request.name == f"POST {REGISTER}"
    assert (request.trace_id.hex(), request.parent_span_id.hex()) == (TRACE, CALLER)
    inner = [span for span in spans if span is not request]
    assert [span.name for span in inner] == ["query events", "append events"]
    assert {(span.trace_id, span.parent_span_id) for span in inner} == {(request.trace_id, request.span_id)}
    status = next(each.value.int_value for each in request.attributes if each.key == "http.response.status_code")
    assert status == 201
    assert (line["trace_id"], line["span_id"]) == (TRACE, request.span_id.hex())

    assert service_of(received["/v1/traces"][0]) == "library-app"
    [metrics] = ExportMetricsServiceRequest.FromString(received["/v1/metrics"][0]).resource_metrics
    assert "db.client.operation.duration" in {each.name for scope in metrics.scope_metrics for each in scope.metrics}
    everything = b"".join(body for bodies in received.values() for body in bodies).lower()
    for secret in (ADDRESS, "secret", READER):
        assert secret.encode() not in everything


def test_a_request_that_fails_and_one_that_is_refused_have_their_spans_too(
    received: dict[str, list[bytes]], config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "branch-library")
    monkeypatch.setenv("OTEL_METRICS_EXPORTER", "none")
    with opened_telemetry() as telemetry:
        app = create_app(InMemoryEventStore(), config=config, tracing=telemetry.install)
        app.testing = False
        app.add_url_rule("/fails", view_func=lambda: str(1 / 0))
        client = app.test_client()
        for method, address in (("GET", "/fails"), ("POST", "/library/lend"), ("GET", "/nowhere/17")):
            client.open(address, method=method)
    found = {span.name: span.status.code for span in spans_in(received["/v1/traces"])}
    assert found == {"GET /fails": 2, "POST /library/lend": 0, "GET (none)": 0}
    assert service_of(received["/v1/traces"][0]) == "branch-library"
    assert "/v1/metrics" not in received
