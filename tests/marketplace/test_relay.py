"""The relay against a real replica set and a broker with switches: nothing lost, order kept, one at a time."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
from bson import ObjectId
from django.core.management import CommandError, call_command
from pymongo.change_stream import CollectionChangeStream
from pymongo.collection import Collection
from pymongo.errors import OperationFailure

from marketplace import kafka, mongo
from marketplace.events.delivery import Delivery
from marketplace.events.lease import Lease
from marketplace.events.relay import Relay
from marketplace.events.relay_policy import RelayPolicy
from tests.events import header_problems
from tests.marketplace.mock_broker import MockBroker
from tests.marketplace.relaying import (
    START,
    A,
    B,
    event,
    first_times,
    published,
    put,
    running,
    versions,
    waiting,
)
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("mongodb")

DIES_BEFORE_DELETING = """
import os, signal, threading
import django
django.setup()
from marketplace.events.relay import Relay
from marketplace.events.relay_policy import RelayPolicy
class Killed(Relay):
    def _delete_published(self):
        if self._done:
            os.kill(os.getpid(), signal.SIGKILL)
Killed(threading.Event(), policy=RelayPolicy(lease_seconds=1)).run()
"""


@pytest.fixture
def broker(settings: object) -> Iterator[MockBroker]:
    with MockBroker.running() as broker:
        settings.KAFKA_BOOTSTRAP_SERVERS = broker.address
        yield broker


def test_an_event_arrives_with_its_key_bytes_and_headers(broker: MockBroker) -> None:
    sent = event(A, 7)
    mongo.database().outbox.insert_one(sent)
    call_command("relay_events", once=True)
    [message] = published(broker)
    assert (message.topic(), message.key(), message.value()) == ("user", A.encode(), sent["payload"])
    headers = {name: value.decode() for name, value in message.headers()}
    assert header_problems(headers) == []
    assert headers == {
        "ce_specversion": "1.0",
        "ce_id": sent["_id"],
        "ce_type": "user.updated",
        "ce_source": "/marketplace",
        "ce_time": "2026-01-01T00:00:00.007Z",
        "content-type": "application/json",
        "traceparent": sent["traceparent"],
    }
    assert waiting() == []


def test_many_events_keep_their_order_per_entity(broker: MockBroker) -> None:
    keys = [str(ObjectId()) for _ in range(40)]
    mongo.database().outbox.insert_many([event(key, version) for version in range(1, 61) for key in keys])
    Relay(threading.Event(), once=True).run()
    assert versions(published(broker)) == {key: list(range(1, 61)) for key in keys}
    assert waiting() == []


def test_a_large_backlog_goes_in_batches_of_limited_size(broker: MockBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(12):
        put(
            str(ObjectId()),
            number,
            payload=json.dumps({"version": number, "text": "x" * (2 << 20)}).encode()[: 2 << 20],
        )
    relay = Relay(threading.Event(), once=True, policy=RelayPolicy(batch_bytes=4 << 20))
    taken = []
    publish = Delivery.publish
    monkeypatch.setattr(
        Delivery,
        "publish",
        lambda self, events: (taken.append(sum(len(event["payload"]) for event in events)), publish(self, events))[1],
    )
    relay.run()
    assert max(taken) <= (4 << 20) + (2 << 20)
    assert (relay.published, waiting()) == (12, [])


def test_events_wait_while_the_broker_is_away_and_arrive_when_it_is_back(broker: MockBroker) -> None:
    with running() as relay:
        put(A, 1)
        until(lambda: not waiting())
        broker.go_down()
        for version in (2, 3):
            put(A, version)
        until(lambda: len(relay._batch) > 0)
        assert waiting() == [(A, 2), (A, 3)]
        broker.come_up()
        assert until(lambda: not waiting()) < 6
    found = versions(published(broker))[A]
    assert list(dict.fromkeys(found)) == [1, 2, 3]


def test_a_delivery_that_timed_out_is_not_published(broker: MockBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    make, settings = kafka.Producer, {"delivery.timeout.ms": 1000}
    monkeypatch.setattr(kafka, "Producer", lambda given: make(given | settings))
    with running() as relay:
        put(A, 1)
        until(lambda: relay.published == 1)
        broker.go_down()
        put(A, 2)
        until(lambda: relay._delivery._reports.failure is not None)
        assert (relay.published, relay.rejected, waiting()) == (1, [], [(A, 2)])
        broker.come_up()
        until(lambda: relay.published == 2)
        assert relay.failed > 0
    assert set(versions(published(broker))[A]) == {1, 2}


def test_a_rejected_event_holds_back_its_entity_only(broker: MockBroker) -> None:
    put(A, 1)
    put(A, 2, payload=b"x" * 2_300_000)  # more than message.max.bytes
    for version in (3, 4):
        put(A, version)
        put(B, version)
    with pytest.raises(CommandError, match="rejects events of 1 entities"):
        call_command("relay_events", once=True)
    assert first_times(broker) == {A: [1], B: [3, 4]}
    assert waiting() == [(A, 2), (A, 3), (A, 4)]


def test_the_order_survives_a_broker_that_refuses_some_requests(broker: MockBroker) -> None:
    keys = [str(ObjectId()) for _ in range(10)]
    mongo.database().outbox.insert_many([event(key, version) for version in range(1, 21) for key in keys])
    with running() as relay:
        for _ in range(5):
            broker.refuse(requests=2)
            failed = relay.failed
            until(lambda failed=failed: relay.failed > failed or not waiting())
        assert relay.failed > 0
        until(lambda: not waiting(), 30)
    assert relay.rejected == []
    assert first_times(broker) == {key: list(range(1, 21)) for key in keys}


def test_a_relay_killed_before_it_deletes_repeats_and_loses_nothing(broker: MockBroker, settings: object) -> None:
    mongo.database().outbox.insert_many([event(key, version) for version in range(1, 4) for key in (A, B)])
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "MONGODB_URL": settings.MONGODB_URL,
        "DATABASE_NAME": settings.DATABASE_NAME,
        "KAFKA_BOOTSTRAP_SERVERS": broker.address,
    }
    killed = subprocess.run([sys.executable, "-c", DIES_BEFORE_DELETING], env=environment, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert len(waiting()) == 6
    with running(RelayPolicy()):
        until(lambda: not waiting())
    for found in versions(published(broker)).values():
        assert list(dict.fromkeys(found)) == [1, 2, 3]
        assert len(found) > 3


def test_a_standby_takes_over(broker: MockBroker) -> None:
    put(A, 1)
    with running() as first:
        until(lambda: first.published == 1)
        with running() as second:
            put(A, 2)
            until(lambda: first.published == 2)
            first._stop.set()
            until(lambda: not first.lease.held)
            put(A, 3)
            assert until(lambda: second.published == 1) < 4
            assert second.lease.token == first.lease.token + 1
    assert versions(published(broker)) == {A: [1, 2, 3]}


def calls_of(owner: type, name: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that grows with each call of a method, before the method runs."""
    calls: list[str] = []
    method = getattr(owner, name)
    monkeypatch.setattr(owner, name, lambda self: (calls.append(name), method(self))[1])
    return calls


