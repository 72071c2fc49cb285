"""Outbox events on their way to Kafka: one at a time per entity.

An entity's next event is handed to the producer when the broker has acknowledged the one before. The idempotent
producer alone does not keep an entity's order: it retries in order, but when it gives up on one event (rejected, timed
out) those behind it in the queue still go out. Events of different entities travel together, so the cost is a round
trip per further event of one entity, and one entity's events come no faster than its transactions.
"""

import functools
from collections import deque
from collections.abc import Callable

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from marketplace import mongo
from marketplace.representation import timestamp

SOURCE = "/marketplace"


class Delivery:
    """The events that were read and have no outcome yet.

    `acknowledged` collects the events that the broker has (id and entity), `failures` the last error per entity; the
    caller empties both. `may_send` is asked before each event.
    """

    def __init__(self, producer: Producer, may_send: Callable[[], bool]) -> None:
        self._producer = producer
        self._may_send = may_send
        # Per entity its events in order; the first is with the producer.
        self._chains: dict[str, deque[mongo.Stored]] = {}
        self.bytes = 0
        self.acknowledged: dict[str, str] = {}
        self.failures: dict[str, KafkaError] = {}
        self.fatal_error: KafkaError | None = None

    @property
    def entities(self) -> list[str]:
        """The keys of entities that have an event on its way."""
        return list(self._chains)

    def offer(self, event: mongo.Stored) -> None:
        """Take an event. Events of one entity must come in their order."""
        if event["key"] in self.failures:
            return
        chain = self._chains.setdefault(event["key"], deque())
        chain.append(event)
        self.bytes += len(event["payload"])
        if len(chain) == 1:
            self._send(event)

    def poll(self, seconds: float) -> None:
        """Wait for delivery reports, at most so long, and act on them."""
        self._producer.poll(seconds)

    def abandon(self) -> None:
        """Have the producer drop what it has not sent. The object is of no further use."""
        self._producer.purge()

    def _send(self, event: mongo.Stored) -> None:
        if not self._may_send():
            self._drop(event["key"])
            return
        report = functools.partial(self._reported, event)
        try:
            self._producer.produce(
                event["topic"], event["payload"], event["key"], headers=_headers(event), on_delivery=report
            )
        except KafkaException as error:
            self._failed(event, error.args[0])

    def _reported(self, event: mongo.Stored, error: KafkaError | None, _message: Message) -> None:
        """Act on an event's delivery report: the only proof that the broker has it."""
        if error is not None:
            self._failed(event, error)
            return
        self.acknowledged[event["_id"]] = event["key"]
        chain = self._chains[event["key"]]
        chain.popleft()
        self.bytes -= len(event["payload"])
        if chain:
            self._send(chain[0])
        else:
            del self._chains[event["key"]]

    def _failed(self, event: mongo.Stored, error: KafkaError) -> None:
        """Note the error and drop the entity's later events: they stay in the outbox, behind this one."""
        self.failures[event["key"]] = error
        if error.fatal() or error.code() == KafkaError._FATAL:
            self.fatal_error = error
        self._drop(event["key"])

    def _drop(self, key: str) -> None:
        self.bytes -= sum(len(event["payload"]) for event in self._chains.pop(key, ()))


def _headers(event: mongo.Stored) -> list[tuple[str, str | bytes | None]]:
    """Return CloudEvents 1.0 attributes in binary mode, and the W3C trace context."""
    return [
        ("ce_specversion", "1.0"),
        ("ce_id", event["_id"]),
        ("ce_type", event["event_type"]),
        ("ce_source", SOURCE),
        ("ce_time", timestamp(event["timestamp"])),
        ("content-type", "application/json"),
        ("traceparent", event["traceparent"]),
    ]
