"""What a consumer tells of itself every few seconds and when it stops: where its partitions are, how long events took.

Nobody waits for it, and nothing depends on it: it is written in the database's thread between two batches, in single
statements that hold no lock longer than they run. What could not be written is added to the next report.
"""

import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final, NamedTuple

from django.db.models import Min

from analytics import metrics
from analytics.columns import Row, sql_text
from analytics.database_thread import DatabaseThread
from analytics.delays import Delays
from analytics.models import EventDelay, PartitionReport
from analytics.offsets import Partition
from analytics.tables import Table

logger = logging.getLogger("analytics.observer")

TELL_SECONDS: Final = 5.0
LOOK_SECONDS: Final = 30.0
KEEP: Final = timedelta(days=7)
# At most so much of what is too old is deleted at once: the rest at the next times.
PRUNE: Final = timedelta(hours=1)
# Of more delays than these could not be written for a long time, and are forgotten.
MOST_DELAYS: Final = 10_000

_REPORTS: Final = Table(
    PartitionReport, ("group_id", "topic", "partition", "next_offset", "end_offset", "at"), key_columns=3
)
_DELAYS: Final = Table(EventDelay, ("minute", "up_to_ms", "events"), key_columns=2)


class Standing(NamedTuple):
    """How far a partition is stored, and where it ends as far as Kafka has told."""

    next_offset: int
    end_offset: int


class Observer:
    """Collects what one consumer has to tell. Its methods never raise for what the database says."""

    def __init__(self, group: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._group = group
        self._clock = clock
        self._next = clock()
        self._delays = Delays()
        self._told = Delays()
        self._writing: Future[None] | None = None
        self._next_look = clock()
        self._looking: Future[None] | None = None

    def add(self, delays: Delays) -> None:
        """Take the delays of a batch that is committed."""
        self._delays += delays

    def is_due(self) -> bool:
        """Tell whether it is time for the next report, and the last one is written or has failed."""
        return self._clock() >= self._next and (self._writing is None or self._writing.done())

    def tell(self, database: DatabaseThread, standings: Mapping[Partition, Standing]) -> None:
        """Have the database's thread write a report, when there is anything to report."""
        self._look_back()
        if not standings and not self._delays:
            return
        self._next = self._clock() + TELL_SECONDS
        self._told, self._delays = self._delays, Delays()
        at = datetime.now(UTC)
        rows: list[Row] = [
            [self._group, *partition, *standing, sql_text(at)] for partition, standing in sorted(standings.items())
        ]
        self._writing = database.submit(partial(_write, rows, self._told, at))

    def look(self, database: DatabaseThread) -> None:
        """Have the database's thread look, when it is time, at what the metrics tell of the tables."""
        if self._clock() < self._next_look or not (self._looking is None or self._looking.done()):
            return
        if self._looking and (error := self._looking.exception()):
            logger.warning("the tables could not be looked at: %s", error)
        self._next_look = self._clock() + LOOK_SECONDS
        self._looking = database.submit(metrics.look_at_tables)

    def _look_back(self) -> None:
        """Take back what the last report could not write. Where only its answer was lost, events count twice."""
        if self._writing is None or not self._writing.done():
            return
        error, self._writing = self._writing.exception(), None
        if error is not None:
            logger.warning("not reported, trying again with the next report: %s", error)
            if len(self._delays) + len(self._told) <= MOST_DELAYS:
                self._delays += self._told


def _write(reports: list[Row], delays: Delays, at: datetime) -> None:
    _REPORTS.upsert(reports)
    _prune(at - KEEP)
    _DELAYS.add([[sql_text(minute), up_to_ms, events] for (minute, up_to_ms), events in sorted(delays.items())])


def _prune(before: datetime) -> None:
    oldest = EventDelay.objects.aggregate(oldest=Min("minute"))["oldest"]
    if oldest is not None and oldest < before:
        EventDelay.objects.filter(minute__lt=min(before, oldest + PRUNE)).delete()
