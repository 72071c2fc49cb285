"""The consumer against a Kafka broker and a SQL database."""

import itertools
import logging
import os
import random
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from confluent_kafka import Producer, TopicPartition
from django.db import DatabaseError, connection, connections

from analytics import consumer as consumers
from analytics.batches import TooManyBadMessagesError, store
from analytics.consumer import BAD_LIMIT, EventConsumer
from analytics.metrics import SQL_OUTAGES
from analytics.models import ConsumerOffset, DeadLetter, Order, Post, User
from analytics.offsets import OffsetStore
from analytics.outages import BackOff
from marketplace import kafka as clients
from tests.analytics.conftest import apply
from tests.analytics.events import event, new_id, raw

pytestmark = pytest.mark.django_db(transaction=True)


def test_events_become_rows_and_a_restart_goes_on_from_the_stored_offsets(produce, group):
    ids = [new_id() for _ in range(1200)]
    produce(event("order.created", order_id) for order_id in ids)
    counts = EventConsumer(group).run(once=True)
    assert counts.read >= 1200
    assert Order.objects.filter(pk__in=ids).count() == 1200
    assert Order.objects.get(pk=ids[0]).items.count() == 3
    produce([event("order.cancelled", order_id, 2) for order_id in ids[:7]])
    counts = EventConsumer(group).run(once=True)
    assert (counts.read, counts.changed, counts.dead) == (7, 7, 0)
    observer = clients.consumer(group)
    rows = ConsumerOffset.objects.filter(group_id=group, next_offset__gt=0)
    partitions = [TopicPartition(*row) for row in rows.values_list("topic", "partition")]
    committed = {(p.topic, p.partition): p.offset for p in observer.committed(partitions, timeout=10)}
    assert committed == {row[:2]: row[2] for row in rows.values_list("topic", "partition", "next_offset")}
    observer.close()


def in_transaction(servers: str, envelopes: list[dict], end: str) -> None:
    """Produce events in one transaction; `end` says how it ends. A real broker writes a record about that, too."""
    producer = Producer({"bootstrap.servers": servers, "transactional.id": new_id()})
    producer.init_transactions(20)
    producer.begin_transaction()
    for envelope in envelopes:
        producer.produce("user", raw(envelope), envelope["entity_id"].encode())
    assert producer.flush(20) == 0
    getattr(producer, end)(20)


def test_the_records_that_end_transactions_are_waited_for_by_nobody(kafka, group):
    kept = [event("user.created", new_id()) for _ in range(30)]
    in_transaction(kafka, kept[:20], "commit_transaction")
    in_transaction(kafka, kept[20:], "commit_transaction")
    EventConsumer(group).run(once=True)
    assert User.objects.filter(pk__in=[envelope["entity_id"] for envelope in kept]).count() == 30
    observer = clients.consumer(group)
    partitions = observer.committed([TopicPartition("user", number) for number in range(4)], timeout=10)
    ends = [observer.get_watermark_offsets(partition, 10)[1] for partition in partitions]
    observer.close()
    assert [partition.offset for partition in partitions] == ends


def test_events_of_a_transaction_that_was_rolled_back_are_none(kafka, group):
    if "KAFKA_BOOTSTRAP_SERVERS" not in os.environ:
        pytest.skip("librdkafka's own broker knows no rolled back transactions")
    undone = event("user.created", new_id())
    in_transaction(kafka, [undone], "abort_transaction")
    EventConsumer(group).run(once=True)
    assert not User.objects.filter(pk=undone["entity_id"]).exists()


def test_a_new_cluster_id_reads_everything_again_without_harm(own_kafka, group, caplog):
    user_id = new_id()
    sent = [event("user.created", user_id), event("user.updated", user_id, 2, display_name="Now")]
    own_kafka(sent)
    apply(*sent)
    OffsetStore(group, "the one before").create({("user", number): 2 for number in range(4)})
    with caplog.at_level(logging.WARNING):
        counts = EventConsumer(group).run(once=True)
    assert (counts.read, counts.changed) == (2, 0)
    assert User.objects.get(pk=user_id).display_name == "Now"
    assert "is new to group" in caplog.text


