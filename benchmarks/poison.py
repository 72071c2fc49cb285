"""What bad messages cost the consumer: reading one bad message in a hundred from the broker, beside reading none."""

import itertools
import uuid
from collections.abc import Iterator

from confluent_kafka import TopicPartition
from django.db import connection

from analytics.models import DeadLetter, Order
from analytics.offsets import OffsetStore, Partition
from benchmarks.consumer import BATCH, POLL_SECONDS, empty_tables, publish, timed
from benchmarks.events import Stored, order_events, stored_order
from benchmarks.report import OURS, Row, Speed, compare, interleaved, show
from marketplace import kafka
from marketplace.events.catalogue import TOPICS

EVENTS = 10_000
ONE_IN = 100
CLEAN = "the same without bad messages"


def bad(good: bytes) -> Iterator[bytes | None]:
    """Give bad messages of each kind in turn, made of a good one."""
    return itertools.cycle(
        [
            good[:-20],  # broken JSON
            good.replace(b'"items":[', b'"items":7,"more":['),  # wrong type
            good.replace(b"order.created", b"order.merged"),  # unknown event type
            good.replace(b'"display_name":"', b'"display_name":"' + b"x" * 101),  # over-long value
            good.replace(b'"items":[', b'"items":null,"more":['),  # null
            good.replace(
                b'"variant_attributes":{', b'"variant_attributes":{"a":' + b"[" * 40 + b"]" * 40 + b","
            ),  # too deep
            None,  # no value
        ]
    )


def poison(rounds: int) -> list[Row]:
    """Compare the two. Every side starts a round with empty tables."""
    good = list(order_events(stored_order(), EVENTS))
    kinds = bad(good[0]["payload"])
    mixed = [one | {"payload": next(kinds)} if n % ONE_IN == 0 else one for n, one in enumerate(good)]
    sides = {OURS: lambda: _read(mixed, EVENTS // ONE_IN), CLEAN: lambda: _read(good, 0)}
    speeds = interleaved(sides, rounds)
    what = f"1 % bad messages into {connection.display_name}"
    show(what, speeds)
    return [compare(what, speeds, CLEAN, at_least=0.7)]


def _read(events: list[Stored], expected: int) -> Speed:
    """Publish the events, and have a new group read those alone. Raises RuntimeError unless just the bad ones died."""
    empty_tables()
    DeadLetter.objects.all().delete()
    group = f"bench-{uuid.uuid4().hex}"
    OffsetStore(group, _cluster_id()).create(_ends())
    publish(events)
    speed, read = timed(group, BATCH, len(events))
    found = read, DeadLetter.objects.count(), Order.objects.count()
    if found != (len(events), expected, len(events) - expected):
        raise RuntimeError(f"{found} messages, dead letters and orders; {expected} of {len(events)} messages are bad")
    return speed


def _cluster_id() -> str:
    return str(kafka.admin().list_topics(timeout=POLL_SECONDS).cluster_id)


def _ends() -> dict[Partition, int]:
    """Return where each partition ends now."""
    reader = kafka.consumer(f"bench-{uuid.uuid4().hex}")
    ends = {}
    for topic in TOPICS:
        for number in reader.list_topics(topic, timeout=POLL_SECONDS).topics[topic].partitions:
            ends[topic, number] = reader.get_watermark_offsets(TopicPartition(topic, number), POLL_SECONDS)[1]
    reader.close()
    return ends
