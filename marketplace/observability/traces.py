"""Traces, by OpenTelemetry: a request, its MongoDB commands, its events on their way to Kafka and to the commit in SQL.

Names and attributes follow https://opentelemetry.io/docs/specs/semconv/ for HTTP, databases and messaging. None has an
id, a query string, a header, or what an error says: that may quote what a client sent.
"""

import logging
import os
import socket
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPMethod, HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
    format_span_id,
    format_trace_id,
    set_span_in_context,
)
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from marketplace import routes, tracing
from marketplace.logs import Seldom

# All that a process does goes on meanwhile: spans are sent by a thread of their own, and dropped if it falls behind.
EXPORT_SECONDS = 5
# At the end of a process, for the spans that are left.
STOP_SECONDS = 1
# A collector that is away is worth a line now and then.
LOGGERS = (OTLPSpanExporter.__module__, "opentelemetry.sdk._shared_internal")
for _logger in LOGGERS:
    logging.getLogger(_logger).addFilter(Seldom(seconds=60))

_METHODS = frozenset(HTTPMethod.__members__)
Attributes = Mapping[str, str | int]


class _Batches(BatchSpanProcessor):
    """Ends in time, also when the collector does not answer."""

    def shutdown(self) -> None:
        self._batch_processor.shutdown(timeout_millis=STOP_SECONDS * 1000)


class _Recorder:
    """This process's provider of spans, made when the first is wanted: a worker process has its own."""

    provider: TracerProvider | None = None


def start(exporter: SpanExporter) -> TracerProvider:
    """Send this process's spans to an exporter, in batches, until the process ends."""
    resource = {
        "service.name": "marketplace",
        "service.version": settings.VERSION,
        "service.instance.id": f"{socket.gethostname()}-{os.getpid()}",
        "marketplace.role": settings.ROLE,
    }
    sampler = ParentBased(TraceIdRatioBased(settings.TRACES_SHARE))
    _Recorder.provider = TracerProvider(sampler=sampler, resource=Resource.create(resource))
    _Recorder.provider.add_span_processor(_Batches(exporter))
    return _Recorder.provider


def _tracer() -> Tracer:
    endpoint = f"{settings.TRACES_ENDPOINT.rstrip('/')}/v1/traces"
    provider = _Recorder.provider or start(OTLPSpanExporter(endpoint, timeout=EXPORT_SECONDS))
    return provider.get_tracer("marketplace", settings.VERSION)


def _span(name: str, parent: str, kind: SpanKind, attributes: Attributes, begin: int | None = None) -> Span:
    return _tracer().start_span(name, _context(parent), kind, attributes, start_time=begin)


def _context(traceparent: str) -> Context:
    if not traceparent:
        return Context()
    _, trace, span, flags = [int(part, 16) for part in traceparent.split("-")]
    return set_span_in_context(NonRecordingSpan(SpanContext(trace, span, True, TraceFlags(flags))), Context())


def _traceparent(span: Span) -> str:
    context = span.get_span_context()
    return f"00-{format_trace_id(context.trace_id)}-{format_span_id(context.span_id)}-{context.trace_flags:02x}"


def _fail(span: Span, kind: str) -> None:
    span.set_attribute("error.type", kind)
    span.set_status(Status(StatusCode.ERROR))


# --- Requests -------------------------------------------------------------------------------------------------------


class RequestSpans:
    """Middleware: a span for each request but probes. Events that it writes belong to it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        _tracer()  # now, and not in two threads at once

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith("/health"):
            return self.get_response(request)
        span = _span(_name(request), tracing.given(), SpanKind.SERVER, _about(request))
        tracing.go_on_from(_traceparent(span))
        try:
            response = self.get_response(request)
            span.update_name(_name(request))  # now that its route is known
            _answered(span, routes.of(request), response.status_code)
        finally:
            span.end()
        return response


def _name(request: HttpRequest) -> str:
    method = request.method if request.method in _METHODS else "HTTP"
    return f"{method} {routes.of(request)}".rstrip()


def _about(request: HttpRequest) -> Attributes:
    method = request.method or ""
    return {"http.request.method": method if method in _METHODS else "_OTHER", "url.scheme": request.scheme or ""}


def _answered(span: Span, route: str, status: int) -> None:
    span.set_attribute("http.response.status_code", status)
    if route:
        span.set_attribute("http.route", route)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _fail(span, str(status))


class CommandSpans(CommandListener):
    """A span for each MongoDB command of a request that is recorded, with its name: what it asks for stays out."""

    def started(self, event: CommandStartedEvent) -> None:
        """Wait for the end, which knows how long it took."""

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Record a command that was answered."""
        _command(event, "")

    def failed(self, event: CommandFailedEvent) -> None:
        """Record a command that MongoDB refused, or that got no answer."""
        _command(event, str(event.failure.get("codeName") or event.failure.get("errtype") or "other"))


def _command(event: CommandSucceededEvent | CommandFailedEvent, failure: str) -> None:
    parent = tracing.given()
    if not tracing.is_recorded(parent):
        return
    end = time.time_ns()
    attributes = {"db.system.name": "mongodb", "db.operation.name": event.command_name}
    span = _span(event.command_name, parent, SpanKind.CLIENT, attributes, end - event.duration_micros * 1000)
    if failure:
        _fail(span, failure)
    span.end(end)


# --- Events ---------------------------------------------------------------------------------------------------------


@contextmanager
def publishing(events: Sequence[dict[str, Any]]) -> Iterator[list[str]]:
    """Have a span for each outbox event of a recorded trace, as `tracing.publishing` says."""
    spans = [
        _event_span("publish", "send", event["topic"], event["traceparent"], len(events), SpanKind.PRODUCER)
        if tracing.is_recorded(event["traceparent"])
        else None
        for event in events
    ]
    for span, event in zip(spans, events, strict=True):
        if span:
            span.set_attribute("cloudevents.event_type", event["event_type"])
    with _ended([span for span in spans if span]):
        yield [_traceparent(span) if span else event["traceparent"] for span, event in zip(spans, events, strict=True)]


@contextmanager
def applying(messages: Sequence[tuple[tracing.Place, str]], batch: int) -> Iterator[set[tracing.Place]]:
    """Have a span for each message, as `tracing.applying` says. They share a transaction, so all take as long."""
    spans = {}
    for place, traceparent in messages:
        (topic, partition), offset = place
        span = _event_span("apply", "process", topic, traceparent, batch, SpanKind.CONSUMER)
        span.set_attributes({"messaging.destination.partition.id": str(partition), "messaging.kafka.offset": offset})
        spans[place] = span
    dead: set[tracing.Place] = set()
    with _ended(spans.values()):
        yield dead
        for place in dead & spans.keys():
            _fail(spans[place], "dead_letter")


def _event_span(name: str, kind: str, topic: str, parent: str, batch: int, role: SpanKind) -> Span:
    attributes: Attributes = {
        "messaging.system": "kafka",
        "messaging.operation.name": name,
        "messaging.operation.type": kind,
        "messaging.destination.name": topic,
        "messaging.batch.message_count": batch,
    }
    return _span(f"{name} {topic}", parent, role, attributes)


@contextmanager
def _ended(spans: Collection[Span]) -> Iterator[None]:
    """End the spans with the block, as failed ones if it fails."""
    try:
        yield
    except BaseException as error:
        for span in spans:
            _fail(span, type(error).__name__)
        raise
    finally:
        for span in spans:
            span.end()
