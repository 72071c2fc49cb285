"""The consumer process: reads batches of events from Kafka and stores each in one SQL transaction.

The order is fixed: read, decode, store rows with offsets, then tell Kafka. Offsets live in the database; the ones
committed to Kafka are for lag tools only. An outage of either server is waited out inside the group: partitions are
paused, polling goes on, nothing is lost.

Two threads: the database's does all that needs SQL, one operation at a time, on what it is given; this one waits for it
and stays in touch with Kafka, so partitions may come and go while a batch is being stored. Why that is safe:

- Revoked while a batch is in flight: its transaction begins with the lock on the offsets. Either it has committed
  before the new owner locks them, who then finds another offset than it had read from, and seeks. Or the new owner was
  first, and this transaction is fenced as a whole; what is still ours of it is pending, and stored again.
- Revoked and assigned again meanwhile: the partition waits, and its place is looked up by the database's thread, after
  the batch in flight. The batch's result moves no partition that waits.
- Lost, because nobody heard of this process for too long: as revoked. The new owner is just further on.
- A place looked up, then revoked and assigned again before it is sought: the place may be old. Then the next batch is
  fenced, and the place is looked up again.
- Asked to stop: a batch in flight gets a few seconds. If it is not committed then, the server rolls it back when the
  end of the process closes the connection. In both cases the next owner reads on from what is stored.
"""

import logging
import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import wait
from functools import partial
from typing import TypeVar

from confluent_kafka import KafkaException
from django.db import DatabaseError, InterfaceError

from analytics import metrics
from analytics.batches import Stored, store
from analytics.database_thread import DatabaseThread
from analytics.observer import Observer
from analytics.offsets import FencedError, OffsetStore, Partition
from analytics.outages import BackOff, is_bad_value, is_outage
from analytics.progress import NAMED_GAPS, Counts
from analytics.reader import IDLE_SECONDS, Reader
from analytics.watch import Watch
from analytics.writer import Gap

logger = logging.getLogger("analytics.consumer")

# A database operation that takes longer than the first has the partitions paused, and Kafka polled as often as this.
PATIENCE_SECONDS = 1.0
ATTEND_SECONDS = 0.2
SLOW_SECONDS = 3.0  # that long is worth a line
# After a signal: for the batch in flight, and for leaving the group.
FINISH_SECONDS = 3.0
LEAVE_SECONDS = 2.0
REPORT_SECONDS = 10.0
# So many bad messages in a row are taken for mistakes of their senders; with one more it stops.
BAD_LIMIT = 50

Result = TypeVar("Result")


class _StopRequested(Exception):  # noqa: N818  # not an error
    """The stop event was set while a server was away, or had still to be asked."""


