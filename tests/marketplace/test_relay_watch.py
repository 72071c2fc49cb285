"""When a relay is alive and ready: a stuck loop is named, what it waits for is no fault but named, too."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from bson import ObjectId
from confluent_kafka import Producer
from prometheus_client import REGISTRY

from marketplace import kafka, mongo
from marketplace.events import watch
from marketplace.events.metrics import RelayCollector
from marketplace.events.relay import Relay
from marketplace.observability import metrics
from tests.marketplace.mock_broker import MockBroker
from tests.marketplace.relaying import A, put, running, waiting
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("mongodb")


@pytest.fixture
def broker(settings: Any) -> Iterator[MockBroker]:
    with MockBroker.running() as broker:
        settings.KAFKA_BOOTSTRAP_SERVERS = broker.address
        yield broker


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def errors(reason: str) -> float:
    return value("marketplace_relay_errors_total", reason=reason)


def seen(relay: Relay) -> dict[str, float]:
    """Return what a scrape sees of the relay and its outbox."""
    families = metrics.registry(RelayCollector(relay)).collect()
    return {sample.name: sample.value for family in families for sample in family.samples}


def test_an_active_relay_and_a_standby_are_alive_and_ready(broker: MockBroker) -> None:
    published = value("marketplace_relay_published_events_total", topic="user")
    put(A, 1)
    with running() as active:
        until(lambda: not waiting())
        with running() as standby:
            until(lambda: not standby.ready() and not active.ready())
            assert active.live() == standby.live() == []
            assert seen(active)["marketplace_relay_active"] == 1
            assert seen(active)["marketplace_outbox_events"] == 0
            assert seen(standby)["marketplace_relay_active"] == 0
            assert "marketplace_outbox_events" not in seen(standby)
    assert value("marketplace_relay_published_events_total", topic="user") == published + 1
    assert active.ready() == ["it is stopping"]
    assert seen(active)["marketplace_relay_active"] == 0


def test_a_loop_that_is_blocked_is_named(broker: MockBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked, comes = threading.Event(), threading.Event()

    def read(relay: Relay) -> list[mongo.Stored]:
        blocked.set()
        comes.wait(20)
        return original(relay)

    original = Relay._read_batch
    monkeypatch.setattr(Relay, "_read_batch", read)
    monkeypatch.setattr(watch, "LOOP_SECONDS", 2.0)
    with running() as relay:
        assert blocked.wait(10)
        until(lambda: len(relay.live()) == 1)
        assert relay.live()[0].startswith("the loop has stood still")
        comes.set()
        until(lambda: relay.live() == [])


def test_a_broker_that_is_away_is_no_fault_and_the_outbox_is_counted_meanwhile(
    broker: MockBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "LOOP_SECONDS", 2.0)  # it looks up twice a second
    put(A, 1)
    with running() as relay:
        until(lambda: not relay.ready())
        broker.go_down()
        put(A, 2)
        until(lambda: any("Kafka is away" in problem for problem in relay.ready()), 30)
        assert relay.live() == []
        looked = seen(relay)
        assert looked["marketplace_outbox_events"] == 1
        assert looked["marketplace_outbox_oldest_event_age_seconds"] > 0
        broker.come_up()
        until(lambda: not waiting() and not relay.ready(), 30)


def test_a_partition_without_a_broker_holds_everything_up_and_is_named(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = {"delivery.timeout.ms": 2000}
    monkeypatch.setattr(kafka, "Producer", lambda settings: Producer(settings | quick))
    before = errors("unreachable")
    with MockBroker.running(brokers=2) as cluster:
        settings.KAFKA_BOOTSTRAP_SERVERS = cluster.address
        cluster.coordinate(f"{settings.KAFKA_CLIENT_ID}-{settings.DATABASE_NAME}-relay")
        put(A, 1)
        with running() as relay:
            until(lambda: not waiting())
            for partition in range(4):
                cluster.lead("user", partition, 2 if partition == 3 else 1)
            cluster.go_down(2)
            for version in range(2, 22):
                put(str(ObjectId()), version)
            until(lambda: any("the last batch failed: user/3" in problem for problem in relay.ready()), 30)
            assert errors("unreachable") > before
            assert relay.live() == []
            assert len(waiting()) == 20
            cluster.come_up(2)
            until(lambda: not waiting() and not relay.ready(), 30)


def test_a_rejected_event_is_counted_and_shown_as_held(broker: MockBroker) -> None:
    before = errors("rejected")
    broker.refuse(1)
    put(A, 1)
    with running() as relay:
        until(lambda: seen(relay)["marketplace_relay_held_entities"] == 1)
        assert errors("rejected") == before + 1
        until(lambda: not waiting())
        until(lambda: seen(relay)["marketplace_relay_held_entities"] == 0)
