"""The consumer process: reads batches of events from Kafka and stores each in one SQL transaction.

The order is fixed: read, decode, store rows with offsets, then tell Kafka. Offsets live in the database; the ones
committed to Kafka are for lag tools only. An outage of either server is waited out inside the group: partitions are
paused, polling goes on, nothing is lost.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from django.db import DatabaseError, InterfaceError, close_old_connections

from analytics.batches import Received, store
from analytics.offsets import FencedError, OffsetStore, Partition
from analytics.outages import BackOff, is_bad_value, is_outage
from analytics.progress import Counts, Progress
from marketplace import kafka
from marketplace.events.catalogue import TOPICS

logger = logging.getLogger("analytics.consumer")

# How long one poll waits for a first message, and then for more to fill the batch.
IDLE_SECONDS = 0.5
FILL_SECONDS = 0.05
# A batch ends early at this size, read in steps so that large events cannot fill the memory.
MAX_BATCH_BYTES = 8 << 20
READ_STEP = 100
BROKER_SECONDS = 5
REPORT_SECONDS = 10.0
BAD_LIMIT = 50


class _StopRequested(Exception):  # noqa: N818  # not an error
    """The stop event was set during an outage."""


class EventConsumer:
    """One member of a consumer group that keeps the analytics tables up to date."""

    def __init__(
        self,
        group: str,
        *,
        batch_size: int = 500,
        stop: threading.Event | None = None,
        back_off: BackOff | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.counts = Counts()
        self._group = group
        self._batch_size = batch_size
        self._stop = stop or threading.Event()
        self._back_off = back_off or BackOff()
        self._clock = clock
        self._progress = Progress()
        self._bad_in_a_row = 0
        self._reported_at = clock()
        self._reported = str(self.counts)
        self._kafka: Consumer = kafka.consumer(group, on_commit=_log_commit)
        self._offsets = OffsetStore(group, "")

    def run(self, *, once: bool = False) -> Counts:
        """Consume until the stop event is set; with `once`, until all partitions are read to where they end now.

        Raises TooManyBadMessagesError, a fatal KafkaException, and database errors that waiting does not cure.
        """
        try:
            self._through_outages(self._join)
            while not self._stop.is_set() and not (once and self._progress.caught_up()):
                self._step()
        except _StopRequested:
            logger.info("stopped while a server was away; what was not stored is read again")
        finally:
            self._kafka.close()
            close_old_connections()
        return self.counts

    def _step(self) -> None:
        if self._progress.waiting:
            self._through_outages(self._position)
        self._read()
        if self._progress.pending:
            self._through_outages(self._store_pending)
        else:
            close_old_connections()
        self._report()

    def _report(self) -> None:
        """Log what has been done, every REPORT_SECONDS and only when there is something new."""
        if self._clock() - self._reported_at < REPORT_SECONDS:
            return
        self._reported_at = self._clock()
        if str(self.counts) != self._reported:
            self._reported = str(self.counts)
            logger.info(self._reported)

    # --- Kafka ------------------------------------------------------------------------------------------------------

    def _join(self) -> None:
        """Subscribe. Asking for each topic first makes brokers that create topics on demand do so."""
        for topic in TOPICS:
            self._kafka.list_topics(topic, timeout=BROKER_SECONDS)
        cluster_id = self._kafka.list_topics(timeout=BROKER_SECONDS).cluster_id
        self._offsets = OffsetStore(self._group, cluster_id)
        if self._offsets.has_other_cluster():
            logger.warning("cluster %s is new to group %s: partitions start at their earliest", cluster_id, self._group)
        self._kafka.subscribe(
            list(TOPICS), on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_revoke
        )

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Take partitions over, paused: the database may be away, and a callback must not wait for it."""
        logger.info("%d more partitions assigned", len(partitions))
        consumer.incremental_assign([TopicPartition(p.topic, p.partition, 0) for p in partitions])
        consumer.pause(partitions)
        self._progress.waiting |= _names(partitions)
        self._progress.assigned = True

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        logger.info("%d partitions revoked", len(partitions))
        self._progress.forget(_names(partitions))
        consumer.incremental_unassign(partitions)

    def _position(self) -> None:
        """Let the waiting partitions go on from their stored offsets.

        All others pause meanwhile: a broker answers in order, and each question would wait for a fetch to end.
        """
        progress = self._progress
        self._pause(progress.positions)
        stored = self._offsets.load(progress.waiting)
        for partition in sorted(progress.waiting):
            low, high = self._kafka.get_watermark_offsets(TopicPartition(*partition), BROKER_SECONDS, cached=False)
            start = self._start(partition, stored.get(partition), low, high)
            self._kafka.seek(TopicPartition(*partition, start))
            progress.positions[partition] = start
            progress.targets.setdefault(partition, high)
            progress.waiting.discard(partition)
        self._resume(progress.positions)
        logger.info("reading on in %d partitions", len(progress.positions))

    def _start(self, partition: Partition, stored: int | None, low: int, high: int) -> int:
        if stored is None:
            self._offsets.create({partition: low})
            return low
        if low <= stored <= high:
            return stored
        logger.warning(
            "%s: stored offset %d is not within %d to %d, starting at the earliest", partition, stored, low, high
        )
        self._offsets.reset(partition, stored, low)
        return low

    def _pause(self, partitions: Iterable[Partition]) -> None:
        self._kafka.pause([TopicPartition(*partition) for partition in partitions])

    def _resume(self, partitions: Iterable[Partition]) -> None:
        self._kafka.resume([TopicPartition(*partition) for partition in partitions])

    def _read(self) -> None:
        """Fill `pending` up to a batch. Rebalances happen in here."""
        size = 0
        wait = IDLE_SECONDS
        step = 1
        while len(self._progress.pending) < self._batch_size and size < MAX_BATCH_BYTES:
            messages = self._receive(step, wait)
            size += sum(len(message.value or b"") for message in messages)
            if len(messages) < step:
                return
            wait = FILL_SECONDS
            step = min(READ_STEP, self._batch_size - len(self._progress.pending))

    def _receive(self, number: int, seconds: float) -> list[Received]:
        """Add up to `number` messages to `pending`, and return them. Raises a fatal KafkaException."""
        received = []
        for message in self._kafka.consume(number, seconds):
            error = message.error()
            if error is None:
                partition: Any = message.topic(), message.partition()
                offset: Any = message.offset()
                received.append(Received(partition, offset, message.key(), message.value()))
            elif error.fatal():
                raise KafkaException(error)
            else:
                logger.warning("Kafka: %s", error)
        owned = [message for message in received if message.partition in self._progress.positions]
        self._progress.pending += owned
        return owned

    def _announce(self, offsets: dict[Partition, int]) -> None:
        """Commit to Kafka, for observers: nothing here reads it, so a failure is only logged."""
        try:
            self._kafka.commit(
                offsets=[TopicPartition(*partition, offset) for partition, offset in offsets.items()], asynchronous=True
            )
        except KafkaException as error:
            logger.warning("offsets not committed to Kafka: %s", error)

    # --- database ---------------------------------------------------------------------------------------------------

    def _store_pending(self) -> None:
        while self._progress.pending:
            try:
                self._store(self._progress.pending)
            except FencedError as fenced:
                self.counts.fenced += 1
                logger.warning("%s; reading on from there", fenced)
                self._pause(fenced.partitions)
                self._progress.forget(fenced.partitions)
                self._progress.waiting |= fenced.partitions

    def _store(self, messages: list[Received], refused: str | None = None) -> None:
        """Store the messages, which are the first pending ones; halve them until a bad one is alone."""
        progress = self._progress
        try:
            stored = store(
                messages,
                self._offsets,
                progress.positions,
                bad_in_a_row=self._bad_in_a_row,
                bad_limit=BAD_LIMIT,
                refused=refused,
            )
        except DatabaseError as error:
            if refused is not None or not is_bad_value(error):
                raise
            half = len(messages) // 2
            if half:
                self._store(messages[:half])
                self._store(messages[half:])
            else:
                self._store(messages, refused=f"refused by the database: {error}")
            return
        progress.positions.update(stored.next_offsets)
        progress.pending = progress.pending[len(messages) :]
        self._bad_in_a_row = stored.bad_in_a_row
        self.counts.read += len(messages)
        self.counts.changed += stored.changed
        self.counts.dead += stored.dead
        self._announce(dict(stored.next_offsets))

    # --- outages ----------------------------------------------------------------------------------------------------

    def _through_outages(self, operation: Callable[[], None]) -> None:
        """Run the operation until no server is away. Raises _StopRequested when asked to stop in between."""
        paused = False
        for delay in self._back_off.delays():
            try:
                operation()
                break
            except (DatabaseError, InterfaceError, KafkaException) as error:
                if not is_outage(error):
                    raise
                self.counts.outages += 1
                logger.warning("server away, trying again in %.1f s: %s", delay, error)
            close_old_connections()
            paused = True
            self._wait(delay)
        if paused:
            self._resume(self._progress.positions)

    def _wait(self, seconds: float) -> None:
        """Stay in the group without reading on."""
        until = self._clock() + seconds
        while (left := until - self._clock()) > 0:
            self._pause(self._progress.positions)
            self._receive(1, min(left, IDLE_SECONDS))
            if self._stop.is_set():
                raise _StopRequested


def _log_commit(error: KafkaError | None, _partitions: list[TopicPartition]) -> None:
    if error is not None:
        logger.warning("offsets not committed to Kafka: %s", error)


def _names(partitions: list[TopicPartition]) -> set[Partition]:
    return {(p.topic, p.partition) for p in partitions}