def test_an_offset_outside_the_partition_restarts_at_the_earliest(own_kafka, group, caplog):
    sent = event("user.created", new_id())
    own_kafka([sent])
    OffsetStore(group, clients.admin().list_topics().cluster_id).create({("user", n): 10**9 for n in range(4)})
    with caplog.at_level(logging.WARNING):
        counts = EventConsumer(group).run(once=True)
    assert (counts.read, counts.changed) == (1, 1)
    assert "stored offset 1000000000 is not within 0 to 1" in caplog.text


class OvertakenConsumer(EventConsumer):
    """A consumer whose first batch somebody else stores first, as the new owner of its partitions would."""

    def _read(self) -> None:
        super()._read()
        progress = self._progress
        if progress.pending and not self.counts.fenced:
            store(progress.pending, self._offsets, progress.positions, bad_in_a_row=0, bad_limit=BAD_LIMIT)


def test_a_consumer_that_lost_its_partition_writes_nothing_and_seeks(produce, group):
    ids = [new_id() for _ in range(30)]
    produce(event("user.created", user_id) for user_id in ids)
    consumer = OvertakenConsumer(group)
    counts = consumer.run(once=True)
    assert counts.fenced >= 1
    assert User.objects.filter(pk__in=ids).count() == 30
    stored = ConsumerOffset.objects.filter(group_id=group, topic="user")
    assert sum(stored.values_list("next_offset", flat=True)) >= 30


@dataclass(frozen=True)
class Repair(BackOff):
    """A back-off during which the database comes back after two attempts."""

    repair: Callable[[], None] = field(default=lambda: None)

    def delays(self):
        for number in range(10):
            if number == 2:
                self.repair()
            yield 0.05


def make_database_fail() -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA query_only = ON")
        else:
            # The server is still there, and refuses this user until the password is right again.
            connection.settings_dict["PASSWORD"] += "-wrong"
            cursor.execute("SELECT CONNECTION_ID()")
            number = cursor.fetchone()[0]
            other = connections.create_connection("default")
            other.settings_dict = connection.settings_dict | {"PASSWORD": connection.settings_dict["PASSWORD"][:-6]}
            with other.cursor() as killer:
                killer.execute(f"KILL {number}")
            other.close()


def make_database_work() -> None:
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA query_only = OFF")
    else:
        connection.settings_dict["PASSWORD"] = connection.settings_dict["PASSWORD"].removesuffix("-wrong")


class FailingConsumer(EventConsumer):
    """A consumer whose database goes away between reading and storing."""

    def __init__(self, group: str) -> None:
        super().__init__(group, back_off=Repair(repair=lambda: self._in_database(make_database_work)))

    def _read(self) -> None:
        super()._read()
        if self._progress.pending and not self.counts.outages:
            self._in_database(make_database_fail)


def test_a_database_that_is_away_for_a_while_loses_nothing(produce, group):
    ids = [new_id() for _ in range(30)]
    produce(event("user.created", user_id) for user_id in ids)
    before = SQL_OUTAGES._value.get()
    counts = FailingConsumer(group).run(once=True)
    assert counts.outages == SQL_OUTAGES._value.get() - before >= 2
    assert counts.dead == 0
    assert User.objects.filter(pk__in=ids).count() == 30


@pytest.fixture
def refusing_database():
    """A database that refuses users of one name, for a reason that the decoding cannot know."""
    sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TRIGGER picky BEFORE INSERT ON users WHEN NEW.display_name = 'Nobody'"
            " BEGIN SELECT RAISE(ABORT, 'not this one'); END"
            if sqlite
            else "ALTER TABLE users ADD CONSTRAINT picky CHECK (display_name <> 'Nobody')"
        )
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER picky" if sqlite else "ALTER TABLE users DROP CONSTRAINT picky")


def test_a_batch_is_split_until_what_the_database_refuses_is_alone(own_kafka, group, refusing_database):
    sent = [event("user.created", new_id(), display_name="Nobody" if n in (7, 31) else "Ada") for n in range(40)]
    own_kafka(sent)
    counts = EventConsumer(group).run(once=True)
    assert (counts.read, counts.changed, counts.dead, counts.outages) == (40, 38, 2, 0)
    assert User.objects.count() == 38
    refused = {sent[7]["entity_id"], sent[31]["entity_id"]}
    assert {bytes(letter.key).decode() for letter in DeadLetter.objects.all()} == refused
    assert all("refused by the database" in letter.error for letter in DeadLetter.objects.all())


