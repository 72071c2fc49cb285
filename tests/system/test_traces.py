"""Traces and log lines of real processes: a collector gets the spans, and one that is away disturbs nobody."""

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from marketplace.embedded.kafka import EmbeddedKafka
from marketplace.embedded.mongod import free_port
from marketplace.observability import traces
from tests import waiting
from tests.analytics.processes import Tables

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CLIENT = f"00-{TRACE}-00f067aa0ba902b7-01"
USER = {"email": "ada@example.com", "password": "long enough", "display_name": "Ada"}


class Collector:
    """Takes traces by OTLP over HTTP (https://opentelemetry.io/docs/specs/otlp/#otlphttp)."""

    def __init__(self) -> None:
        self.spans: list[tuple[str, Any]] = []  # role of the process, and the span
        taken = self.take

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                taken(self.path, ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *arguments: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, path: str, request: ExportTraceServiceRequest) -> None:
        assert path == "/v1/traces"
        for process in request.resource_spans:
            [role] = [one.value.string_value for one in process.resource.attributes if one.key == "marketplace.role"]
            self.spans += [(role, span) for scope in process.scope_spans for span in scope.spans]

    @classmethod
    @contextmanager
    def running(cls) -> Iterator["Collector"]:
        collector = cls()
        yield collector
        collector.server.shutdown()
        collector.server.server_close()


def start(arguments: list[str], environment: dict[str, str], log: Path) -> "subprocess.Popen[bytes]":
    with log.open("w") as output:
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.Popen(command, env=environment, cwd=settings.BASE_DIR, stderr=output, stdout=output)


def sign_up(port: int) -> None:
    headers = {"Content-Type": "application/json", "traceparent": CLIENT}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/users", json.dumps(USER).encode(), headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 201


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def environment(mongodb: str, settings: Any, tmp_path: Path, django_db_blocker: Any) -> Iterator[dict[str, str]]:
    """That of processes with a database, a broker and tables of this test alone."""
    broker = EmbeddedKafka()
    settings.KAFKA_BOOTSTRAP_SERVERS = broker.start()
    with django_db_blocker.unblock():
        tables = Tables(tmp_path, os.environ.get("DATABASE_URL", ""))
        yield tables.environment | {
            **{"MONGODB_URL": mongodb, "DATABASE_NAME": settings.DATABASE_NAME, "ALLOWED_HOSTS": "127.0.0.1"},
            "LOG_FORMAT": "json",
        }
        tables.close()
    broker.stop()


def test_a_collector_gets_one_trace_of_three_processes(environment: dict[str, str], tmp_path: Path) -> None:
    """The processes end sooner than a batch is sent by itself: what is left is sent at the end."""
    log, port = tmp_path / "serve.log", free_port()
    with Collector.running() as collector:
        environment["TRACES_ENDPOINT"] = collector.url
        api = start(["serve", "--port", str(port), "--workers", "1"], environment, log)
        try:
            waiting.until(lambda: is_listening(port) and b"Started worker" in log.read_bytes())
            sign_up(port)
        finally:
            api.send_signal(signal.SIGTERM)
            assert api.wait(10) == 0
        for command in ("relay_events", "consume_events"):
            assert start([command, "--once"], environment, tmp_path / command).wait(30) == 0
    of_trace = [(role, span) for role, span in collector.spans if span.trace_id.hex() == TRACE]
    found = {role: span for role, span in of_trace if span.kind != Span.SPAN_KIND_CLIENT}
    assert {role: span.name for role, span in found.items()} == {
        **{"api": "POST /users", "relay": "publish user", "consumer": "apply user"},
    }
    assert found["api"].parent_span_id.hex() == CLIENT.split("-")[2]
    assert found["relay"].parent_span_id == found["api"].span_id
    assert found["consumer"].parent_span_id == found["relay"].span_id
    commands = {span.name: span.parent_span_id for _, span in of_trace if span.kind == Span.SPAN_KIND_CLIENT}
    assert {"insert", "commitTransaction"} <= commands.keys()
    assert set(commands.values()) == {found["api"].span_id}
    lines = [json.loads(line) for line in log.read_text().splitlines()]  # granian's, too
    assert {line["role"] for line in lines} == {"api"}
    assert {"_granian", "marketplace.access"} <= {line["logger"] for line in lines}
    assert [line["trace_id"] for line in lines if line.get("status") == 201] == [TRACE]


def record(provider: Any) -> None:
    provider.get_tracer("test").start_span("anything").end()


@pytest.mark.parametrize("listens", [True, False])
def test_a_collector_that_is_away_costs_a_line_and_little_time(
    listens: bool, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traces._Recorder, "provider", None)
    for name in traces.LOGGERS:
        [seldom] = logging.getLogger(name).filters[-1:]
        monkeypatch.setattr(seldom, "_silent_until", 0)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        if listens:
            silent.listen()  # and never answers
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        provider = traces.start(OTLPSpanExporter(url, timeout=traces.EXPORT_SECONDS))
        begun = time.monotonic()
        for _ in range(3000):  # more than are kept
            record(provider)
        assert time.monotonic() - begun < traces.EXPORT_SECONDS  # none has waited for the collector
        begun = time.monotonic()
        provider.shutdown()
        assert time.monotonic() - begun < traces.EXPORT_SECONDS  # a busy machine takes longer than STOP_SECONDS
    told = [record.name for record in caplog.records]
    assert max(told.count(name) for name in traces.LOGGERS) == 1
