"""Kafka clients: the one place that knows librdkafka's configuration keys."""

import logging
from collections.abc import Callable
from typing import Any

from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from marketplace.logs import Seldom

logger = logging.getLogger("marketplace.kafka")


class ConnectionFailures(Seldom):
    """Lets one connection failure through in a while: librdkafka reports several a second while a broker is away."""

    def concerns(self, record: logging.LogRecord) -> bool:
        """Return whether the record is about a connection."""
        return record.getMessage().startswith("FAIL")


logger.addFilter(ConnectionFailures(seconds=10))


def _common(role: str) -> dict[str, Any]:
    if not settings.KAFKA_BOOTSTRAP_SERVERS:
        raise ImproperlyConfigured("KAFKA_BOOTSTRAP_SERVERS is not set.")
    return {
        **settings.KAFKA_OPTIONS,  # first: no installation changes what the marketplace relies on
        "bootstrap.servers": settings.KAFKA_BOOTSTRAP_SERVERS,
        "client.id": f"{settings.KAFKA_CLIENT_ID}-{role}",
        "reconnect.backoff.max.ms": 2000,
        "topic.metadata.refresh.interval.ms": 10_000,
        "logger": logger,
    }


def producer() -> Producer:
    """Return a producer outside of any transaction: idempotent, acknowledged by all in-sync replicas.

    Raises ImproperlyConfigured without KAFKA_BOOTSTRAP_SERVERS.
    """
    return Producer(_producing("producer"))


def transactional_producer(role: str) -> Producer:
    """Return a producer that shuts out all earlier ones of this installation's `role` by its init_transactions.

    The id has the database's name in it, so that two installations on one cluster leave each other alone. Raises
    ImproperlyConfigured without KAFKA_BOOTSTRAP_SERVERS.
    """
    return Producer(
        _producing(role)
        | {
            "transactional.id": f"{settings.KAFKA_CLIENT_ID}-{settings.DATABASE_NAME}-{role}",
            # What a holder that died has left open hides later events from readers of committed ones, for so long at
            # most. Longer than a message waits: librdkafka wants it so.
            "transaction.timeout.ms": 30_000,
            "delivery.timeout.ms": 20_000,
        }
    )


def _producing(role: str) -> dict[str, Any]:
    return _common(role) | {
        "acks": "all",
        "enable.idempotence": True,
        # Room for the largest event.
        "message.max.bytes": settings.KAFKA_MAX_MESSAGE_BYTES,
        "compression.type": "lz4",
        # A batch is handed over at once: there is nothing to wait for.
        "linger.ms": 0,
    }


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
            # Events wait in the broker rather than in this process's memory. A fetch is counted as it was compressed;
            # events may be twenty times as long. One that is longer than its partition's share comes all the same.
            "fetch.message.max.bytes": 262_144,
            "fetch.max.bytes": settings.KAFKA_MAX_MESSAGE_BYTES,
            "queued.max.messages.kbytes": 8192,
            "session.timeout.ms": 10_000,
            "max.poll.interval.ms": 60_000,
        }
        | ({"on_commit": on_commit} if on_commit else {})
    )


def admin() -> AdminClient:
    """Return a client for topics and cluster metadata. Raises ImproperlyConfigured without KAFKA_BOOTSTRAP_SERVERS."""
    return AdminClient(_common("admin"))
