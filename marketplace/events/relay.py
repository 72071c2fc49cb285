"""The relay: publishes the outbox to Kafka, in order per entity, and deletes what the broker has acknowledged.

One process at a time does it, by a lease. A crash between publishing and deleting repeats events and loses none.
"""

import logging
import random
import threading
import time
from dataclasses import dataclass

from confluent_kafka import KafkaError
from pymongo.collection import Collection
from pymongo.errors import OperationFailure, PyMongoError
from pymongo.write_concern import WriteConcern

from marketplace import kafka, mongo
from marketplace.events.delivery import Delivery
from marketplace.events.lease import Lease
from marketplace.events.outbox import OUTBOX

logger = logging.getLogger("marketplace.events.relay")

# The broker or the way to it, not the event. No pause is needed: librdkafka has waited delivery.timeout.ms already.
_UNREACHABLE = {
    KafkaError._MSG_TIMED_OUT,
    KafkaError._TRANSPORT,
    KafkaError._ALL_BROKERS_DOWN,
    KafkaError._PURGE_QUEUE,
    KafkaError._PURGE_INFLIGHT,
}
_INSERTS: list[mongo.Stored] = [{"$match": {"operationType": "insert"}}, {"$project": {"_id": 1}}]


@dataclass(frozen=True)
class RelayPolicy:
    """Limits and times of the relay."""

    batch_events: int = 500
    # What may be on its way at once. An event has up to 2 MiB, so it is bytes that bound the memory.
    window_entities: int = 1000
    window_bytes: int = 8 << 20
    lease_seconds: float = 5.0
    # The loop looks after the lease, new events and acknowledged ones at least this often.
    turn_seconds: float = 0.5
    idle_wait_ms: int = 1000
    # A rejected event holds back its entity: this long at first, doubled up to the maximum.
    hold_seconds: float = 1.0
    max_hold_seconds: float = 60.0
    # More rejected entities than this are no accident: the relay stops reading until some of them have been retried.
    max_held: int = 1000
    back_off_seconds: float = 0.2
    max_back_off_seconds: float = 5.0
    report_seconds: float = 10.0


@dataclass
class Hold:
    """When an entity whose event was rejected is tried again, and how often it has been."""

    until: float
    attempts: int


