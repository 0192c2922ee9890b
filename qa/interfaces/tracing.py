"""Traces of requests for OpenTelemetry (extra `otel`); none are made unless QUOTED_TRACES is set.

A span has method, path, status and the id of its request, and one child for each stage of an
answer; never what is asked. A trace goes on that a proxy or client has begun (traceparent).

Source: opentelemetry.io/docs/specs/semconv/http/http-spans.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from qa.errors import SettingsError
from qa.interfaces.logs import QUIET, REQUEST_ID

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

_STAGES = ("retrieve", "read", "decide")
_TRACES = "v1/traces"


class Traces(Protocol):
    """The parts of a server that are traced."""

    def answered(self, door: str, answer: Mapping[str, Any]) -> None:
        """Add the stages of an answer to the span of its request."""

    def close(self) -> None:
        """Send what has not been sent yet."""


class NoTraces:
    """Traces of a server that nobody wants to trace."""

    def answered(self, door: str, answer: Mapping[str, Any]) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


def traces_to(address: str) -> OpenTelemetry:
    """Return traces that are sent to the collector at an address, in OTLP over HTTP.

    Raises SettingsError if the extra is not installed.
    """
    if find_spec("opentelemetry.exporter") is None or find_spec("opentelemetry.sdk") is None:
        raise SettingsError("QUOTED_TRACES needs its extra: pip install 'quoted-qa[otel]'")
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    exporter = OTLPSpanExporter(endpoint=f"{address.rstrip('/')}/{_TRACES}")
    return OpenTelemetry(BatchSpanProcessor(exporter))


class OpenTelemetry:
    """Traces that go to a span processor."""

    def __init__(self, processor: SpanProcessor) -> None:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider

        name = {"service.name": "quoted", "service.version": version("quoted-qa")}
        self._provider: TracerProvider = TracerProvider(resource=Resource.create(name))
        self._provider.add_span_processor(processor)
        self.tracer = self._provider.get_tracer("quoted")

    def answered(self, door: str, answer: Mapping[str, Any]) -> None:
        """Add a child for each stage of an answer, the last of which has just ended."""
        from opentelemetry.trace import get_current_span

        current = get_current_span()
        if not current.is_recording():
            return
        current.set_attribute("quoted.door", door)
        current.set_attribute("quoted.certainty", answer["certainty"])
        timings = answer["timings_ms"]
        start = time.time_ns() - _nanoseconds(timings.get("total", 0.0))
        for stage in _STAGES:
            if stage in timings:
                span = self.tracer.start_span(stage, start_time=start)
                start += _nanoseconds(timings[stage])
                span.end(start)

    def close(self) -> None:
        """Send what has not been sent yet."""
        self._provider.shutdown()


class RequestTraces:
    """ASGI middleware that makes a span of each request; it stands behind `RequestLog`."""

    def __init__(self, app: ASGIApp, traces: OpenTelemetry) -> None:
        self._app = app
        self._tracer = traces.tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["path"] in QUIET:
            await self._app(scope, receive, send)
            return
        from opentelemetry.trace import SpanKind, Status, StatusCode
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        begun = TraceContextTextMapPropagator().extract(Headers(scope=scope))
        with self._tracer.start_as_current_span(
            # Paths hold ids: the name is that of all requests of a method.
            scope["method"],
            context=begun,
            kind=SpanKind.SERVER,
            attributes={
                "http.request.method": scope["method"],
                "url.path": scope["path"],
                "quoted.request_id": REQUEST_ID.get(),
            },
        ) as span:

            async def noting_send(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                    if message["status"] >= 500:
                        span.set_status(Status(StatusCode.ERROR))
                await send(message)

            await self._app(scope, receive, noting_send)


def _nanoseconds(milliseconds: float) -> int:
    return int(milliseconds * 1e6)
