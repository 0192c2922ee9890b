"""Tests of the traces of requests."""

from __future__ import annotations

import asyncio
import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.types import Receive, Scope, Send

from qa.interfaces import tracing
from qa.interfaces.logs import RequestLog
from qa.interfaces.tracing import OpenTelemetry, RequestTraces, traces_to
from tests.support.serving import settings_in
from tests.support.team import serving

ANSWER = {"certainty": "sure", "timings_ms": {"retrieve": 20.0, "read": 40.0, "total": 61.0}}
TRACE = "0af7651916cd43dd8448eb211c80319c"


def test_a_request_is_a_span_with_its_stages_in_the_trace_that_it_comes_with() -> None:
    exporter = InMemorySpanExporter()
    traces = OpenTelemetry(SimpleSpanProcessor(exporter))

    async def answering(_: Scope, _receive: Receive, send: Send) -> None:
        traces.answered("http", ANSWER)
        await send({"type": "http.response.start", "status": 503, "headers": []})

    async def nowhere(_: Any) -> None:
        pass

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/ask",
        "query_string": b"secret",
        "headers": [
            (b"traceparent", f"00-{TRACE}-b7ad6b7169203331-01".encode()),
            (b"x-request-id", b"abc"),
        ],
    }
    app = RequestLog(RequestTraces(answering, traces))
    asyncio.run(app(scope, nowhere, nowhere))  # type: ignore[arg-type]
    asyncio.run(app(scope | {"path": "/healthz"}, nowhere, nowhere))  # type: ignore[arg-type]
    retrieve, read, request = exporter.get_finished_spans()

    assert [each.name for each in (retrieve, read, request)] == ["retrieve", "read", "POST"]
    assert dict(request.attributes or {}) == {
        "http.request.method": "POST",
        "url.path": "/ask",
        "quoted.request_id": "abc",
        "quoted.door": "http",
        "quoted.certainty": "sure",
        "http.response.status_code": 503,
    }
    assert f"{request.context.trace_id:032x}" == TRACE
    assert not request.status.is_ok
    for stage, milliseconds in ((retrieve, 20), (read, 40)):
        assert stage.parent
        assert stage.parent.span_id == request.context.span_id
        assert (stage.end_time or 0) - (stage.start_time or 0) == milliseconds * 1_000_000
    assert retrieve.end_time == read.start_time
    assert "secret" not in json.dumps([each.to_json() for each in (retrieve, read, request)])


def test_the_server_sends_its_spans_to_the_collector(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    received: list[bytes] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            received.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    collector = HTTPServer(("127.0.0.1", 0), Collector)
    Thread(target=collector.serve_forever, daemon=True).start()
    # The exporter compresses nothing unless it is told to.
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_COMPRESSION", raising=False)
    address = f"http://127.0.0.1:{collector.server_port}"
    with serving(settings_in(tmp_path, traces=address), monkeypatch, seconds=0.1) as client:
        client.get("/tags")
    collector.shutdown()
    collector.server_close()

    spans = [
        span
        for content in received
        for resource in ExportTraceServiceRequest.FromString(content).resource_spans
        for scoped in resource.scope_spans
        for span in scoped.spans
    ]
    assert "GET" in {span.name for span in spans}


def test_without_the_extra_its_name_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "find_spec", lambda _: None)

    with pytest.raises(tracing.SettingsError, match=r"quoted-qa\[otel\]"):
        traces_to("http://127.0.0.1:4318")
