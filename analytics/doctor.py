"""The doctor on analytics: the tables' columns, where the consumers stand, and what the pipeline tells of itself."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from confluent_kafka import TopicPartition
from confluent_kafka.admin import ClusterMetadata, OffsetSpec
from django.apps import apps
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, connections, models
from django.db.migrations.recorder import MigrationRecorder

from analytics import dashboard_health
from analytics.fields import KeyField, LineField, ProseField
from analytics.models import ConsumerOffset
from analytics.offsets import Offsets, Partition
from analytics.replica import REPLICA
from analytics.reports import pipeline
from marketplace import kafka
from marketplace.doctor.kafka import EMBEDDED_HAS_NO, event_topics, is_embedded, metadata
from marketplace.doctor.kafka_settings import retention_ms, topic_settings
from marketplace.doctor.registry import Finding, State, Visit, check, fault, ok, skipped, warning

NAMED: Final = 5
# Longer than a batch and a rebalance take.
UNREAD: Final = timedelta(minutes=1)
Field = LineField | ProseField


@check("sql", "tables", needs=["sql"])
def tables(visit: Visit) -> Iterator[Finding]:  # noqa: ARG001  # every check's signature
    """Look for tables that a migration was recorded for, but that are not there."""
    wanted = {model._meta.db_table for model in apps.get_app_config("analytics").get_models() if model._meta.managed}
    missing = sorted(wanted - set(connection.introspection.table_names()))
    if missing:
        remedy = "manage.py migrate; where it has nothing to do, restore the backup, or migrate analytics zero first"
        named = f"{', '.join(missing[:NAMED])}{' ...' * (len(missing) > NAMED)}"
        found = f"{len(missing)} of {len(wanted)} are not there: {named}"
        yield fault(found, f"{remedy}. manage.py rebuild_analytics fills them.")
    else:
        yield ok(f"all {len(wanted)} are there")


@check("sql", "collations", needs=["sql"])
def collations(visit: Visit) -> Iterator[Finding]:  # noqa: ARG001
    """Look whether texts compare as they have to: of keys every byte, of texts for people neither case nor accents."""
    if connection.vendor == "sqlite":
        yield skipped("SQLite compares every byte")
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name, collation_name FROM information_schema.columns"
            " WHERE table_schema = DATABASE() AND collation_name IS NOT NULL"
        )
        found = {(table, column): collation for table, column, collation in cursor.fetchall()}
    others = [
        (model, field, found[place])
        for model in apps.get_app_config("analytics").get_models()
        for field in model._meta.local_fields
        if isinstance(field, LineField | ProseField)
        and (place := (model._meta.db_table, field.column)) in found
        and found[place] != field.collation(connection)
    ]
    yield from (_other_collation(*one) for one in others)
    if not others:
        yield ok("keys compare by every byte, other texts without case and accents")


def _other_collation(model: type[models.Model], field: Field, found: str) -> Finding:
    table, right = model._meta.db_table, field.collation(connection)
    null = "NULL" if field.null else "NOT NULL"
    change = f"ALTER TABLE {table} MODIFY {field.column} {field.db_type(connection)} COLLATE {right} {null}"
    # Neither side of a foreign key changes alone, on MariaDB not even while such keys are not checked.
    related = [one.field for one in model._meta.related_objects] if field.primary_key else []
    if columns := ", ".join(f"{one.model._meta.db_table}.{one.column}" for one in related):
        change += (
            f"; before it drop the foreign key of {columns}, after it change that column alike and make the key again"
        )
    kind = fault if isinstance(field, KeyField) else warning
    return kind(f"{table}.{field.column} has {found}, not {right}", change)


@check("sql", "replica", needs=["sql"])
def replica(visit: Visit) -> Iterator[Finding]:  # noqa: ARG001
    """Look whether the replica that reports are read from is one of this database."""
    if REPLICA not in connections:
        yield skipped("DATABASE_REPLICA_URL names none")
        return
    try:
        theirs = set(MigrationRecorder(connections[REPLICA]).applied_migrations())
    except (OperationalError, InterfaceError) as error:
        remedy = "Start it, or correct DATABASE_REPLICA_URL, or leave that out: reports then read the primary."
        yield fault(f"does not answer: {error.args[-1]}", remedy)
        return
    if theirs == set(MigrationRecorder(connection).applied_migrations()):
        yield ok("answers, and has had the same migrations")
    else:
        yield warning("it has had other migrations", "SHOW REPLICA STATUS on it: does it follow, and this database?")


@check("pipeline", "offsets", needs=["kafka", "sql"])
def offsets(visit: Visit) -> Iterator[Finding]:
    """Hold the stored offsets against what the partitions have."""
    cluster = metadata(visit)
    group = settings.KAFKA_GROUP_ID
    stored = _stored(str(cluster.cluster_id), event_topics(cluster))
    if not stored:
        others = ConsumerOffset.objects.filter(group_id=group).exists()
        why = "another cluster's are stored: they begin with the earliest events" if others else "nothing is stored yet"
        yield (warning(f"of {group}: {why}", _VERIFY) if others else ok(f"of {group}: {why}"))
        return
    low, high = (_ends(visit, stored, kind) for kind in (OffsetSpec.earliest(), OffsetSpec.latest()))  # type: ignore[no-untyped-call]
    lost = [partition for partition, offset in stored.items() if offset < low[partition]]
    beyond = [partition for partition, offset in stored.items() if offset > high[partition]]
    if lost:
        yield fault(f"events were deleted before they were read of {_told(lost)}: {_RESTART}", _VERIFY)
    if beyond:
        yield fault(f"the topic is not the one that was read, of {_told(beyond)}: {_RESTART}", _VERIFY)
    if not lost and not beyond:
        yield ok(f"all {len(stored)} of {group} are within their partitions")
    yield from _retention(visit, cluster, _behind(stored, high))


_RESTART: Final = "consumers begin at the earliest, and this is told until they have stored an event of each"
_VERIFY: Final = "Start the consumers, and when lag is 0: manage.py verify_analytics --repair"


def _stored(cluster_id: str, topics: Iterable[Any]) -> dict[Partition, int]:
    """Return the group's offsets of partitions that are there."""
    there = {(str(topic.topic), number) for topic in topics for number in topic.partitions}
    rows = ConsumerOffset.objects.filter(cluster_id=cluster_id, group_id=settings.KAFKA_GROUP_ID)
    found = rows.values_list("topic", "partition", "next_offset")
    return {(topic, number): offset for topic, number, offset in found if (topic, number) in there}


