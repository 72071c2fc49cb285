"""The doctor on analytics: tables, collations, offsets, and the signs of the pipeline."""

import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from django.conf import settings as configured
from django.db import connection

from analytics.models import ConsumerOffset, DeadLetter, PartitionReport
from marketplace.doctor.registry import State
from tests.marketplace.doctor.examining import examine, faults, named, the

pytestmark = pytest.mark.django_db(transaction=True)
is_real_kafka = pytest.mark.skipif(not configured.KAFKA_BOOTSTRAP_SERVERS, reason="the embedded broker deletes nothing")
is_mysql = pytest.mark.skipif(connection.vendor != "mysql", reason="SQLite has no collations")


def stored(kafka: str, group: str, next_offset: int, cluster: str = "", topic: str = "user") -> None:
    cluster = cluster or str(AdminClient({"bootstrap.servers": kafka}).list_topics(timeout=10).cluster_id)
    ConsumerOffset.objects.create(cluster_id=cluster, topic=topic, partition=0, group_id=group, next_offset=next_offset)


def test_nothing_has_been_read_yet(kafka: str, mongodb: str, group: str, settings: Any) -> None:
    settings.KAFKA_GROUP_ID = group
    findings = examine("pipeline")
    assert faults(findings) == []
    assert the(findings, "offsets").found == f"of {group}: nothing is stored yet"
    lag = the(findings, "consumer lag")
    assert (lag.state, "manage.py consume_events" in lag.remedy) == (State.WARNING, True)


def test_an_offset_beyond_the_topic(kafka: str, group: str, settings: Any) -> None:
    settings.KAFKA_GROUP_ID = group
    stored(kafka, group, 10**12)
    found = the(examine("pipeline"), "offsets")
    assert (found.state, "of user/0: consumers begin at the earliest" in found.found) == (State.FAULT, True)
    assert "manage.py verify_analytics --repair" in found.remedy


def test_an_offset_that_is_where_it_should_be(kafka: str, group: str, settings: Any) -> None:
    settings.KAFKA_GROUP_ID = group
    stored(kafka, group, 0)
    assert named(examine("pipeline"), "offsets")[0].state == State.OK


