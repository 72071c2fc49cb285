"""One trace from an HTTP request to its rows: request, publishing, applying up to the commit."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextvars import Context
from typing import Any

import pymongo
import pytest
from confluent_kafka import Producer
from django.db import DatabaseError
from django.test import Client
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode, format_span_id, format_trace_id
from pymongo.errors import OperationFailure

from analytics.consumer import EventConsumer
from analytics.models import DeadLetter, Order
from marketplace import mongo, tracing
from marketplace.events.delivery import RejectedError
from marketplace.events.relay import Relay
from marketplace.observability import traces
from marketplace.observability.mongodb import listeners
from tests.analytics.conftest import Produce
from tests.api import ANYONE, Api, Json, new_product, new_supplier, new_user, order_body

pytestmark = [pytest.mark.django_db(transaction=True)]

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
UNSAMPLED, DEAD = "5" * 32, "d" * 32
CLIENT = f"00-{TRACE}-00f067aa0ba902b7"


class Recorded:
    """What this process records."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = traces.start(self.exporter)

    def spans(self) -> list[ReadableSpan]:
        self.provider.force_flush()
        return list(self.exporter.get_finished_spans())

    def named(self, name: str) -> ReadableSpan:
        [span] = [one for one in self.spans() if one.name == name]
        return span


@pytest.fixture
def recorded(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorded]:
    ANYONE.get("/health")  # its middleware stays as it is
    settings.TRACES_ENDPOINT = "http://nowhere.invalid"
    outer = "marketplace.api.middleware.RequestMiddleware"
    before, after = settings.MIDDLEWARE, settings.MIDDLEWARE.index(outer) + 1
    settings.MIDDLEWARE = [*before[:after], "marketplace.observability.traces.RequestSpans", *before[after:]]
    monkeypatch.setattr(traces._Recorder, "provider", None)
    recorded = Recorded()
    yield recorded
    recorded.provider.shutdown()


def fail(error: Exception, *_done_before: None) -> None:
    raise error


def by_header(caller: Api, name: str) -> Api:
    """Return the caller with a client that goes through the middleware as it is set now."""
    return Api(Client(headers={name: caller.id}), id=caller.id)


def ids(span: ReadableSpan) -> tuple[str, str, str]:
    """Return the ids of a span's trace, of its parent and of itself."""
    parent = format_span_id(span.parent.span_id) if span.parent else ""
    return format_trace_id(span.context.trace_id), parent, format_span_id(span.context.span_id)


def place_order(user: Api, product: Json, traceparent: str) -> str:
    line = {"product_id": product["id"], "variant_name": "Red", "quantity": 1}
    order = user.post("/orders", order_body(line), status=201, traceparent=traceparent)
    return str(order["id"])


def produce_odd_messages(broker: str) -> None:
    """Produce one that becomes a dead letter of a recorded trace, and many with headers that are no trace context."""
    producer = Producer({"bootstrap.servers": broker})
    recorded = [("traceparent", f"00-{DEAD}-00f067aa0ba902b7-01".encode())]
    odd = [[("traceparent", bad)] for bad in (b"", b"\xff", None, b"00-x", f"{CLIENT}-00".encode())]
    for headers in (recorded, *odd, None):
        producer.produce("user", b"no JSON", b"key", headers=headers)
    assert producer.flush(10) == 0


def test_a_trace_leads_from_the_request_to_the_commit(
    api: None, own_kafka: Produce, recorded: Recorded, group: str, settings: Any
) -> None:
    user, product = by_header(new_user(), "X-User-ID"), new_product(new_supplier())
    place_order(user, product, f"00-{UNSAMPLED}-00f067aa0ba902b7-00")
    order_id = place_order(user, product, f"{CLIENT}-01")
    produce_odd_messages(settings.KAFKA_BOOTSTRAP_SERVERS)
    Relay(threading.Event(), once=True).run()
    EventConsumer(group).run(once=True)
    assert Order.objects.count() == 2
    assert DeadLetter.objects.count() == 7
    check_trace(recorded, order_id)
    [dead] = [span for span in recorded.spans() if ids(span)[0] == DEAD]
    assert (dead.status.status_code, (dead.attributes or {})["error.type"]) == (StatusCode.ERROR, "dead_letter")
    assert not [span for span in recorded.spans() if ids(span)[0] == UNSAMPLED]


def check_trace(recorded: Recorded, order_id: str) -> None:
    of_trace = [span for span in recorded.spans() if ids(span)[0] == TRACE]
    names = ["POST /orders", "apply order", "apply product", "publish order", "publish product"]
    assert sorted(span.name for span in of_trace) == names
    assert {span.status.status_code for span in of_trace} == {StatusCode.UNSET}
    request, publish, apply = [recorded.named(name) for name in ("POST /orders", "publish order", "apply order")]
    assert ids(request)[1] == "00f067aa0ba902b7"
    assert ids(publish)[1] == ids(request)[2]
    assert ids(apply)[1] == ids(publish)[2]
    times = [time for span in (request, publish, apply) for time in (span.start_time, span.end_time)]
    assert times == sorted(times)
    assert [span.kind for span in (request, publish, apply)] == [SpanKind.SERVER, SpanKind.PRODUCER, SpanKind.CONSUMER]
    assert dict(request.attributes or {}) == {
        **{"http.request.method": "POST", "http.route": "/orders", "http.response.status_code": 201},
        "url.scheme": "http",
    }
    attributes = [dict(span.attributes or {}) for span in (publish, apply)]
    assert [one["messaging.destination.name"] for one in attributes] == ["order", "order"]
    assert attributes[0]["cloudevents.event_type"] == "order.created"
    assert {"messaging.kafka.offset", "messaging.destination.partition.id"} <= attributes[1].keys()
    assert order_id not in "".join(span.to_json() for span in of_trace)
    resource = request.resource.attributes
    assert [resource[name] for name in ("service.name", "service.version", "marketplace.role")] == [
        *("marketplace", "0.1.0", "api"),
    ]