def _behind(stored: Offsets, high: Offsets) -> dict[Partition, int]:
    """Return where the group is in partitions that it has not read to their end.

    The records that end transactions are stored with the next event only; consumers tell when they have passed them.
    """
    told = {(one.topic, one.partition): one.next_offset for one in pipeline.own(pipeline.partition_reports())}
    reached = {partition: max(offset, told.get(partition, 0)) for partition, offset in stored.items()}
    return {partition: offset for partition, offset in reached.items() if offset < high[partition]}


def _ends(visit: Visit, partitions: Iterable[Partition], kind: OffsetSpec) -> dict[Partition, int]:
    asked = {TopicPartition(*partition): kind for partition in partitions}
    admin = kafka.admin()  # which has to outlive the answers
    answers = admin.list_offsets(asked, request_timeout=visit.seconds)
    return {(one.topic, one.partition): int(future.result().offset) for one, future in answers.items()}


def _retention(visit: Visit, cluster: ClusterMetadata, behind: Offsets) -> Iterator[Finding]:
    """Warn of events that are unread after more than half of the time that their topic keeps them."""
    if is_embedded(cluster) or not behind:
        return
    for topic, values in topic_settings(visit, cluster).items():
        kept = retention_ms(values)
        ours = {partition: offset for partition, offset in behind.items() if partition[0] == topic}
        if kept is None or not ours:
            continue
        middle = visit.now() - timedelta(milliseconds=kept / 2)
        if old := _unread_since(visit, ours, middle):
            remedy = "Have the consumers catch up, or give the topic a longer retention.ms meanwhile."
            yield warning(f"unread for more than half of their retention: events of {_told(old)}", remedy)


def _unread_since(visit: Visit, behind: Offsets, moment: datetime) -> list[Partition]:
    """Return the partitions whose next event has been in Kafka since before a moment."""
    younger = _ends(visit, behind, OffsetSpec.for_timestamp(int(moment.timestamp() * 1000)))
    return [partition for partition, offset in behind.items() if younger[partition] < 0 or younger[partition] > offset]


@check("pipeline", "unread events", needs=["kafka", "sql"])
def unread(visit: Visit) -> Iterator[Finding]:
    """Look for events that stay unread, as those do at which a consumer ends, each time that it is started again."""
    cluster = metadata(visit)
    stored = _stored(str(cluster.cluster_id), event_topics(cluster))
    if is_embedded(cluster) or not stored:
        yield skipped(EMBEDDED_HAS_NO.format("times of events") if is_embedded(cluster) else "nothing is stored yet")
        return
    behind = _behind(stored, _ends(visit, stored, OffsetSpec.latest()))  # type: ignore[no-untyped-call]
    if old := behind and _unread_since(visit, behind, visit.now() - UNREAD):
        remedy = "Ask again in a minute; if nothing moves, see the consumer's log and docs/tables.md#dead-letters."
        yield warning(f"for more than {UNREAD.seconds} s: those of {_told(old)}", remedy)
    else:
        yield ok(f"none for more than {UNREAD.seconds} s")


def _told(partitions: list[Partition]) -> str:
    named = ", ".join(f"{topic}/{number}" for topic, number in sorted(partitions)[:NAMED])
    return f"{named} and {len(partitions) - NAMED} more" if len(partitions) > NAMED else named


_STATES: Final = {"ok": State.OK, "warn": State.WARNING, "unknown": State.SKIPPED}
_REMEDIES: Final = {
    "Consumer lag": "manage.py consume_events, more of them up to the number of partitions; see their log",
    "Event to row": "GET /reports/pipeline: with a lag, more consumers; without, look at the relay and the outbox.",
    "Dead letters": "manage.py dead_letters list, then retry or discard them",
    "Verification": "manage.py verify_analytics, with --repair if it finds differences",
}


@check("pipeline", "signs", needs=["sql"])
def signs(visit: Visit) -> Iterator[Finding]:  # noqa: ARG001
    """Tell what the dashboard shows of the pipeline."""
    reports = pipeline.own(pipeline.partition_reports())
    for sign in dashboard_health.signs(list(pipeline.rows(reports))):
        if remedy := _REMEDIES.get(sign.title):  # the outbox is MongoDB's
            state = _STATES[sign.state]
            found = f"{sign.value}{f', {sign.detail}' if sign.detail else ''}"
            yield Finding(state, found, remedy if state is State.WARNING else "", name=sign.title.lower())