class Relay:
    """The loop. `stop` ends it; with `once` it ends by itself when nothing but rejected events is left.

    `published` counts events acknowledged by the broker and deleted, `failed` the failed attempts.
    """

    def __init__(self, stop: threading.Event, *, once: bool = False, policy: RelayPolicy | None = None) -> None:
        self.policy = policy or RelayPolicy()
        self.published = 0
        self.failed = 0
        self.lease = Lease("relay", self.policy.lease_seconds)
        self._stop = stop
        self._once = once
        self._held: dict[str, Hold] = {}
        self._errors_in_a_row = 0
        self._leads = False
        self._delivery = self._new_delivery()
        self._report_at = time.monotonic() + self.policy.report_seconds
        self._reported = 0

    def run(self) -> None:
        """Publish until stopped. MongoDB and Kafka may go away and come back meanwhile.

        Raises ImproperlyConfigured when one of them is not configured.
        """
        while not self._stop.is_set():
            try:
                if not self._turn():
                    break
                self._errors_in_a_row = 0
            except PyMongoError as error:
                self._back_off(error)
            self._report()
        self._finish()

    @property
    def rejected(self) -> list[str]:
        """The keys of entities whose event the broker refuses."""
        return list(self._held)

    def _turn(self) -> bool:
        """Do one round. Return False when `once` is done."""
        if not self._lead():
            return self._stand_by()
        self._delete_acknowledged()
        self._read_batch()
        if not self._delivery.entities:
            if self._once and not self._pending():
                return False
            self._wait_for_events()
        self._deliver()
        self._settle_failures()
        return True

    def _lead(self) -> bool:
        """Keep the lease, and return whether this process is the active relay."""
        leads = self.lease.keep()
        if leads and not self._leads:
            logger.info("this is the active relay now (lease %d)", self.lease.token)
        if self._leads and not leads:
            logger.warning("the lease is lost; what is on its way is left to the next active relay")
            self._start_over()
        self._leads = leads
        return leads

    def _stand_by(self) -> bool:
        """Wait before asking for the lease again. Return False when `once` finds that the active relay did it all."""
        self._stop.wait(self.policy.lease_seconds / 5 * random.uniform(0.8, 1.2))
        return not (self._once and not self._pending())

    def _new_delivery(self) -> Delivery:
        return Delivery(kafka.producer(), may_send=lambda: self.lease.held)

    def _start_over(self) -> None:
        """Take a new producer: of the old one nobody waits for anything any more."""
        self._delivery.abandon()
        self._delivery = self._new_delivery()

    def _read_batch(self) -> None:
        """Hand over the oldest events of all entities that have none on its way and are not held back."""
        policy, delivery = self.policy, self._delivery
        room = min(policy.batch_events, policy.window_entities - len(delivery.entities))
        if room <= 0 or len(self._resting()) > policy.max_held:
            return
        # One snapshot: a scan that runs beside commits could pass an entity's first event and still see its second.
        with mongo.snapshot() as session:
            found = self._outbox().find(self._readable(), session=session).sort("timestamp").limit(room)
            for event in found:
                delivery.offer(event)
                if delivery.bytes >= policy.window_bytes:
                    break
            found.close()

    def _readable(self) -> mongo.Stored:
        return {"key": {"$nin": self._delivery.entities + self._resting()}}

    def _resting(self) -> list[str]:
        now = time.monotonic()
        return [key for key, hold in self._held.items() if hold.until > now]

    def _pending(self) -> bool:
        """Return whether the outbox has something to read, committed by a majority or about to be."""
        return self._outbox().find_one(self._readable(), {"_id": 1}) is not None

    def _wait_for_events(self) -> None:
        """Wait until something is put into the outbox, or the turn is over.

        The outbox is looked at once the change stream is open, so nothing slips in between.
        """
        try:
            with self._outbox().watch(_INSERTS, max_await_time_ms=self.policy.idle_wait_ms) as stream:
                while not self._stop.is_set() and self.lease.keep() and not self._pending():
                    stream.try_next()
                    self._report()
        except OperationFailure as error:
            logger.warning("no change stream, polling instead: %s", error)
            self._stop.wait(self.policy.idle_wait_ms / 1000)

    def _deliver(self) -> None:
        """Wait until all events on their way are reported, at most one turn."""
        end = time.monotonic() + self.policy.turn_seconds
        while self._delivery.entities and (left := end - time.monotonic()) > 0:
            self._delivery.poll(left)

    def _delete_acknowledged(self) -> None:
        """Delete what the broker has, before anything is read again. Raises PyMongoError, and keeps the ids then."""
        done = self._delivery.acknowledged
        if done and self.lease.held:
            self._outbox().delete_many({"_id": {"$in": list(done)}})
            self.published += len(done)
            for key in self._held.keys() & set(done.values()):
                del self._held[key]
            done.clear()

    def _settle_failures(self) -> None:
        """Hold back the entities whose event was rejected."""
        failures = self._delivery.failures
        self.failed += len(failures)
        for key, error in failures.items():
            if error.code() not in _UNREACHABLE and not error.fatal():
                self._hold(key, error)
        if failures:
            logger.warning("%d events failed, the last with: %s", len(failures), error)
        failures.clear()
        if self._delivery.fatal_error:
            logger.error("the producer is broken and replaced: %s", self._delivery.fatal_error)
            self._start_over()

    def _hold(self, key: str, error: KafkaError) -> None:
        attempts = self._held[key].attempts + 1 if key in self._held else 1
        seconds = min(self.policy.hold_seconds * 2 ** (attempts - 1), self.policy.max_hold_seconds)
        self._held[key] = Hold(time.monotonic() + seconds, attempts)
        logger.error("Kafka rejects an event of %s, its later ones wait; next try in %.0f s: %s", key, seconds, error)

    def _outbox(self) -> Collection[mongo.Stored]:
        return mongo.database()[OUTBOX].with_options(write_concern=WriteConcern("majority"))

    def _back_off(self, error: PyMongoError) -> None:
        """Wait longer after each error in a row, and not in step with other processes."""
        self._errors_in_a_row += 1
        seconds = self.policy.back_off_seconds * 2 ** min(self._errors_in_a_row, 10)
        seconds = min(seconds, self.policy.max_back_off_seconds) * random.uniform(0.5, 1)
        logger.warning("MongoDB fails, next try in %.1f s: %s", seconds, error)
        self._stop.wait(seconds)

    def _report(self) -> None:
        if time.monotonic() < self._report_at:
            return
        self._report_at = time.monotonic() + self.policy.report_seconds
        waiting = len(self._delivery.entities)
        if waiting or self.published != self._reported:
            logger.info("published %d events, %d entities wait for Kafka", self.published - self._reported, waiting)
        self._reported = self.published

    def _finish(self) -> None:
        """Delete what is acknowledged already and let a standby take over. What is on its way will be repeated."""
        try:
            self._deliver()
            self._delete_acknowledged()
            self.lease.release()
        except PyMongoError as error:
            logger.warning("stopped without MongoDB; what was published last will be repeated: %s", error)
        self._delivery.abandon()