def test_an_undecodable_message_does_not_end_the_search_for_a_refused_one(
    own_kafka, group, refusing_database, monkeypatch
):
    """Each portion that the database refuses is smaller than the one before: nothing found out is forgotten."""
    refused = []

    def watched(messages, *arguments, **options):
        try:
            return store(messages, *arguments, **options)
        except DatabaseError:
            refused.append(len(messages))
            raise

    monkeypatch.setattr(consumers, "store", watched)
    ids = itertools.islice((one for one in iter(new_id, None) if zlib.crc32(one.encode()) % 4 == 0), 80)
    sent = [event("user.created", one, display_name="Nobody" if n == 26 else "Ada") for n, one in enumerate(ids)]
    own_kafka(("user", one["entity_id"].encode(), b"{" if n == 22 else raw(one)) for n, one in enumerate(sent))
    counts = EventConsumer(group).run(once=True)
    assert (counts.read, counts.dead) == (80, 2)
    assert len(refused) > 2
    assert all(before > after for before, after in itertools.pairwise(refused)), refused


def test_poison_goes_to_the_dead_letters_and_the_topic_goes_on(own_kafka, group, caplog):
    ids = [new_id() for _ in range(5)]
    good = [event("user.created", user_id) for user_id in ids]
    own_kafka([good[0], ("user", b"k", b"poison"), good[1], ("user", b"k", None), *good[2:]])
    counts = EventConsumer(group, batch_size=3).run(once=True)
    assert (counts.read, counts.changed, counts.dead) == (7, 5, 2)
    assert User.objects.filter(pk__in=ids).count() == 5
    assert DeadLetter.objects.count() == 2
    letter = DeadLetter.objects.earliest("id")
    assert f"the first user/{letter.partition}@{letter.offset}: {letter.error}" in caplog.text


def test_too_many_bad_messages_stop_the_consumer_with_nothing_dropped(own_kafka, group):
    own_kafka([("user", b"k", b"poison")] * (BAD_LIMIT + 5))
    with pytest.raises(TooManyBadMessagesError):
        EventConsumer(group, batch_size=20).run(once=True)
    passed = sum(ConsumerOffset.objects.values_list("next_offset", flat=True))
    assert passed == DeadLetter.objects.count() == 40  # two whole batches; the third would be over the limit


def test_events_longer_than_a_fetch_arrive(produce, group):
    long = [event("post.created", new_id(), media=[random.randbytes(1_000_000).hex()]) for _ in range(3)]
    short = [event("post.created", new_id()) for _ in range(20)]
    produce([*short[:10], *long, *short[10:]])
    EventConsumer(group).run(once=True)
    assert Post.objects.filter(pk__in=[envelope["entity_id"] for envelope in [*short, *long]]).count() == 23


KINDS = 6


def poison(kind: int) -> tuple[str, bytes, bytes | None]:
    """Return a bad message, one of each kind in turn, made of a good event."""
    good = event("user.created", new_id())
    bad = [
        raw(good)[:-20],
        raw(good | {"version": "one"}),
        raw(good | {"event_type": "user.merged"}),
        raw(event("user.created", good["entity_id"], display_name="x" * 101)),
        raw(good | {"data": None}),
        None,
    ][kind]
    return "user", good["entity_id"].encode(), bad


def test_one_bad_message_in_a_hundred_of_each_kind(own_kafka, group):
    ids = [new_id() for _ in range(1000)]
    bad = [poison(number % KINDS) for number in range(10 * KINDS)]
    sent = [event("user.created", user_id) for user_id in ids] + bad
    random.Random(5).shuffle(sent)
    own_kafka(sent)
    counts = EventConsumer(group).run(once=True)
    assert (counts.read, counts.changed, counts.dead, counts.fenced) == (1060, 1000, 60, 0)
    assert User.objects.filter(pk__in=ids).count() == 1000
    letters = [
        (letter.topic, bytes(letter.key), None if letter.value is None else bytes(letter.value))
        for letter in DeadLetter.objects.all()
    ]
    assert sorted(letters, key=str) == sorted(bad, key=str)
    assert all(DeadLetter.objects.values_list("error", flat=True))
    again = EventConsumer(f"{group}-again").run(once=True)
    assert (again.changed, again.dead) == (0, 60)
    assert DeadLetter.objects.count() == 60
