"""The doctor on Kafka: the embedded broker, none at all, and topics of a real one that are not as they should be."""

import uuid
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from confluent_kafka import Consumer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from django.conf import settings as configured

from marketplace.doctor.registry import State
from marketplace.embedded.kafka import EmbeddedKafka
from tests.marketplace.doctor.examining import examine, faults, named, the
from tests.waiting import until

REAL = bool(configured.KAFKA_BOOTSTRAP_SERVERS)
real = pytest.mark.skipif(not REAL, reason="the embedded broker has no such topics; runs on a real one")


def test_all_is_well(kafka: str) -> None:
    findings = examine("kafka")
    assert faults(findings) == []
    assert the(findings, "topics").found.startswith("all 5 have ")
    assert the(findings, "partitions").state == State.OK


def test_what_the_embedded_broker_has_not(settings: object) -> None:
    broker = EmbeddedKafka()
    settings.KAFKA_BOOTSTRAP_SERVERS = broker.start()
    findings = examine("kafka", seconds=1)
    broker.stop()
    skipped = {one.name: one.found for one in findings if one.state == State.SKIPPED}
    assert set(skipped) == {"account", "consumer group", "copies", "topic settings", "broker settings"}
    assert all(found.startswith("the embedded broker has no ") for found in skipped.values())


def test_a_broker_that_is_away_costs_its_time_once(settings: object) -> None:
    settings.KAFKA_BOOTSTRAP_SERVERS = "127.0.0.1:9"
    brokers, *others = examine("kafka", seconds=0.3)
    assert (brokers.state, brokers.found.startswith("does not answer")) == (State.FAULT, True)
    assert "KAFKA_BOOTSTRAP_SERVERS" in brokers.remedy
    assert {one.found for one in others} == {"Kafka cannot be asked"}


@pytest.fixture
def topics(kafka: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, ...]]:
    """The event topics are these: one for small events that soon go, one with more partitions, one that is missing."""
    names = tuple(f"doctor-{kind}-{uuid.uuid4().hex[:8]}" for kind in ("small", "wide", "missing"))
    admin = AdminClient({"bootstrap.servers": kafka})
    small = {"max.message.bytes": "1000", "retention.ms": "3600000"}
    wanted = [NewTopic(names[0], 2, 1, config=small), NewTopic(names[1], 3, 1)]
    for made in admin.create_topics(wanted).values():
        made.result(30)
    monkeypatch.setattr("marketplace.doctor.kafka.TOPICS", names)
    yield names
    for deleted in admin.delete_topics(list(names[:2])).values():
        deleted.result(30)


@real
def test_topics_that_are_missing_or_unlike(topics: tuple[str, ...]) -> None:
    small, _, missing = topics
    gone, unlike = named(examine("kafka"), "topics")
    assert (gone.state, gone.found) == (State.FAULT, f"not there: {missing}")
    assert gone.remedy.startswith("manage.py create_topics --partitions 3 --replication-factor ")
    assert (unlike.state, "partitions are not alike" in unlike.found) == (State.WARNING, True)
    assert f"--alter --topic {small} --partitions 3" in unlike.remedy


@real
def test_a_topic_without_room_or_memory(topics: tuple[str, ...]) -> None:
    small = topics[0]
    size, kept = (one for one in named(examine("kafka"), "topic settings") if one.found.startswith(small))
    assert (size.state, "takes events up to 1,000 bytes" in size.found) == (State.FAULT, True)
    assert size.remedy.endswith(f"--entity-name {small} --add-config max.message.bytes=2200000")
    assert (kept.state, "kept for 1 h" in kept.found) == (State.WARNING, True)
    assert kept.remedy.endswith(f"--entity-name {small} --add-config retention.ms=604800000")


@real
def test_a_group_that_shares_out_its_partitions(kafka: str, settings: Any) -> None:
    """It does for as long as a member has not given up its own: the newcomer has none yet, and is not too many."""
    settings.KAFKA_GROUP_ID = f"doctor-{uuid.uuid4()}"
    with closing(_member(kafka)) as first:
        until(lambda: first.poll(0.1) or first.assignment(), 30)
        assert the(examine("kafka"), "consumer group").state == State.OK
        # Nobody polls for the first one any more, so it keeps what it has.
        with closing(_member(kafka)) as second:
            until(lambda: second.poll(0.1) or the(examine("kafka"), "consumer group").state != State.OK, 30)
            found = the(examine("kafka"), "consumer group")
    assert found.found.endswith("rebalancing: they are sharing out the partitions")
    assert (found.state, found.remedy.startswith("Ask again in a minute.")) == (State.WARNING, True)


def _member(kafka: str) -> Consumer:
    """Return a member that gives its partitions up in a callback, so only while it polls."""
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": configured.KAFKA_GROUP_ID})
    consumer.subscribe(["user"], on_revoke=lambda *_: None)
    return consumer


@real
def test_a_group_that_nobody_is_in(kafka: str, settings: object) -> None:
    settings.KAFKA_GROUP_ID = f"doctor-{uuid.uuid4()}"
    found = the(examine("kafka"), "consumer group")
    assert (found.state, found.remedy) == (State.WARNING, "manage.py consume_events")
