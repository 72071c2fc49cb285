"""What bad messages cost the consumer: batches with one in a hundred, beside the same without. No broker."""

import itertools
import time
import uuid
from collections.abc import Iterator

from django.db import connection

from analytics.batches import Received, store
from analytics.models import DeadLetter, Order, OrderItem
from analytics.offsets import OffsetStore
from benchmarks.events import order_events, stored_order
from benchmarks.report import OURS, Row, Speed, compare, interleaved, show

EVENTS = 10_000
BATCH = 500
ONE_IN = 100
PARTITION = ("order", 0)
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
    events = list(order_events(stored_order(), EVENTS))
    good = [Received(PARTITION, n, event["key"].encode(), event["payload"]) for n, event in enumerate(events)]
    kinds = bad(events[0]["payload"])
    mixed = [one._replace(value=next(kinds)) if one.offset % ONE_IN == 0 else one for one in good]
    sides = {OURS: lambda: _store(mixed, EVENTS // ONE_IN), CLEAN: lambda: _store(good, 0)}
    speeds = interleaved(sides, rounds)
    what = f"1 % bad messages into {connection.display_name}"
    show(what, speeds)
    return [compare(what, speeds, CLEAN, at_least=0.7)]


def _store(messages: list[Received], expected: int) -> Speed:
    """Store the messages in batches. Raises RuntimeError unless exactly the bad ones are dead letters."""
    for model in (OrderItem, Order, DeadLetter):
        model._default_manager.all().delete()
    offsets = OffsetStore(f"bench-{uuid.uuid4().hex}", "bench")
    offsets.create({PARTITION: 0})
    begun = time.perf_counter()
    for start in range(0, len(messages), BATCH):
        store(messages[start : start + BATCH], offsets, {PARTITION: start}, bad_in_a_row=0, bad_limit=BATCH)
    rate = len(messages) / (time.perf_counter() - begun)
    found = DeadLetter.objects.count(), Order.objects.count()
    if found != (expected, len(messages) - expected):
        raise RuntimeError(f"{found} dead letters and orders; {expected} of {len(messages)} messages are bad")
    return Speed(rate)
