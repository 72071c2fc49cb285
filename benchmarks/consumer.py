"""Events a second from the broker into the tables: our batches, one transaction per event, and bare executemany."""

import threading
import time
import uuid
from typing import Any

from django.db import close_old_connections, connection, transaction

from analytics.consumer import EventConsumer
from analytics.daily import RollUp
from analytics.decoding import Event, decode
from analytics.models import Order, OrderItem
from analytics.writer import apply
from benchmarks.events import Stored, order_events, stored_order
from benchmarks.report import OURS, Row, Speed, compare, interleaved, show
from marketplace import kafka

# Compressed, these fit into the 5 MiB that the embedded broker keeps of a partition.
EVENTS = 15_000
BATCH = 500
# The slow side gets fewer; its rate is what counts.
SINGLE_EVENTS = 500
ONE_BY_ONE = "one transaction per event, without offsets"
BATCHES_OF_ONE = "one transaction per event, with offsets"
BARE = "bare executemany of the same rows"
POLL_SECONDS = 10


def consumer(rounds: int) -> list[Row]:
    """Compare the four ways. Every side starts a round with empty tables."""
    events = list(order_events(stored_order(), EVENTS))
    publish(events)
    decoded = [decode(event["topic"], event["key"].encode(), event["payload"]) for event in events]
    sides = {
        OURS: lambda: _consumer(BATCH, EVENTS),
        ONE_BY_ONE: _one_by_one,
        BATCHES_OF_ONE: lambda: _consumer(1, SINGLE_EVENTS),
        BARE: lambda: _bare(decoded),
    }
    speeds = interleaved(sides, rounds)
    what = f"order events into {connection.display_name}"
    show(what, speeds)
    return [
        compare(what, speeds, ONE_BY_ONE, at_least=10),
        compare(what, speeds, BATCHES_OF_ONE, at_least=15),
        compare(what, speeds, BARE, at_least=0.5),
    ]


def publish(events: list[Stored]) -> None:
    """Produce the events, and wait until the broker has them."""
    producer = kafka.producer()
    for event in events:
        producer.produce(event["topic"], event["payload"], event["key"])
        producer.poll(0)
    if producer.flush(POLL_SECONDS):
        raise RuntimeError("the broker did not take the events")


def empty_tables() -> None:
    """Delete all orders, and all roll-ups with them."""
    with connection.cursor() as cursor:
        for model in (OrderItem, Order, *RollUp.__subclasses__()):
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(model._meta.db_table)}")  # noqa: S608  # our names


def _check(expected: int) -> None:
    """Raise RuntimeError unless the tables hold what they must: a fast side that drops rows is no side."""
    found = Order.objects.count(), OrderItem.objects.count()
    if found != (expected, 3 * expected):
        raise RuntimeError(f"{found} rows for {expected} events")


def _consumer(batch_size: int, events: int) -> Speed:
    empty_tables()
    speed, read = timed(f"bench-{uuid.uuid4().hex}", batch_size, events)
    _check(read)
    return speed


def timed(group: str, batch_size: int, events: int) -> tuple[Speed, int]:
    """Run the project's consumer until it has read so many events. Return its speed and how many it has read.

    Timed from its first stored batch to its last: joining the group is not counted.
    """
    stop = threading.Event()
    ours = EventConsumer(group, batch_size=batch_size, stop=stop)
    process = threading.Thread(target=ours.run, kwargs={"once": True})
    process.start()
    marks = []
    while process.is_alive():
        read = ours.counts.read
        if not marks or marks[-1][1] != read:
            marks.append((time.perf_counter(), read))
        if read >= events:
            stop.set()
        process.join(0.005)  # a sampling interval
    (begun, first), (ended, last) = marks[1], marks[-1]
    return Speed((last - first) / (ended - begun)), ours.counts.read


def _one_by_one() -> Speed:
    """A plain loop with the same decoding and the same statements, and a transaction for each event."""
    empty_tables()
    reader = kafka.consumer(f"bench-{uuid.uuid4().hex}")
    reader.subscribe(["order"])
    begun, count = 0.0, 0
    while count < SINGLE_EVENTS:
        message = reader.poll(POLL_SECONDS)
        if message is None or message.error():
            raise RuntimeError(f"no event to read: {message and message.error()}")
        begun = begun or time.perf_counter()
        topic: Any = message.topic()
        with transaction.atomic():
            apply([decode(topic, message.key(), message.value())])
        reader.commit(message, asynchronous=True)
        count += 1
    rate = count / (time.perf_counter() - begun)
    reader.close()
    _check(SINGLE_EVENTS)
    return Speed(rate)


def _bare(events: list[Event]) -> Speed:
    """The least that writes the rows: INSERT by executemany, BATCH events in a transaction. No broker, no roll-ups."""
    empty_tables()
    child = events[0].decoder.child
    if child is None:
        raise RuntimeError("orders have lines")
    parent_sql = _insert(Order._meta.db_table, events[0].decoder.columns)
    child_sql = _insert(OrderItem._meta.db_table, child.columns)
    begun = time.perf_counter()
    for start in range(0, len(events), BATCH):
        batch = events[start : start + BATCH]
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany(parent_sql, [event.row for event in batch])
            cursor.executemany(child_sql, [row for event in batch for row in event.children])
    rate = len(events) / (time.perf_counter() - begun)
    _check(len(events))
    close_old_connections()
    return Speed(rate)


def _insert(table: str, columns: list[str]) -> str:
    quote = connection.ops.quote_name
    names, values = ", ".join(map(quote, columns)), ", ".join(["%s"] * len(columns))
    return f"INSERT INTO {quote(table)} ({names}) VALUES ({values})"  # noqa: S608  # our names