@pytest.fixture
def topic(kafka: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The only event topic: it keeps events for a week, and has three, of five days ago."""
    name = f"doctor-{uuid.uuid4().hex[:8]}"
    admin = AdminClient({"bootstrap.servers": kafka})
    wanted = NewTopic(name, 1, 1, config={"retention.ms": "604800000"})
    admin.create_topics([wanted])[name].result(30)
    producer = Producer({"bootstrap.servers": kafka})
    for _ in range(3):
        producer.produce(name, b"x", timestamp=int((datetime.now(UTC) - timedelta(days=5)).timestamp() * 1000))
    assert producer.flush(20) == 0
    monkeypatch.setattr("marketplace.doctor.kafka.TOPICS", [name])
    yield name
    admin.delete_topics([name])[name].result(30)


@is_real_kafka
def test_events_that_will_soon_be_deleted_unread(kafka: str, topic: str, group: str, settings: Any) -> None:
    settings.KAFKA_GROUP_ID = group
    stored(kafka, group, 0, topic=topic)
    where, age = named(examine("pipeline"), "offsets")
    assert where.state == State.OK
    assert (age.state, age.found.endswith(f"half of their retention: events of {topic}/0")) == (State.WARNING, True)
    ConsumerOffset.objects.update(next_offset=3)
    assert the(examine("pipeline"), "offsets").state == State.OK


@is_real_kafka
def test_events_that_stay_unread(kafka: str, topic: str, group: str, settings: Any) -> None:
    """The consumer is at work and reports, as one does that is started again and again: only its events tell."""
    settings.KAFKA_GROUP_ID = group
    stored(kafka, group, 1, topic=topic)
    at = datetime.now(UTC)
    PartitionReport.objects.create(group_id=group, topic=topic, partition=0, next_offset=1, end_offset=3, at=at)
    findings = examine("pipeline")
    assert the(findings, "consumer lag").state == State.OK
    found = the(findings, "unread events")
    assert (found.state, found.found) == (State.WARNING, f"for more than 60 s: those of {topic}/0")
    assert "docs/tables.md#dead-letters" in found.remedy


@is_real_kafka
@pytest.mark.parametrize("ended", [True, False])
def test_events_that_are_read(kafka: str, topic: str, group: str, settings: Any, ended: bool) -> None:
    """The end of a transaction that a consumer has passed is no event; an event that has just come is not late."""
    settings.KAFKA_GROUP_ID = group
    stored(kafka, group, 2 if ended else 3, topic=topic)
    PartitionReport.objects.create(
        group_id=group, topic=topic, partition=0, next_offset=3, end_offset=3, at=datetime.now(UTC)
    )
    if not ended:
        producer = Producer({"bootstrap.servers": kafka})
        producer.produce(topic, b"new")
        assert producer.flush(20) == 0
    findings = examine("pipeline")
    assert the(findings, "unread events").state == State.OK
    assert the(findings, "offsets").state == State.OK


@is_real_kafka
def test_events_that_were_deleted_unread(kafka: str, topic: str, group: str, settings: Any) -> None:
    settings.KAFKA_GROUP_ID = group
    stored(kafka, group, 0, topic=topic)
    admin = AdminClient({"bootstrap.servers": kafka})  # which has to outlive the answer
    next(iter(admin.delete_records([TopicPartition(topic, 0, 2)]).values())).result(30)
    lost = named(examine("pipeline"), "offsets")[0]
    assert (lost.state, lost.found.startswith(f"events were deleted before they were read of {topic}/0")) == (
        State.FAULT,
        True,
    )


def test_offsets_of_another_cluster(kafka: str, group: str, settings: Any) -> None:
    settings.KAFKA_GROUP_ID = group
    stored(kafka, group, 5, cluster="another")
    found = the(examine("pipeline"), "offsets")
    assert (found.state, "another cluster's" in found.found) == (State.WARNING, True)


def test_the_signs_of_the_dashboard(kafka: str, mongodb: str, group: str, settings: Any) -> None:
    settings.KAFKA_GROUP_ID = group
    at = datetime.now(UTC) - timedelta(hours=1)
    PartitionReport.objects.create(group_id=group, topic="user", partition=0, next_offset=1, end_offset=9, at=at)
    DeadLetter.objects.create(cluster_id="c", topic="user", partition=0, offset=1, error="bad")
    findings = examine("pipeline")
    assert "no word of 1 of 1 lately" in the(findings, "consumer lag").found
    letters = the(findings, "dead letters")
    assert (letters.state, letters.found[:6]) == (State.WARNING, "1 open")
    assert letters.remedy.startswith("manage.py dead_letters list")


def test_a_table_that_is_not_there() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE tombstones RENAME TO elsewhere")
    found = the(examine("sql"), "tables")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE elsewhere RENAME TO tombstones")
    assert (found.state, found.found) == (State.FAULT, "1 of 26 are not there: tombstones")
    assert "manage.py migrate" in found.remedy


@is_mysql
def test_a_key_that_compares_without_case() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE tombstones MODIFY entity_id VARCHAR(24) COLLATE utf8mb4_general_ci NOT NULL")
        found = the(examine("sql"), "collations")
        assert (found.state, found.found[:43]) == (State.FAULT, "tombstones.entity_id has utf8mb4_general_ci")
        change = re.match(r"ALTER TABLE .* NOT NULL", found.remedy)
        assert change
        cursor.execute(change[0])  # what it says helps
    assert the(examine("sql"), "collations").state == State.OK


@is_mysql
def test_a_key_that_others_refer_to() -> None:
    column = "order_id VARCHAR(24) COLLATE utf8mb4_general_ci NOT NULL"
    key = "FOREIGN KEY (order_id) REFERENCES orders (order_id) ON DELETE CASCADE"
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, "order_items")
        [(name, right)] = [
            (name, one) for name, one in constraints.items() if one["foreign_key"] == ("orders", "order_id")
        ]
        cursor.execute(f"ALTER TABLE order_items DROP FOREIGN KEY {name}")
        for table in ("orders", "order_items"):
            cursor.execute(f"ALTER TABLE {table} MODIFY {column}")
        found = the(examine("sql"), "collations")
        change, _, more = found.remedy.partition("; ")
        assert "drop the foreign key of order_items.order_id" in more
        for table in ("orders", "order_items"):
            cursor.execute(change.replace("ALTER TABLE orders", f"ALTER TABLE {table}"))
        cursor.execute(f"ALTER TABLE order_items ADD CONSTRAINT {name} {key}")
        assert connection.introspection.get_constraints(cursor, "order_items")[name] == right
    assert the(examine("sql"), "collations").state == State.OK
