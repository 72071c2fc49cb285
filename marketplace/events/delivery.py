"""Outbox events on their way to Kafka: each batch is one transaction, so all of it is published or nothing.

All relays of an installation use one transactional id. Who opens it is the only one from then on: the broker aborts
what the holder before has left open, and refuses whatever that one still sends, out of librdkafka's own queues too.
https://cwiki.apache.org/confluence/display/KAFKA/KIP-98+-+Exactly+Once+Delivery+and+Transactional+Messaging
"""

import contextlib
import functools
import time
from collections.abc import Callable, Sequence

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import OffsetSpec

from marketplace import kafka, mongo, tracing
from marketplace.representation import timestamp

SOURCE = "/marketplace"
# No call of librdkafka waits longer; in between, the caller is asked whether to go on.
STEP_SECONDS = 0.5
# How long a batch that is committed may take until readers get it, and how often that is looked at.
READABLE_SECONDS = 10.0
LOOK_SECONDS = 0.002
NEVER = 2**63 - 1

# The broker, the way to it, or a transaction that the broker has given up: not the events.
_UNREACHABLE = {
    KafkaError._MSG_TIMED_OUT,
    KafkaError._TIMED_OUT,
    KafkaError._TRANSPORT,
    KafkaError._ALL_BROKERS_DOWN,
    KafkaError._PURGE_QUEUE,
    KafkaError._PURGE_INFLIGHT,
    KafkaError.NOT_ENOUGH_REPLICAS,
    KafkaError.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
    KafkaError.REQUEST_TIMED_OUT,
    KafkaError.KAFKA_STORAGE_ERROR,
    KafkaError.UNKNOWN_PRODUCER_ID,
    KafkaError.INVALID_PRODUCER_ID_MAPPING,
    KafkaError.INVALID_PRODUCER_EPOCH,
    KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER,
}


class RejectedError(Exception):
    """The broker refuses an event of the batch. Which one is known only of a batch of one."""


class UnreachableError(Exception):
    """The batch failed, and not because of its events."""


class BrokenError(Exception):
    """The producer is of no further use: fenced by another one, broken, or given up while it waited."""


class Reports:
    """The delivery reports of a batch: the only proof that the broker has an event.

    librdkafka keeps what it is to call until a report comes, and the garbage collector does not see that. So this
    refers to no producer: one given up in mid-batch would keep itself, its threads and connections for ever.
    """

    def __init__(self) -> None:
        self.acknowledged: set[str] = set()
        # Of each partition, the offset of the last event; none is known of one that the broker had already.
        self.last: dict[TopicPartition, int] = {}
        self.failure: KafkaError | None = None
        self.failed_at = ""  # the partition

    def take(self, event_id: str, error: KafkaError | None, message: Message) -> None:
        """Remember how an event has fared."""
        if error is None:
            self.acknowledged.add(event_id)
            offset = message.offset()
            partition = TopicPartition(message.topic() or "", message.partition() or 0)
            self.last[partition] = NEVER if offset is None or offset < 0 else offset
        else:
            self.failure = self.failure or error
            self.failed_at = self.failed_at or f"{message.topic()}/{message.partition()}: "


