"""What the tests of the relay share: events in the outbox, a relay in a thread, and what the broker has got."""

import json
import threading
import uuid
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from bson import ObjectId
from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, TopicPartition

from marketplace import mongo
from marketplace.events.catalogue import TOPICS
from marketplace.events.relay import Relay
from marketplace.events.relay_policy import RelayPolicy
from tests.marketplace.mock_broker import MockBroker

# The lease stays as long as it is: a short one runs out when this machine is busy, and the events are sent twice.
QUICK = RelayPolicy(hold_seconds=0.1, max_hold_seconds=0.2)
START = datetime(2026, 1, 1, tzinfo=UTC)
A, B = str(ObjectId()), str(ObjectId())


def put(key: str, version: int, *, payload: bytes | None = None, topic: str = "user") -> None:
    """Put an event into the outbox as the receiver of the signal does."""
    mongo.database().outbox.insert_one(event(key, version, payload=payload, topic=topic))


def event(key: str, version: int, *, payload: bytes | None = None, topic: str = "user") -> mongo.Stored:
    return {
        "_id": str(uuid.uuid4()),
        "topic": topic,
        "key": key,
        "event_type": f"{topic}.updated",
        "version": version,
        "timestamp": START + timedelta(milliseconds=version),
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "payload": payload or json.dumps({"version": version}).encode(),
    }


def waiting() -> list[tuple[str, int]]:
    return [(found["key"], found["version"]) for found in mongo.database().outbox.find().sort("timestamp")]


@contextmanager
def running(policy: RelayPolicy = QUICK) -> Iterator[Relay]:
    """Run a relay in a thread for the time of the block."""
    stop = threading.Event()
    relay = Relay(stop, policy=policy)
    thread = threading.Thread(target=relay.run)
    thread.start()
    try:
        yield relay
    finally:
        stop.set()
        thread.join(20)
    assert not thread.is_alive()


def published(broker: MockBroker) -> list[Message]:
    """Return all messages that the broker has."""
    consumer = Consumer(
        {
            "bootstrap.servers": broker.address,
            "group.id": uuid.uuid4().hex,
            "auto.offset.reset": "earliest",
            "enable.partition.eof": True,
        }
    )
    known = consumer.list_topics(timeout=5).topics
    partitions = [
        TopicPartition(topic, partition, OFFSET_BEGINNING)
        for topic in TOPICS
        if topic in known
        for partition in known[topic].partitions
    ]
    consumer.assign(partitions)
    messages: list[Message] = []
    ends = 0
    while ends < len(partitions):
        message = consumer.poll(10)
        assert message is not None
        if message.error():
            ends += 1
        else:
            messages.append(message)
    consumer.close()
    return messages


def versions(messages: list[Message]) -> dict[str, list[int]]:
    found = defaultdict(list)
    for message in messages:
        found[message.key().decode()].append(json.loads(message.value())["version"])
    return found


def first_times(broker: MockBroker) -> dict[str, list[int]]:
    """Return the versions per entity without repeats: librdkafka's broker shows aborted transactions, too."""
    return {key: list(dict.fromkeys(found)) for key, found in versions(published(broker)).items()}
