"""Where Kafka's partitions end, asked every now and then by a client of its own. Nobody waits for the answer.

A client of its own, because what it hears tells a broker that is away from a reader that gets nothing.
"""

import time
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from typing import Any, NamedTuple

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import OffsetSpec

from marketplace import kafka
from marketplace.observability.pulse import Clock

ASK_SECONDS = 10.0
ANSWER_SECONDS = 4.0

Partition = tuple[str, int]  # topic and number
_NO_SUCH = {KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION}


class Answer(NamedTuple):
    """What Kafka says: the end of each partition that it knows for readers of committed records, or why it does not."""

    ends: Mapping[Partition, int]
    failure: str


class Ends:
    """Asks again ASK_SECONDS after the last question. Raises ImproperlyConfigured without KAFKA_BOOTSTRAP_SERVERS."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._admin = kafka.admin()
        self._asked: dict[TopicPartition, Future[Any]] = {}
        self._next = clock()

    def look(self, partitions: Iterable[Partition]) -> Answer | None:
        """Return the answer to the last question, once, as soon as it is there; ask about these when it is time."""
        self._admin.poll(0)  # has librdkafka hand its log lines over
        answer = None
        if self._asked and all(future.done() for future in self._asked.values()):
            answer, self._asked = _answer(self._asked), {}
        if not self._asked and self._clock() >= self._next:
            self._next = self._clock() + ASK_SECONDS
            self._ask(partitions)
        return answer

    def _ask(self, partitions: Iterable[Partition]) -> None:
        latest = {TopicPartition(*partition): OffsetSpec.latest() for partition in partitions}  # type: ignore[no-untyped-call]
        if latest:
            self._asked = self._admin.list_offsets(
                latest, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=ANSWER_SECONDS
            )


def _answer(asked: Mapping[TopicPartition, "Future[Any]"]) -> Answer:
    ends, failure = {}, ""
    for partition, future in asked.items():
        try:
            ends[partition.topic, partition.partition] = int(future.result().offset)
        except KafkaException as error:
            if error.args[0].code() not in _NO_SUCH:  # that is an answer, too
                failure = f"{partition.topic}/{partition.partition}: {error.args[0].str()}"
    return Answer(ends, failure)
