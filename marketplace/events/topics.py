"""Creating the event topics on a broker."""

from collections.abc import Iterator

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.cimpl import NewTopic
from django.conf import settings

from marketplace import kafka
from marketplace.events.catalogue import TOPICS

METADATA_SECONDS = 10
CREATE_SECONDS = 30


def config() -> dict[str, str]:
    """Return what a new topic has besides the cluster's defaults: room for the largest event."""
    return {"max.message.bytes": str(settings.KAFKA_MAX_MESSAGE_BYTES)}


def create(partitions: int, replication_factor: int) -> Iterator[tuple[str, bool]]:
    """Create the topics that are missing. Yield each topic, and whether it is new.

    The embedded broker has no CreateTopics, but had all topics from its start. Raises KafkaException when the broker
    cannot be reached or refuses.
    """
    admin = kafka.admin()
    existing = admin.list_topics(timeout=METADATA_SECONDS).topics
    yield from ((topic, False) for topic in TOPICS if topic in existing)
    missing = [
        NewTopic(topic, partitions, replication_factor, config=config()) for topic in TOPICS if topic not in existing
    ]
    if missing:
        created = admin.create_topics(missing, request_timeout=CREATE_SECONDS, operation_timeout=CREATE_SECONDS)
        for topic, future in created.items():
            try:
                future.result()
            except KafkaException as error:
                # Another deployment step may create them at the same moment.
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise
                yield topic, False
            else:
                yield topic, True
