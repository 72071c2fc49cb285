"""What tests of the consumer side share: applying events, producing them, and reading rows back."""

import os
import uuid
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from django.db import transaction

from analytics import writer
from analytics.decoding import decode
from marketplace.embedded.kafka import EmbeddedKafka
from tests.analytics.events import raw
from tests.analytics.processes import Tables

Envelope = dict[str, Any]


def apply(*envelopes: Envelope) -> int:
    """Decode and apply events as one batch, in a transaction. Return how many entities changed."""
    return applied(*envelopes).changed


def applied(*envelopes: Envelope) -> writer.Applied:
    """Decode and apply events as one batch, in a transaction."""
    events = [decode(e["event_type"].split(".")[0], e["entity_id"].encode(), raw(e)) for e in envelopes]
    with transaction.atomic():
        return writer.apply(events)


@pytest.fixture
def group() -> str:
    """A consumer group of this test alone."""
    return f"test-{uuid.uuid4()}"


Produce = Callable[[Iterable[Envelope | tuple[str, bytes | None, bytes | None]]], None]


def produce_to(servers: str) -> Produce:
    """Return a function that produces events, or raw (topic, key, value), and waits until the broker has them."""
    producer = Producer({"bootstrap.servers": servers, "message.max.bytes": 3_000_000, "compression.type": "lz4"})
    failures: list[object] = []

    def send(messages: Iterable[Envelope | tuple[str, bytes | None, bytes | None]]) -> None:
        for message in messages:
            if isinstance(message, tuple):
                topic, key, value = message
            else:
                topic = message["event_type"].split(".")[0]
                key, value = message["entity_id"].encode(), raw(message)
            producer.produce(topic, value, key, on_delivery=lambda error, _: error and failures.append(error))
            producer.poll(0)
        assert producer.flush(20) == 0
        assert failures == []

    return send


@pytest.fixture
def produce(kafka: str) -> Produce:
    """A function that produces to the broker that all tests share."""
    return produce_to(kafka)


@pytest.fixture
def own_kafka(settings: Any) -> Iterator[Produce]:
    """A function that produces to a broker of this test alone, for what would disturb others."""
    broker = EmbeddedKafka()
    settings.KAFKA_BOOTSTRAP_SERVERS = broker.start()
    yield produce_to(settings.KAFKA_BOOTSTRAP_SERVERS)
    broker.stop()


@pytest.fixture
def tables(kafka: str, tmp_path: Path, django_db_blocker: Any) -> Iterator[Tables]:
    """A database of this test alone, for consumers as processes of their own, on the broker that all tests share."""
    with django_db_blocker.unblock():
        tables = Tables(tmp_path, os.environ.get("DATABASE_URL", ""))
        yield tables
        tables.close()
