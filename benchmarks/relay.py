"""Events a second from the outbox to the broker: our batches, batches of one event, and bare producing and deleting."""

import threading
import time
from collections.abc import Iterator

from benchmarks.events import Stored, order_events, outbox, stored_order
from benchmarks.report import OURS, Row, Speed, compare, interleaved, show
from marketplace import kafka
from marketplace.events.relay import Relay
from marketplace.events.relay_policy import RelayPolicy

EVENTS = 15_000
BATCH = 500
# The slow side gets fewer; its rate is what counts.
SINGLE_EVENTS = 300
BATCHES_OF_ONE = "batches of one event"
BARE = "bare produce and delete_many of the same events"
FLUSH_SECONDS = 30
SAMPLE_SECONDS = 0.002


def relay(rounds: int) -> list[Row]:
    """Compare the three ways. Every side starts a round with a full outbox."""
    events = list(order_events(stored_order(), EVENTS))
    sides = {
        OURS: lambda: _relay(events, BATCH),
        BATCHES_OF_ONE: lambda: _relay(events[:SINGLE_EVENTS], 1),
        BARE: lambda: _bare(events),
    }
    speeds = interleaved(sides, rounds)
    what = "order events from the outbox to Kafka"
    show(what, speeds)
    return [
        compare(what, speeds, BATCHES_OF_ONE, at_least=15),
        compare(what, speeds, BARE, at_least=0.5),
    ]


def _fill(events: list[Stored]) -> None:
    outbox().delete_many({})
    outbox().insert_many(events)


def _relay(events: list[Stored], batch_events: int) -> Speed:
    """The project's relay, from its first batch that is deleted to its last: taking over is not counted."""
    _fill(events)
    ours = Relay(threading.Event(), once=True, policy=RelayPolicy(batch_events=batch_events))
    process = threading.Thread(target=ours.run)
    process.start()
    marks: list[tuple[float, int]] = []
    while process.is_alive():
        published = ours.published
        if published and (not marks or marks[-1][1] != published):
            marks.append((time.perf_counter(), published))
        process.join(SAMPLE_SECONDS)
    if ours.published != len(events) or outbox().find_one():
        raise RuntimeError(f"{ours.published} of {len(events)} events published")
    (begun, first), (ended, last) = marks[0], marks[-1]
    return Speed((last - first) / (ended - begun))


def _bare(events: list[Stored]) -> Speed:
    """The least that gets the same bytes to the broker and out of the outbox: no reading, no order, no transaction."""
    _fill(events)
    producer = kafka.producer()
    producer.list_topics(timeout=FLUSH_SECONDS)
    begun = time.perf_counter()
    for batch in _batches(events):
        for event in batch:
            producer.produce(event["topic"], event["payload"], event["key"])
        if producer.flush(FLUSH_SECONDS):
            raise RuntimeError("the broker did not take the events")
        outbox().delete_many({"_id": {"$in": [event["_id"] for event in batch]}})
    return Speed(len(events) / (time.perf_counter() - begun))


def _batches(events: list[Stored]) -> Iterator[list[Stored]]:
    return (events[start : start + BATCH] for start in range(0, len(events), BATCH))