@pytest.mark.parametrize("share", [0, 1])
def test_traces_that_begin_here_are_recorded_in_their_share(
    share: int, api: None, recorded: Recorded, settings: Any
) -> None:
    user = by_header(new_user(), "X-User-ID")
    settings.TRACES_SHARE = share
    kept = Recorded()
    mongo.database().outbox.delete_many({})
    user.patch(f"/users/{user.id}?token=hunter2", {"bio": "hunter2"})
    [stored] = mongo.database().outbox.find()
    assert [span.name for span in kept.spans()] == ["PATCH /users/{id}"] * share
    assert tracing.is_recorded(stored["traceparent"]) is bool(share)
    assert not [one for one in kept.spans() if "hunter2" in one.to_json() or user.id in one.to_json()]
    assert [ids(one)[0] for one in kept.spans()] == [stored["traceparent"].split("-")[1]] * share


@pytest.mark.parametrize("share", [0, 1])
def test_a_request_is_one_trace_and_a_command_one_for_each_event(share: int, settings: Any) -> None:
    def two(request_id: str) -> list[str]:
        if request_id:
            tracing.start(request_id, "")
        return [tracing.traceparent(), tracing.traceparent()]

    settings.TRACES_SHARE = share
    in_request, in_command = Context().run(two, "-"), Context().run(two, "")
    assert len(set(in_request)) == 1
    assert len({one.split("-")[1] for one in in_command}) == 2
    assert {tracing.is_recorded(one) for one in in_request + in_command} == {bool(share)}


def test_a_request_that_fails_is_marked(api: None, recorded: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalog.services.product_list", lambda **_: 1 / 0)
    client = Client(raise_request_exception=False)
    assert client.get("/products").status_code == 500
    assert client.get("/nothing/here").status_code == 404
    assert client.generic("BREW", "/products").status_code == 405
    assert client.get("/health").status_code == 200  # a probe: no trace
    failed, missing, odd = recorded.spans()
    assert (failed.name, failed.status.status_code) == ("GET /products", StatusCode.ERROR)
    assert (failed.attributes or {})["error.type"] == "500"
    assert (missing.name, missing.status.status_code) == ("GET", StatusCode.UNSET)
    assert (odd.name, (odd.attributes or {})["http.request.method"]) == ("HTTP /products", "_OTHER")


def test_the_commands_of_a_recorded_request_are_told_without_what_they_ask_for(
    mongodb: str, recorded: Recorded
) -> None:
    with pymongo.MongoClient[Any](mongodb, event_listeners=listeners()) as client:
        for traceparent in ("", f"{CLIENT}-00", f"{CLIENT}-01"):
            tracing.go_on_from(traceparent)
            client.test.users.find_one({"email": "hunter2"})
        with pytest.raises(OperationFailure):
            client.test.command("hunter2")
        tracing.go_on_from("")
    found, failed = recorded.spans()
    assert [ids(one)[:2] for one in (found, failed)] == [(TRACE, "00f067aa0ba902b7")] * 2
    assert (found.name, found.kind, found.status.status_code) == ("find", SpanKind.CLIENT, StatusCode.UNSET)
    assert 0 < found.end_time - found.start_time < 10**9
    assert (failed.status.status_code, (failed.attributes or {})["error.type"]) == (StatusCode.ERROR, "CommandNotFound")
    assert "hunter2" not in found.to_json()


def test_what_fails_on_the_way_is_marked_without_what_the_error_says(recorded: Recorded) -> None:
    stored = {"topic": "user", "event_type": "user.updated", "traceparent": f"{CLIENT}-01"}
    sent: list[str] = []
    batch = [stored, stored | {"traceparent": f"{CLIENT}-00"}]
    with pytest.raises(RejectedError), tracing.publishing(batch) as given:
        fail(RejectedError("hunter2"), sent.extend(given))
    with pytest.raises(DatabaseError), tracing.applying([((("user", 0), 7), f"{CLIENT}-01")], 1):
        fail(DatabaseError("hunter2"))
    assert [one.split("-")[1] for one in sent] == [TRACE, TRACE]
    assert sent[0] != f"{CLIENT}-01"
    assert sent[1] == f"{CLIENT}-00"
    spans = recorded.spans()
    assert [(one.name, one.status.status_code) for one in spans] == [
        *(("publish user", StatusCode.ERROR), ("apply user", StatusCode.ERROR)),
    ]
    assert [(one.attributes or {})["error.type"] for one in spans] == ["RejectedError", "DatabaseError"]
    assert "hunter2" not in "".join(one.to_json() for one in spans)


def test_nothing_of_opentelemetry_is_imported_without_an_endpoint() -> None:
    program = (
        "import django, sys; django.setup(); import marketplace.urls, marketplace.events.relay, analytics.consumer;"
        "from django.test import Client; Client().get('/health');"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    environment = {"DJANGO_SETTINGS_MODULE": "tests.settings", "ALLOWED_HOSTS": "testserver", "TRACES_ENDPOINT": ""}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60)
    assert done.stdout == "[]\n", done.stderr
