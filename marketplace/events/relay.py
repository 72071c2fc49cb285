"""The relay: publishes the outbox to Kafka, in order per entity, and deletes what the broker has acknowledged.

One process at a time does it, by a lease; the broker itself refuses one that has lost it and does not know yet. A crash
between publishing and deleting repeats events and loses none.
"""

import logging
import random
import threading
import time
from contextlib import AbstractContextManager

import pymongo
from pymongo import DeleteMany
from pymongo.change_stream import CollectionChangeStream
from pymongo.collection import Collection
from pymongo.errors import OperationFailure, PyMongoError
from pymongo.write_concern import WriteConcern

from marketplace import mongo
from marketplace.events import metrics
from marketplace.events.delivery import BrokenError, Delivery, RejectedError, UnreachableError
from marketplace.events.holds import Holds
from marketplace.events.lease import Lease
from marketplace.events.outbox import OUTBOX, runs
from marketplace.events.relay_policy import RelayPolicy
from marketplace.events.watch import Watch

logger = logging.getLogger("marketplace.events.relay")

_INSERTS: list[mongo.Stored] = [{"$match": {"operationType": "insert"}}, {"$project": {"_id": 1}}]


class Relay:
    """The loop. `stop` ends it; with `once` it ends by itself when nothing but rejected events is left.

    `published` counts events acknowledged by the broker and deleted, `failed` the transactions that failed.
    """

    def __init__(self, stop: threading.Event, *, once: bool = False, policy: RelayPolicy | None = None) -> None:
        self.policy = policy or RelayPolicy()
        self.published = 0
        self.failed = 0
        self.lease = Lease("relay", self.policy.lease_seconds)
        self._watch = Watch()
        self._stop = stop
        self._stop_by: float | None = None
        self._once = once
        self._delivery: Delivery | None = None
        self._stands_by = False
        self._holds = Holds(self.policy.hold_seconds, self.policy.max_hold_seconds, self.policy.max_held)
        self._is_probe = False
        self._batch_events = self.policy.batch_events
        self._batch: list[mongo.Stored] = []
        # Published, and to be deleted before anything is read again.
        self._done: list[mongo.Stored] = []
        self._errors_in_a_row = 0
        self._report_at = time.monotonic() + self.policy.report_seconds
        self._reported = 0

    def run(self) -> None:
        """Publish until stopped. MongoDB and Kafka may go away and come back meanwhile.

        Raises ImproperlyConfigured when one of them is not configured.
        """
        while not self._stop.is_set():
            self._watch.look()
            try:
                if not self._turn():
                    break
                self._errors_in_a_row = 0
            except PyMongoError as error:
                self._back_off("MongoDB fails", error)
            except UnreachableError as error:
                self._back_off("Kafka fails", error)
            except BrokenError as error:
                self._delivery = None
                self._back_off("the producer is replaced", error)
            self._report()
        self._finish()

    @property
    def rejected(self) -> list[str]:
        """The keys of entities whose event the broker refuses."""
        return self._holds.keys

    @property
    def is_active(self) -> bool:
        """Whether this relay is the one that publishes."""
        return self._delivery is not None and self.lease.held

    def live(self) -> list[str]:
        """Return what only a restart would mend: the loop is stuck. Any thread may ask."""
        return self._watch.live()

    def ready(self) -> list[str]:
        """Return why nothing can be published now. Any thread may ask."""
        return ["it is stopping"] if self._stop.is_set() else self._watch.ready()

    def _turn(self) -> bool:
        """Do one round. Return False when `once` is done."""
        self._delete_published()
        if not self._keep_lease():
            return self._stand_by()
        if self._delivery is None:
            # The lease is looked at again afterwards: whoever gets it later than that shuts this producer out.
            self._take_over()
            return True
        self._batch = self._read_batch()
        if self._batch:
            self._publish(self._delivery)
        elif self._pending():
            self._stop.wait(self.policy.majority_wait_seconds)
        elif self._once:
            return False
        else:
            self._wait_for_events()
        return True

    def _stand_by(self) -> bool:
        """Wait before asking for the lease again. Return False when `once` finds that the active relay did it all."""
        if self._delivery:
            logger.warning("the lease is lost")
        if self._delivery or not self._stands_by:
            logger.info("another relay is active; this one stands by")
        self._delivery, self._stands_by = None, True
        self._watch.gets_on()
        self._stop.wait(self.policy.lease_seconds / 5 * random.uniform(0.8, 1.2))
        return not (self._once and not self._pending())

    def _take_over(self) -> None:
        """Become the one whose events the broker takes."""
        delivery = Delivery(self._may_wait)
        delivery.open()
        self._delivery, self._stands_by = delivery, False
        logger.info("this is the active relay now (lease %d)", self.lease.token)

    def _keep_lease(self) -> bool:
        kept = self.lease.keep()
        self._watch.heard_of_mongodb()
        return kept

    def _may_wait(self) -> bool:
        """Keep the lease while the broker is waited for, and return whether it still should be."""
        self._watch.look()
        self._report()
        if self._stop.is_set():
            self._stop_by = self._stop_by or time.monotonic() + self.policy.stop_seconds
            return time.monotonic() < self._stop_by
        try:
            return self._keep_lease()
        except PyMongoError as error:
            # Nobody else can take the lease either; or somebody has, and the broker refuses us.
            self._watch.failed(error)
            logger.warning("MongoDB fails, too: %s", error)
            return True

    def _publish(self, delivery: Delivery) -> None:
        """Send the batch. One that is rejected goes again in halves, until the bad event is alone."""
        batch, begun = self._batch, time.monotonic()
        try:
            self._done = delivery.publish(batch)
        except RejectedError as error:
            self.failed += 1
            self._watch.failed(error)
            if len(batch) == 1:
                self._holds.hold(batch[0]["key"], batch[0]["topic"], error)
            self._next_size(len(batch) // 2)
        except (UnreachableError, BrokenError):
            self.failed += 1
            raise
        else:
            self._watch.gets_on()
            metrics.BATCH_EVENTS.observe(len(batch))
            metrics.BATCH_SECONDS.observe(time.monotonic() - begun)
            if len(batch) == 1:
                self._holds.release(batch[0]["key"])
            self._next_size(2 * self._batch_events)
        finally:
            self._batch = []

    def _next_size(self, events: int) -> None:
        """Set how many events the next batch has. What became of a probe tells nothing about the others."""
        if not self._is_probe:
            self._batch_events = min(max(1, events), self.policy.batch_events)

    def _read_batch(self) -> list[mongo.Stored]:
        """Return the oldest events of the entities that are not held back, or as a probe the first of one that is.

        The two take turns, so that many entities that are held back do not hold up the others.
        """
        due = self._holds.due
        events: list[mongo.Stored] = []
        if due is None or self._is_probe:
            self._is_probe = False
            events = self._read(self._not_held(), self._batch_events)
        if due and not events:
            self._is_probe = True
            events = self._read({"key": due}, 1)
            if not events:
                self._holds.release(due)
        return events

    def _read(self, wanted: mongo.Stored, limit: int) -> list[mongo.Stored]:
        events, size = [], 0
        # One snapshot: a scan that runs beside commits could pass an entity's first event and still see its second.
        with self._in_time(), mongo.snapshot() as session, self._outbox().find(wanted, session=session) as found:
            for event in found.sort("timestamp").limit(limit):
                events.append(event)
                size += len(event["payload"])
                if size >= self.policy.batch_bytes:
                    break
        return events

    def _not_held(self) -> mongo.Stored:
        return {"key": {"$nin": self._holds.keys}, "topic": {"$nin": self._holds.topics}}

    def _pending(self) -> bool:
        """Return whether there is something to publish, committed by a majority or about to be."""
        if self._holds.due:
            return True
        with self._in_time():
            return self._outbox().find_one(self._not_held(), {"_id": 1}) is not None

    def _wait_for_events(self) -> None:
        """Wait until something is put into the outbox, or the turn is over.

        The outbox is looked at once the change stream is open, so nothing slips in between.
        """
        try:
            with self._in_time():
                stream = self._outbox().watch(_INSERTS, max_await_time_ms=self.policy.idle_wait_ms)
            self._wait_for(stream)
        except OperationFailure as error:
            logger.warning("no change stream, polling instead: %s", error)
            self._stop.wait(self.policy.idle_wait_ms / 1000)

    def _wait_for(self, stream: CollectionChangeStream[mongo.Stored]) -> None:
        try:
            while not self._stop.is_set() and self._keep_lease() and not self._pending():
                with self._in_time():
                    stream.try_next()
                self._report()
        finally:
            with self._in_time():
                stream.close()

    def _delete_published(self) -> None:
        """Delete what the broker has. Raises PyMongoError, and keeps the ids then.

        The oldest first: if that is cut off, no event is left to be repeated behind a later one of its entity.
        """
        if not self._done:
            return
        with self._in_time():
            self._outbox().bulk_write([DeleteMany({"_id": {"$in": ids}}) for ids in runs(self._done)])
        self.published += len(self._done)
        metrics.count_published(self._done)
        self._done = []

    def _in_time(self) -> AbstractContextManager[None]:
        self._watch.look()
        return pymongo.timeout(self.policy.mongodb_seconds)

    def _outbox(self) -> Collection[mongo.Stored]:
        return mongo.database()[OUTBOX].with_options(write_concern=WriteConcern("majority"))

    def _back_off(self, what: str, error: Exception) -> None:
        """Wait longer after each error in a row, and not in step with other processes."""
        self._watch.failed(error)
        self._errors_in_a_row += 1
        seconds = self.policy.back_off_seconds * 2 ** min(self._errors_in_a_row, 10)
        seconds = min(seconds, self.policy.max_back_off_seconds) * random.uniform(0.5, 1)
        logger.warning("%s, next try in %.1f s: %s", what, seconds, error)
        self._stop.wait(seconds)

    def _report(self) -> None:
        if time.monotonic() < self._report_at:
            return
        self._report_at = time.monotonic() + self.policy.report_seconds
        waiting = len(self._batch)
        if waiting or self.published != self._reported:
            logger.info("published %d events, %d wait for Kafka", self.published - self._reported, waiting)
        self._reported = self.published

    def _finish(self) -> None:
        """Delete what is published already and let a standby take over.

        What was on its way stays in the outbox. A stop during its commit may leave all of it in Kafka, too: a repeat.
        """
        try:
            with pymongo.timeout(self.policy.stop_seconds):
                self._delete_published()
            self.lease.release()
        except PyMongoError as error:
            logger.warning("stopped without MongoDB; what was published last will be repeated: %s", error)
