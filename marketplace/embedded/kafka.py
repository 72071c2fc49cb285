"""A Kafka broker inside this process: librdkafka's mock cluster, which confluent-kafka contains.

It speaks the real protocol to other processes, with consumer groups, and creates a topic with 4 partitions when one is
first asked for. It keeps nothing after `stop`, and has no CreateTopics and no DescribeCluster.
"""

import logging

from confluent_kafka import Producer

from marketplace.events.catalogue import TOPICS

logger = logging.getLogger("marketplace.embedded.kafka")

START_SECONDS = 10


class EmbeddedKafka:
    """One broker on a free port of this machine."""

    def __init__(self) -> None:
        self._cluster: Producer | None = None

    def start(self) -> str:
        """Start it with the event topics, and return its address."""
        # librdkafka wants some address, and never uses it for a mock cluster.
        settings = {"test.mock.num.brokers": 1, "bootstrap.servers": "unused", "logger": logger}
        self._cluster = Producer(settings)
        for topic in TOPICS:
            self._cluster.list_topics(topic, timeout=START_SECONDS)
        broker = next(iter(self._cluster.list_topics(timeout=START_SECONDS).brokers.values()))
        return f"{broker.host}:{broker.port}"

    def stop(self) -> None:
        """End it, and all that it holds."""
        self._cluster = None