def test_a_relay_that_lost_its_lease_sends_nothing_more(broker: MockBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    with running() as relay:
        put(A, 1)
        until(lambda: relay.published == 1)
        broker.go_down()
        put(A, 2)
        until(lambda: len(relay._batch) > 0)
        mongo.database().leases.update_one({}, {"$set": {"holder": "another", "expires_at": START.replace(year=2100)}})
        until(lambda: relay._delivery is None)
        broker.come_up()
        put(A, 3)
        with monkeypatch.context() as patched:
            asked = calls_of(Lease, "keep", patched)
            until(lambda: len(asked) > 1)
        assert waiting() == [(A, 2), (A, 3)]
    assert versions(published(broker)) == {A: [1]}


def test_an_event_wakes_an_idle_relay(broker: MockBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    waits = calls_of(CollectionChangeStream, "try_next", monkeypatch)
    # By itself it would look again after 15 seconds only.
    with running(RelayPolicy(idle_wait_ms=15_000, mongodb_seconds=30, lease_seconds=90)) as relay:
        for version in range(1, 4):
            until(lambda version=version: len(waits) == version)
            put(A, version)
            assert until(lambda version=version: relay.published == version) < 10
        until(lambda: len(waits) == 4)
        relay._stop.set()
        put(A, 4)


def test_polling_replaces_a_change_stream_that_fails(
    broker: MockBroker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_args: object, **_options: object) -> None:
        raise OperationFailure("not authorized", 13)

    monkeypatch.setattr(Collection, "watch", refuse)
    with running() as relay:
        until(lambda: "polling instead" in caplog.text)
        put(A, 1)
        until(lambda: relay.published == 1)


def test_once_leaves_the_work_to_an_active_relay(broker: MockBroker) -> None:
    with running() as active:
        until(lambda: active.lease.held)
        put(A, 1)
        second = Relay(threading.Event(), once=True)
        second.run()
        assert waiting() == []
        assert second.published + active.published == 1