class EventConsumer:
    """One member of a consumer group that keeps the analytics tables up to date."""

    def __init__(
        self,
        group: str,
        *,
        batch_size: int = 500,
        bad_limit: int = BAD_LIMIT,
        stop: threading.Event | None = None,
        back_off: BackOff | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.counts = Counts()
        self._group = group
        self._batch_size = batch_size
        self._bad_limit = bad_limit
        self._portion = batch_size
        self._suspects = 0  # messages left of a portion that the database has refused
        self._stop = stop or threading.Event()
        self._back_off = back_off or BackOff()
        self._clock = clock
        self._bad_in_a_row = 0
        self._reported_at = clock()
        self._reported = str(self.counts)
        self._reported_gaps = 0
        self._gaps: list[Gap] = []  # a few of those since the last report
        self._observer = Observer(group, clock)
        self._reader = Reader(group)
        self._progress = self._reader.progress
        self._watch = Watch(self._reader, clock)
        self.live = self._watch.live
        self._offsets = OffsetStore(group, "")

    def run(self, *, once: bool = False) -> Counts:
        """Consume until the stop event is set; with `once`, until all partitions are read to where they end now.

        Raises TooManyBadMessagesError, a fatal KafkaException, and database errors that waiting does not cure.
        """
        self._database = DatabaseThread(self._watch.pulse, self._watch.answers)
        self._watch.look()
        try:
            self._through_outages(self._join)
            while not self._stop.is_set() and not (once and self._progress.caught_up()):
                self._step()
        except _StopRequested:
            logger.info("stopped while waiting for a server; what was not stored is read again")
        finally:
            self._observer.tell(self._database, self._reader.standings())
            self._reader.close(LEAVE_SECONDS)
            self._database.end(LEAVE_SECONDS)
            self._report_gaps()
        return self.counts

    def ready(self) -> list[str]:
        """Return why no events are projected now. Any thread may ask."""
        return ["it is stopping"] if self._stop.is_set() else self._watch.ready()

    def _step(self) -> None:
        self._watch.look()
        if self._progress.waiting:
            self._through_outages(self._position)
        self._read()
        while self._progress.pending and not self._stop.is_set():
            self._through_outages(self._store_portion)
        self._reader.announce()
        if self._observer.is_due():
            self._observer.tell(self._database, self._reader.standings())
        self._observer.look(self._database)
        self._report()

    def _read(self) -> None:
        self._reader.fill(self._batch_size)

    def _join(self) -> None:
        cluster_id = self._reader.cluster_id()
        self._offsets = OffsetStore(self._group, cluster_id)
        if self._in_database(self._offsets.has_other_cluster):
            logger.warning("cluster %s is new to group %s: partitions start at their earliest", cluster_id, self._group)
        self._reader.join()

    def _position(self) -> None:
        """Let the waiting partitions go on from their stored offsets.

        All others pause meanwhile: a broker answers in order, and each question would wait for a fetch to end.
        """
        self._reader.pause()
        stored = self._in_database(partial(self._offsets.load, set(self._progress.waiting)))
        for partition in sorted(self._progress.waiting):
            if self._stop.is_set():
                raise _StopRequested
            self._watch.look()
            low, high = self._reader.watermarks(partition)
            start = self._start(partition, stored.get(partition), low, high)
            if partition in self._progress.waiting:
                self._reader.begin(partition, start, high)
        self._reader.resume()
        logger.info("reading on in %d partitions", len(self._progress.positions))

    def _start(self, partition: Partition, stored: int | None, low: int, high: int) -> int:
        if stored is None:
            self._in_database(partial(self._offsets.create, {partition: low}))
            return low
        if low <= stored <= high:
            return stored
        logger.warning(
            "%s: stored offset %d is not within %d to %d, starting at the earliest", partition, stored, low, high
        )
        self._in_database(partial(self._offsets.reset, partition, stored, low))
        return low

    def _store_portion(self) -> None:
        """Store what is pending, or the first part of it while a message is sought that the database refuses."""
        progress = self._progress
        messages = progress.pending[: self._portion]
        if not messages:  # all of it was revoked during an outage
            return
        begun = self._clock()
        try:
            stored = self._in_database(
                partial(
                    store,
                    messages,
                    self._offsets,
                    dict(progress.positions),
                    bad_in_a_row=self._bad_in_a_row,
                    bad_limit=self._bad_limit,
                )
            )
        except FencedError as fenced:
            self.counts.fenced += 1
            metrics.FENCED.inc()
            logger.warning("%s; reading on from there", fenced)
            self._reader.wait_again(fenced.partitions)
        except DatabaseError as error:
            if len(messages) == 1 or not is_bad_value(error):
                raise
            self._suspects = len(messages)
            self._portion = len(messages) // 2
        else:
            metrics.count(stored, self._clock() - begun)
            self._take(stored)

    def _take(self, stored: Stored) -> None:
        """Go on behind a stored portion, and with whole batches again once what was refused has been found."""
        self._suspects = 0 if stored.refused else max(0, self._suspects - stored.read)
        if not self._suspects:
            self._portion = self._batch_size
        self._progress.stored(stored.next_offsets)
        self._bad_in_a_row = stored.bad_in_a_row
        self._gaps += stored.gaps[: NAMED_GAPS - len(self._gaps)]
        self.counts.add(stored)
        self._observer.add(stored.delays)
        self._watch.look()
        if stored.dead:
            logger.warning("dead letters: %d, the first %s", stored.dead, stored.first_dead)
        self._reader.announce()

    # --- waiting ----------------------------------------------------------------------------------------------------

    def _in_database(self, operation: Callable[[], Result]) -> Result:
        """Return what the operation gives in the database's thread, or raise what it raises.

        Raises _StopRequested when it does not end soon after a signal. After one it does not even begin: its time would
        come on top of that of a question to Kafka.
        """
        if self._stop.is_set():
            raise _StopRequested
        future = self._database.submit(operation)
        begun, working_since = self._clock(), self._watch.working()
        patience, stop_at, is_told = PATIENCE_SECONDS, math.inf, False
        while not wait([future], patience).done:
            now = self._clock()
            if self._stop.is_set():
                stop_at = min(stop_at, now + FINISH_SECONDS)
            if now > stop_at:
                raise _StopRequested
            if now > begun + SLOW_SECONDS and not is_told:
                is_told = True
                logger.warning("the database has not answered for %.0f s; still waiting", now - begun)
                self._watch.answers.failed("SQL", f"no answer for {now - begun:.0f} s")
            self._watch.waited(working_since)
            self._reader.pause()
            self._reader.attend()
            patience = ATTEND_SECONDS
        if patience == ATTEND_SECONDS:
            self._reader.resume()
        return future.result()

    def _through_outages(self, operation: Callable[[], None]) -> None:
        """Run the operation until no server is away. Raises _StopRequested when asked to stop in between."""
        paused = False
        for delay in self._back_off.delays():
            working_since = self._watch.working()
            try:
                operation()
                break
            except (DatabaseError, InterfaceError, KafkaException) as error:
                if not is_outage(error):
                    raise
                self.counts.outages += 1
                metrics.KAFKA_OUTAGES.inc(isinstance(error, KafkaException))  # the database's thread counts its own
                logger.warning("server away, trying again in %.1f s: %s", delay, error)
            paused = True
            self._wait(delay, working_since)
        if paused:
            self._reader.resume()

    def _wait(self, seconds: float, working_since: float) -> None:
        """Stay in the group without reading on."""
        until = self._clock() + seconds
        while (left := until - self._clock()) > 0:
            self._watch.waited(working_since)
            self._reader.pause()
            self._reader.attend(min(left, IDLE_SECONDS))
            if self._stop.is_set():
                raise _StopRequested

    # --- reports ----------------------------------------------------------------------------------------------------

    def _report(self) -> None:
        """Log what has been done, every REPORT_SECONDS and only when there is something new."""
        if self._clock() - self._reported_at < REPORT_SECONDS:
            return
        self._reported_at = self._clock()
        if str(self.counts) != self._reported:
            self._reported = str(self.counts)
            logger.info(self._reported)
        self._report_gaps()

    def _report_gaps(self) -> None:
        if self._gaps:
            missing, self._reported_gaps = self.counts.gaps - self._reported_gaps, self.counts.gaps
            logger.warning("%d versions missing, among them %s", missing, "; ".join(map(str, self._gaps)))
            self._gaps.clear()
