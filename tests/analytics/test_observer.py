"""What consumers tell of themselves: lag, delays, and that nothing comes of it when that cannot be written."""

import logging
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F, Sum
from prometheus_client import REGISTRY

from analytics import observer as observers
from analytics.columns import sql_text
from analytics.consumer import EventConsumer
from analytics.database_thread import DatabaseThread
from analytics.delays import Delays, measured
from analytics.models import EventDelay, PartitionReport, User
from analytics.observer import KEEP, PRUNE, Observer, Standing
from analytics.progress import Counts
from tests.analytics.conftest import Produce
from tests.analytics.events import event, new_id
from tests.analytics.test_consumer import in_transaction, make_database_fail

pytestmark = pytest.mark.django_db(transaction=True)

ANSWER_SECONDS = 20
MINUTE = datetime.now(UTC).replace(second=0, microsecond=0)
HERE = {("user", 0): Standing(5, 7)}


def lag(group: str) -> int:
    reports = PartitionReport.objects.filter(group_id=group)
    return sum(end - reached for end, reached in reports.values_list("end_offset", "next_offset"))


def delays() -> dict[tuple[datetime, int], int]:
    return {
        (minute, up_to): events
        for minute, up_to, events in EventDelay.objects.values_list("minute", "up_to_ms", "events")
    }


def users(number: int, seconds_ago: float = 0) -> list[dict[str, Any]]:
    """Return events of writes that happened so long ago."""
    at = (datetime.now(UTC) - timedelta(seconds=seconds_ago)).isoformat()
    return [event("user.created", new_id()) | {"timestamp": at} for _ in range(number)]


class StoppedConsumer(EventConsumer):
    """A consumer that is asked to stop after its second batch: too soon for a second report, if not for that."""

    def _step(self) -> None:
        super()._step()
        if self.counts.read > self._batch_size:
            self._stop.set()


class IdleConsumer(EventConsumer):
    """A consumer that stops when its reports have changed three times, or after a while."""

    def run(self, *, once: bool = False) -> Counts:
        self.seen: set[datetime] = set()
        self._end = time.monotonic() + ANSWER_SECONDS
        return super().run(once=once)

    def _step(self) -> None:
        super()._step()
        self.seen |= self._in_database(lambda: set(PartitionReport.objects.values_list("at", flat=True)))
        if len(self.seen) >= 3 or time.monotonic() > self._end:
            self._stop.set()


def test_a_consumer_that_stops_tells_what_it_leaves(own_kafka: Produce, group: str) -> None:
    before = datetime.now(UTC)
    own_kafka([*users(30), event("order.created", new_id())])
    stopped = StoppedConsumer(group, batch_size=10)
    stopped.run()
    assert lag(group) == 31 - stopped.counts.read > 0
    topics = PartitionReport.objects.filter(group_id=group, at__gte=before).values_list("topic", flat=True)
    assert set(topics) == {"user", "supplier", "product", "order", "post"}
    counts = EventConsumer(group).run(once=True)
    assert counts.read == 31 - stopped.counts.read
    assert lag(group) == 0
    ends = PartitionReport.objects.filter(group_id=group).aggregate(all=Sum("end_offset"))["all"]
    assert ends == 31


def test_records_that_end_transactions_are_no_lag(kafka: str, group: str) -> None:
    in_transaction(kafka, users(20), "commit_transaction")
    EventConsumer(group).run(once=True)
    assert PartitionReport.objects.filter(group_id=group, next_offset=F("end_offset"), next_offset__gt=0).exists()
    assert lag(group) == 0


def test_it_goes_on_telling_while_nothing_happens(
    own_kafka: Produce, group: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observers, "TELL_SECONDS", 0.1)
    own_kafka(users(1))
    consumer = IdleConsumer(group)
    consumer.run()
    assert len(consumer.seen) >= 3


class AwayConsumer(EventConsumer):
    """A consumer whose database goes away when all is read; it stops after three outages more, or after a while."""

    away_since = 0.0
    before = 0.0

    def _step(self) -> None:
        super()._step()
        if self.away_since:
            if self.found() >= 3 or time.monotonic() > self.away_since + ANSWER_SECONDS:
                self._stop.set()
        elif self._progress.caught_up():
            self.before = self.found()
            self._in_database(make_database_fail)
            self.away_since = time.monotonic()

    def found(self) -> float:
        total = REGISTRY.get_sample_value("marketplace_consumer_outages_total", {"server": "sql"})
        assert total is not None
        return total - self.before


