"""The report on the pipeline itself: how far consumers are, how long events take, what waits, what is wrong.

Consumers write what this reads (`observer.py`), so the process that asks needs no Kafka. MongoDB it asks for the outbox
only, and shortly; when it is away, the answer says so.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.db.models import Q, Sum
from pymongo.errors import PyMongoError

from analytics.delays import percentile
from analytics.models import DeadLetter, EventDelay, PartitionReport
from analytics.pipeline import latest_runs
from analytics.replica import REPLICA
from analytics.reports.report import Column, Report
from marketplace.events import outbox

# Consumers report every few seconds; a report that is older than this comes from one that is gone, or cut off.
STALE_SECONDS: Final = 30
# Counts end here: what matters is that there are many.
COUNT_LIMIT: Final = 10_000
OUTBOX_SECONDS: Final = 1.0

_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)


class Line(NamedTuple):
    """A row of the report; the fields are its columns."""

    measure: str
    subject: str
    value: float | None
    unit: str
    at: datetime | None = None
    is_stale: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class DataAsOf:
    """How fresh the tables are: they hold all that Kafka had at `at`, but for so many events.

    `at` is None while no partition has been read to its end.
    """

    at: datetime | None
    events_behind: int


def partition_reports() -> list[PartitionReport]:
    """Return what all groups report of their partitions, in order. One query."""
    return list(PartitionReport.objects.order_by("group_id", "topic", "partition"))


def own(reports: Iterable[PartitionReport]) -> list[PartitionReport]:
    """Return those of the group KAFKA_GROUP_ID, which keeps the tables; others only replay."""
    return [report for report in reports if report.group_id == settings.KAFKA_GROUP_ID]


def data_as_of(reports: Sequence[PartitionReport]) -> DataAsOf | None:
    """Return how fresh the tables are, by the reports of the group that keeps them; None when it never has."""
    if not reports:
        return None
    caught_up = [report.at for report in reports if _lag(report) == 0]
    return DataAsOf(min(caught_up, default=None), sum(map(_lag, reports)))


def _lag(report: PartitionReport) -> int:
    return max(0, report.end_offset - report.next_offset)


def rows(reports: Iterable[PartitionReport]) -> Iterator[dict[str, object]]:
    """Yield the rows of the report for what groups report."""
    now = datetime.now(UTC)
    for part in (_partitions(reports, now), _delays(now), _outbox(now), _letters(), _verification()):
        for line in part:
            yield line._asdict()


def _partitions(reports: Iterable[PartitionReport], now: datetime) -> Iterator[Line]:
    """Tell each partition's lag, and how old each group's oldest report is."""
    oldest: dict[str, datetime] = {}
    for report in reports:
        oldest[report.group_id] = min(report.at, oldest.get(report.group_id, report.at))
        yield Line("lag", str(report), _lag(report), "events", report.at, *_staleness(report.at, now))
    for group, at in oldest.items():
        yield Line("oldest_report_age", group, (now - at).total_seconds(), "seconds", at, *_staleness(at, now))


def _staleness(at: datetime, now: datetime) -> tuple[bool, str]:
    if now - at <= timedelta(seconds=STALE_SECONDS):
        return False, ""
    return True, "no consumer reports this any more" + ", or the replica is behind" * (REPLICA in connections)


def _delays(now: datetime) -> Iterator[Line]:
    hour, day = Sum("events", filter=Q(minute__gt=now - _HOUR), default=0), Sum("events")
    found = EventDelay.objects.filter(minute__gt=now - _DAY).values("up_to_ms").annotate(hour=hour, day=day)
    buckets = list(found.values_list("up_to_ms", "hour", "day"))
    for window, column in ("last hour", 1), ("last 24 hours", 2):
        # MySQL gives sums as decimals.
        counts = {bucket[0]: int(bucket[column]) for bucket in buckets}
        note = "" if sum(counts.values()) else "no events"
        yield Line("event_to_row_p50", window, percentile(counts, 50), "ms", note=note)
        yield Line("event_to_row_p95", window, percentile(counts, 95), "ms", note=note)
        yield Line("event_to_row_events", window, sum(counts.values()), "events")


def _outbox(now: datetime) -> Iterator[Line]:
    try:
        waiting = outbox.backlog(COUNT_LIMIT, OUTBOX_SECONDS)
    except (PyMongoError, ImproperlyConfigured):
        yield Line("outbox_backlog", "", None, "events", note="MongoDB does not answer")
        yield Line("outbox_age", "", None, "seconds", note="MongoDB does not answer")
        return
    age = max(0.0, (now - waiting.oldest).total_seconds()) if waiting.oldest else 0.0
    yield Line("outbox_backlog", "", waiting.events, "events", now, note=_or_more(waiting.events))
    yield Line("outbox_age", "", age, "seconds", waiting.oldest)


def _or_more(count: int) -> str:
    return f"{COUNT_LIMIT:,} or more" if count >= COUNT_LIMIT else ""


def _letters() -> Iterator[Line]:
    count = DeadLetter.objects.filter(state=DeadLetter.OPEN)[:COUNT_LIMIT].count()
    yield Line("open_dead_letters", "", count, "messages", note=_or_more(count))


def _verification() -> Iterator[Line]:
    run = None
    for run in latest_runs():
        note = f"{run.checked:,} checked, {run.mended:,} mended"
        yield Line("last_verification", run.scope, run.wrong, "differences", run.finished_at, note=note)
    if run is None:
        yield Line("last_verification", "", None, "differences", note="never verified")


REPORT: Final = Report(
    name="pipeline",
    title="Pipeline",
    definition=(
        "How far the consumers have read each partition, how long events take from their write to their row, what waits"
        " to be published, and what is known to be wrong."
    ),
    columns=(
        Column(
            "measure",
            "text",
            "What is measured. lag: events of a partition that are not stored yet. oldest_report_age: how long ago a"
            " group's consumers have last told of the partition that they have told of least recently."
            " event_to_row_p50, _p95: the time from write to row that 50 or 95 of 100 events did not exceed, at most"
            " 25 % too high; event_to_row_events: how many events that was measured of. outbox_backlog, outbox_age: the"
            " events that wait to be published, and for how long the oldest has. open_dead_letters: messages that could"
            " not be applied and are not settled. last_verification: what the last"
            " verify_analytics of a scope has left wrong, the newest first.",
        ),
        Column("subject", "text", "Of what: group and partition, group, time span, or the scope of a verification."),
        Column("value", "number", "The measured value; null when it is not known, and the note says why.", True),
        Column("unit", "text", "Its unit. A lag may count records that mark ends of transactions, too."),
        Column("at", "moment", "The time for which it holds; of outbox_age, when the oldest event was written.", True),
        Column("is_stale", "flag", f"Whether the consumers' word is older than {STALE_SECONDS} seconds."),
        Column("note", "text", "What else there is to say."),
    ),
    rows=lambda _: rows(partition_reports()),
    parameters=(),
)
