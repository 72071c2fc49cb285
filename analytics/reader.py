"""The consumer's side towards Kafka: its membership in the group, and what it reads.

Rebalances happen inside of `fill` and `attend`, in the thread that calls them: nothing else touches `progress`.
"""

import logging
import threading
from collections.abc import Collection, Iterable
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from django.conf import settings

from analytics import metrics
from analytics.batches import Received
from analytics.observer import Standing
from analytics.offsets import Partition
from analytics.progress import Progress
from marketplace import kafka, tracing
from marketplace.events.catalogue import TOPICS

logger = logging.getLogger("analytics.reader")

# How long one poll waits for a first message, and then for more to fill the batch.
IDLE_SECONDS = 0.5
FILL_SECONDS = 0.01
# A batch ends early at this size, read in steps so that large events cannot fill the memory.
MAX_BATCH_BYTES = 8 << 20
READ_STEP = 100
# How long one question to a broker may take. A stop may come at its beginning, and has to be over within 10 s.
BROKER_SECONDS = 4


class Reader:
    """One member of a consumer group. All methods but `close` raise KafkaException."""

    def __init__(self, group: str) -> None:
        self.progress = Progress()
        self.has_drained = False  # what was read ahead has been taken to its end; who looks at that resets it
        self._kafka: Consumer = kafka.consumer(group, on_commit=self._on_commit)

    def cluster_id(self) -> str:
        """Return the cluster's id. Asking for each topic first makes brokers that create topics on demand do so."""
        for topic in TOPICS:
            self._kafka.list_topics(topic, timeout=BROKER_SECONDS)
        return str(self._kafka.list_topics(timeout=BROKER_SECONDS).cluster_id)

    def join(self) -> None:
        """Become a member. Partitions are assigned later, and wait for `begin`."""
        self._kafka.subscribe(list(TOPICS), on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost)

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Take partitions over, paused: the database may be away, and a callback must not wait for it."""
        logger.info("%d more partitions assigned", len(partitions))
        metrics.REBALANCES.labels("assigned").inc()
        consumer.incremental_assign([TopicPartition(p.topic, p.partition, 0) for p in partitions])
        consumer.pause(partitions)
        self.progress.waiting |= _names(partitions)
        self.progress.assigned = True

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        logger.info("%d partitions revoked", len(partitions))
        metrics.REBALANCES.labels("revoked").inc()
        self._give_up(consumer, partitions)

    def _on_lost(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        logger.warning("%d partitions revoked: the group has not heard of us for too long", len(partitions))
        metrics.REBALANCES.labels("lost").inc()
        self._give_up(consumer, partitions)

    def _give_up(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self.progress.forget(_names(partitions))
        consumer.incremental_unassign(partitions)

    def watermarks(self, partition: Partition) -> tuple[int, int]:
        """Return the first offset of a partition and the one behind its last."""
        low, high = self._kafka.get_watermark_offsets(TopicPartition(*partition), BROKER_SECONDS, cached=False)
        return int(low), int(high)

    def standings(self) -> dict[Partition, Standing]:
        """Return how far each partition is stored and where it ends, as of the last fetch: nobody is asked."""
        reached = self.progress.reached()
        return {partition: Standing(offset, max(offset, self._end(partition))) for partition, offset in reached.items()}

    def _end(self, partition: Partition) -> int:
        try:
            end = int(self._kafka.get_watermark_offsets(TopicPartition(*partition), cached=True)[1])
        except KafkaException:  # the topic is gone
            return 0
        return end if end >= 0 else self.progress.targets[partition]  # not fetched yet

    def begin(self, partition: Partition, start: int, target: int) -> None:
        """Let a waiting partition be read from `start` on, once it is resumed."""
        self._kafka.seek(TopicPartition(*partition, start))
        self.progress.begin(partition, start, target)

    def wait_again(self, partitions: Collection[Partition]) -> None:
        """Stop reading partitions whose offset is another than we thought, until it has been looked up."""
        ours = [partition for partition in partitions if partition in self.progress.positions]
        self.pause(ours)
        self.progress.forget(ours)
        self.progress.waiting.update(ours)

    def pause(self, partitions: Iterable[Partition] | None = None) -> None:
        """Stop reading these partitions, or all."""
        self._kafka.pause(_numbers(self.progress.positions if partitions is None else partitions))

    def resume(self) -> None:
        """Read all partitions whose place is known."""
        self._kafka.resume(_numbers(self.progress.positions))

    def fill(self, batch_size: int) -> None:
        """Read on until a batch is pending, or nothing comes for a while."""
        size = 0
        wait = IDLE_SECONDS
        step = 1
        while len(self.progress.pending) < batch_size and size < MAX_BATCH_BYTES:
            received, read = self._receive(step, wait)
            size += read
            if received < step:
                self.has_drained = True
                return
            wait = FILL_SECONDS
            step = min(READ_STEP, batch_size - len(self.progress.pending))

    def attend(self, seconds: float = 0) -> None:
        """Take part in the group while there is no time to read: call it every now and then, with all paused."""
        self._receive(1, seconds)

    def _receive(self, number: int, seconds: float) -> tuple[int, int]:
        """Take what comes within some seconds. Return how many messages, of the `number` asked for, and bytes.

        Raises a fatal KafkaException.
        """
        progress = self.progress
        messages = self._kafka.consume(number, seconds)
        size = 0
        for message in messages:
            error = message.error()
            partition: Any = message.topic(), message.partition()
            offset: Any = message.offset()
            if error is not None:
                self._take_error(error, partition, offset)
            elif partition in progress.positions:
                value = message.value()
                size += len(value or b"")
                progress.pending.append(Received(partition, offset, message.key(), value, _traceparent(message)))
        return len(messages), size

    def _take_error(self, error: KafkaError, partition: Partition, offset: int) -> None:
        if error.code() == KafkaError._PARTITION_EOF:
            if partition in self.progress.positions:
                self.progress.ends[partition] = offset
        elif error.fatal():
            raise KafkaException(error)
        else:
            logger.warning("Kafka: %s", error)

    def announce(self) -> None:
        """Commit to Kafka how far we are, for observers: nothing here reads it, so a failure is only logged."""
        if news := self.progress.news():
            offsets = [TopicPartition(*partition, offset) for partition, offset in news.items()]
            try:
                self._kafka.commit(offsets=offsets, asynchronous=True)
            except KafkaException as error:
                logger.warning("offsets not committed to Kafka: %s", error)

    def _on_commit(self, error: KafkaError | None, partitions: list[TopicPartition]) -> None:
        """Have offsets that did not get to Kafka, as in the midst of a rebalance, announced again."""
        if error is not None:
            logger.warning("offsets not committed to Kafka: %s", error)
            for name in _names(partitions):
                self.progress.announced.pop(name, None)

    def close(self, seconds: float) -> None:
        """Leave the group; without saying so when the broker does not answer in time."""
        leaving = threading.Thread(target=self._kafka.close, daemon=True)
        leaving.start()
        leaving.join(seconds)


def _traceparent(message: Message) -> str:
    """Return the trace context of a message if its trace is recorded. Asks for no headers where none are."""
    if not settings.TRACES_ENDPOINT:
        return ""
    found = dict(message.headers() or ()).get("traceparent")
    text = found.decode("ascii", "replace") if isinstance(found, bytes) else ""
    return text if tracing.is_recorded(text) else ""


def _names(partitions: list[TopicPartition]) -> set[Partition]:
    return {(p.topic, p.partition) for p in partitions}


def _numbers(partitions: Iterable[Partition]) -> list[TopicPartition]:
    return [TopicPartition(*partition) for partition in partitions]