class Delivery:
    """A transactional producer. `go_on` is asked every STEP_SECONDS of waiting; when it says no, the wait is given up.

    After a BrokenError take a new one: opening it aborts what this one has left open.
    """

    def __init__(self, go_on: Callable[[], bool]) -> None:
        self._go_on = go_on
        self._producer = kafka.transactional_producer("relay")
        self._observer = kafka.admin()
        self._reports = Reports()

    def open(self) -> None:
        """Shut out all earlier producers of this installation. Raises BrokenError."""
        try:
            self._complete(self._producer.init_transactions)
        except KafkaException as error:
            raise BrokenError(error.args[0]) from error

    def publish(self, events: Sequence[mongo.Stored]) -> list[mongo.Stored]:
        """Send the events, in their order, in one transaction; return those that the broker has for certain.

        Raises RejectedError and UnreachableError, with nothing published then, and BrokenError, with nobody knowing.
        """
        try:
            with tracing.publishing(events) as traceparents:
                return self._transact(events, traceparents)
        except BrokenError:
            # librdkafka would send what it still has as soon as the broker is back.
            self._producer.purge()
            with contextlib.suppress(KafkaException):  # a fatal error once more: this one is given up already
                self._producer.poll(0)
            raise

    def _transact(self, events: Sequence[mongo.Stored], traceparents: Sequence[str]) -> list[mongo.Stored]:
        self._reports = Reports()
        try:
            self._producer.begin_transaction()
            self._hand_over(events, traceparents)
            self._wait_for_reports(len(events))
            self._complete(self._producer.commit_transaction)
        except KafkaException as failed:
            # librdkafka names a failed delivery as such only in its report.
            meaning = _meaning(self._reports.failure or failed.args[0], self._reports.failed_at)
            self._abort(failed.args[0])
            raise meaning from failed
        self._wait_until_readable()
        return [event for event in events if event["_id"] in self._reports.acknowledged]

    def _hand_over(self, events: Sequence[mongo.Stored], traceparents: Sequence[str]) -> None:
        for event, traceparent in zip(events, traceparents, strict=True):
            report = functools.partial(self._reports.take, event["_id"])
            self._producer.produce(
                event["topic"], event["payload"], event["key"], headers=_headers(event, traceparent), on_delivery=report
            )

    def _wait_for_reports(self, number: int) -> None:
        """Wait a while: a commit waits on, but does not end at once when one event fails. Raises KafkaException."""
        reports, end = self._reports, time.monotonic() + STEP_SECONDS
        while len(reports.acknowledged) < number and not reports.failure and (left := end - time.monotonic()) > 0:
            self._producer.poll(left)
        if reports.failure:
            raise KafkaException(reports.failure)

    def _wait_until_readable(self) -> None:
        """Wait until readers of committed records get the whole batch. Raises BrokenError when they do not.

        A commit is answered when it is decided; the partitions are marked after that. A single broker that was killed
        in between has been seen to take them for marked when it came back, and the next transaction to be rolled back
        took the batch along.
        """
        end = time.monotonic() + READABLE_SECONDS
        while not self._is_readable():
            if time.monotonic() > end or not self._go_on():
                raise BrokenError(KafkaError(KafkaError._TIMED_OUT, "a batch was committed, but cannot be read"))
            time.sleep(LOOK_SECONDS)  # no broker tells when

    def _is_readable(self) -> bool:
        """Return whether the end of what readers get is behind the batch, in every partition of it."""
        last = self._reports.last
        asked = self._observer.list_offsets(
            {partition: OffsetSpec.latest() for partition in last},  # type: ignore[no-untyped-call]
            isolation_level=IsolationLevel.READ_COMMITTED,
            request_timeout=STEP_SECONDS,
        )
        try:
            return all(answer.result().offset > last[partition] for partition, answer in asked.items())
        except KafkaException as failed:
            if not failed.args[0].retriable() and failed.args[0].code() not in _UNREACHABLE:
                raise BrokenError(failed.args[0]) from failed
            return False

    def _abort(self, error: KafkaError) -> None:
        """Take the transaction back. Raises BrokenError when that cannot be done."""
        if error.fatal():
            raise BrokenError(error)
        try:
            self._complete(self._producer.abort_transaction)
        except KafkaException as failed:
            raise BrokenError(failed.args[0]) from failed

    def _complete(self, call: Callable[[float], None]) -> None:
        """Call until it is done, a step at a time. Raises KafkaException, and BrokenError when given up."""
        while True:
            try:
                call(STEP_SECONDS)
            except KafkaException as failed:
                error: KafkaError = failed.args[0]
                if not error.retriable():
                    raise
            else:
                return
            self._producer.poll(0)  # has librdkafka hand its log lines over
            if not self._go_on():
                raise BrokenError(error)


def _meaning(error: KafkaError, where: str) -> Exception:
    if error.retriable() or error.code() in _UNREACHABLE:
        return UnreachableError(f"{where}{error}")
    return RejectedError(f"{where}{error}")


def _headers(event: mongo.Stored, traceparent: str) -> list[tuple[str, str | bytes | None]]:
    """Return CloudEvents 1.0 attributes in binary mode, and the W3C trace context."""
    return [
        ("ce_specversion", "1.0"),
        ("ce_id", event["_id"]),
        ("ce_type", event["event_type"]),
        ("ce_source", SOURCE),
        ("ce_time", timestamp(event["timestamp"])),
        ("content-type", "application/json"),
        ("traceparent", traceparent),
    ]