def test_a_database_that_is_away_while_nothing_happens_is_counted(
    own_kafka: Produce, group: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(observers, "TELL_SECONDS", 0.1)
    own_kafka(users(1))
    consumer = AwayConsumer(group)
    assert consumer.run().outages == 0  # those that kept it from storing something
    assert consumer.found() >= 3
    assert "not reported" in caplog.text


def test_delays_end_with_the_commit_and_repeats_have_none(own_kafka: Produce, group: str) -> None:
    started = datetime.now(UTC)
    own_kafka([*users(7, seconds_ago=10), *users(3, seconds_ago=3600)])
    EventConsumer(group).run(once=True)
    took = (datetime.now(UTC) - started).total_seconds()
    found = delays()
    assert sum(found.values()) == 10
    assert all(started - timedelta(minutes=1) < minute <= datetime.now(UTC) for minute, _ in found)
    short = {up_to: events for (_, up_to), events in found.items() if up_to < 1_000_000}
    long = {up_to: events for (_, up_to), events in found.items() if up_to > 1_000_000}
    assert (sum(short.values()), sum(long.values())) == (7, 3)
    assert all(10_000 <= up_to <= 1.25 * 1000 * (10 + took) for up_to in short)
    assert all(3_600_000 <= up_to <= 1.25 * 1000 * (3600 + took) for up_to in long)
    EventConsumer(f"{group}-replay").run(once=True)
    assert delays() == found
    assert lag(f"{group}-replay") == 0


@pytest.fixture
def database() -> Iterator[DatabaseThread]:
    database = DatabaseThread()
    yield database
    database.end(ANSWER_SECONDS)


def settle(database: DatabaseThread) -> None:
    """Wait for what the thread has been given so far."""
    database.submit(lambda: None).result(ANSWER_SECONDS)


def some_delays(events: int = 1) -> Delays:
    return measured([sql_text(MINUTE - timedelta(seconds=1))] * events, MINUTE)


def test_two_consumers_add_up(database: DatabaseThread, group: str) -> None:
    for name in (group, f"{group}-2"):
        observer = Observer(name)
        for _ in range(2):
            observer.add(some_delays(3))
            observer.tell(database, HERE)
    settle(database)
    assert sum(delays().values()) == 12
    assert len(delays()) == 1
    assert PartitionReport.objects.filter(group_id__startswith=group, next_offset=5, end_offset=7).count() == 2


def test_two_consumers_add_up_at_the_same_time(group: str) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite's tables in memory have one writer at a time")
    threads = [DatabaseThread() for _ in range(2)]
    for _ in range(100):
        for number, thread in enumerate(threads):
            observer = Observer(f"{group}-{number}")
            observer.add(measured([sql_text(MINUTE - timedelta(seconds=ago)) for ago in range(20)], MINUTE))
            observer.tell(thread, HERE)
    for thread in threads:
        settle(thread)
        thread.end(ANSWER_SECONDS)
    assert sum(delays().values()) == 2 * 100 * 20


def rename(table: str, name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO {name}")


@pytest.fixture
def broken() -> Iterator[None]:
    """The table of delays is away."""
    rename("event_delays", "event_delays_away")
    yield
    if "event_delays_away" in connection.introspection.table_names():
        rename("event_delays_away", "event_delays")


@pytest.mark.usefixtures("broken")
def test_what_could_not_be_written_is_written_later(
    database: DatabaseThread, group: str, caplog: pytest.LogCaptureFixture
) -> None:
    observer = Observer(group)
    observer.add(some_delays(3))
    observer.tell(database, HERE)
    settle(database)
    rename("event_delays_away", "event_delays")
    observer.add(some_delays(4))
    observer.tell(database, HERE)
    observer.tell(database, HERE)
    settle(database)
    assert sum(delays().values()) == 7
    assert caplog.text.count("trying again with the next report") == 1


@pytest.mark.usefixtures("broken")
def test_a_table_that_is_away_for_ever_fills_no_memory(
    database: DatabaseThread, group: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observers, "MOST_DELAYS", 10)
    observer = Observer(group)
    for number in range(30):
        observer.add(measured([sql_text(MINUTE)], MINUTE + timedelta(minutes=number)))
        observer.tell(database, HERE)
        settle(database)
    assert len(observer._told) <= 10


@pytest.mark.usefixtures("broken")
def test_the_consumer_does_not_notice_what_cannot_be_written(
    own_kafka: Produce, group: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(observers, "TELL_SECONDS", 0)
    own_kafka(users(60))
    with caplog.at_level(logging.WARNING):
        counts = EventConsumer(group, batch_size=10).run(once=True)
    assert (counts.read, counts.changed, counts.outages) == (60, 60, 0)
    assert User.objects.count() == 60
    assert "trying again with the next report" in caplog.text
    assert lag(group) == 0


def test_reports_do_not_pile_up_behind_a_database_that_hangs(database: DatabaseThread, group: str) -> None:
    seconds = 0.0
    observer = Observer(group, lambda: seconds)
    assert observer.is_due()
    is_over = threading.Event()
    hanging = database.submit(lambda: is_over.wait(ANSWER_SECONDS))
    observer.tell(database, HERE)
    assert not observer.is_due()
    seconds = 1000.0
    assert not observer.is_due()
    is_over.set()
    assert hanging.result(ANSWER_SECONDS)
    settle(database)
    assert observer.is_due()
    observer.tell(database, HERE)
    settle(database)
    assert not observer.is_due()
    seconds += observers.TELL_SECONDS
    assert observer.is_due()


def test_old_delays_go_a_portion_at_a_time(database: DatabaseThread, group: str) -> None:
    now = datetime.now(UTC)
    ages = [KEEP + timedelta(days=30), KEEP + timedelta(days=30) - PRUNE / 2, KEEP + timedelta(days=1), KEEP / 2]
    EventDelay.objects.bulk_create([EventDelay(minute=now - age, up_to_ms=10, events=1) for age in ages])
    observer = Observer(group)
    for left in (2, 1, 1):
        observer.tell(database, HERE)
        settle(database)
        assert EventDelay.objects.count() == left
    assert EventDelay.objects.get().minute == now - KEEP / 2


def test_nothing_is_told_before_there_is_anything(database: DatabaseThread, group: str) -> None:
    observer = Observer(group)
    observer.tell(database, {})
    settle(database)
    assert not PartitionReport.objects.exists()
    assert observer.is_due()
