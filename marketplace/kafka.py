"""Kafka clients: the one place that knows librdkafka's configuration keys."""

import logging
import time
from collections.abc import Callable
from typing import Any

from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

logger = logging.getLogger("marketplace.kafka")


class ConnectionFailures(logging.Filter):
    """Lets one connection failure through in `seconds`: librdkafka reports several a second while a broker is away."""

    def __init__(self, seconds: float = 10.0) -> None:
        super().__init__()
        self.seconds = seconds
        self._silent_until = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to log the record."""
        if not record.getMessage().startswith("FAIL"):
            return True
        if time.monotonic() < self._silent_until:
            return False
        self._silent_until = time.monotonic() + self.seconds
        return True


logger.addFilter(ConnectionFailures())


def _common(role: str) -> dict[str, Any]:
    if not settings.KAFKA_BOOTSTRAP_SERVERS:
        raise ImproperlyConfigured("KAFKA_BOOTSTRAP_SERVERS is not set.")
    return {
        "bootstrap.servers": settings.KAFKA_BOOTSTRAP_SERVERS,
        "client.id": f"{settings.KAFKA_CLIENT_ID}-{role}",
        "reconnect.backoff.max.ms": 2000,
        "topic.metadata.refresh.interval.ms": 10_000,
        "logger": logger,
    }


def producer() -> Producer:
    """Return the relay's producer: idempotent, acknowledged by all in-sync replicas, room for the largest event.

    Raises ImproperlyConfigured without KAFKA_BOOTSTRAP_SERVERS.
    """
    return Producer(
        _common("relay")
        | {
            "acks": "all",
            "enable.idempotence": True,
            "message.max.bytes": settings.KAFKA_MAX_MESSAGE_BYTES,
            "compression.type": "lz4",
            # An entity's events go one after the other, each waiting this long for company.
            "linger.ms": 1,
            "delivery.timeout.ms": 30_000,
        }
    )


def consumer(
    group: str, on_commit: Callable[[KafkaError | None, list[TopicPartition]], None] | None = None
) -> Consumer:
    """Return a consumer of `group` that commits nothing by itself and reads from the earliest message.

    `on_commit` hears how an asynchronous commit went. Raises ImproperlyConfigured without KAFKA_BOOTSTRAP_SERVERS.
    """
    return Consumer(
        _common("consumer")
        | {
            "group.id": group,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            # The default, but what it means matters here: events of a transaction that is rolled back are none.
            "isolation.level": "read_committed",
            # The end of a partition may lie behind its last message; see analytics/progress.py.
            "enable.partition.eof": True,
            "partition.assignment.strategy": "cooperative-sticky",
            "fetch.message.max.bytes": settings.KAFKA_MAX_MESSAGE_BYTES,
            # Events wait in the broker rather than in this process's memory.
            "queued.max.messages.kbytes": 16_384,
            "session.timeout.ms": 10_000,
            "max.poll.interval.ms": 60_000,
        }
        | ({"on_commit": on_commit} if on_commit else {})
    )


def admin() -> AdminClient:
    """Return a client for topics and cluster metadata. Raises ImproperlyConfigured without KAFKA_BOOTSTRAP_SERVERS."""
    return AdminClient(_common("admin"))
