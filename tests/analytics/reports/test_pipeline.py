"""The pipeline report on rows as consumers leave them, and what it says while MongoDB is away."""

import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import mongoengine
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analytics.models import DeadLetter, EventDelay, PartitionReport, VerificationRun
from analytics.reports import pipeline
from analytics.reports.catalogue import REPORTS
from analytics.reports.pipeline import DataAsOf
from analytics.reports.report import Question
from marketplace import mongo
from marketplace.events import outbox
from tests.servers.mongod import Mongod

pytestmark = pytest.mark.django_db

Rows = dict[tuple[str, str], dict[str, Any]]


def ask() -> Rows:
    """Return the report's rows by measure and subject."""
    report = REPORTS["pipeline"]
    rows = list(report.rows(Question()))
    assert all(list(row) == [column.name for column in report.columns] for row in rows)
    found = {(row["measure"], row["subject"]): dict(row) for row in rows}
    assert len(found) == len(rows)
    return found


def data_as_of() -> DataAsOf | None:
    return pipeline.data_as_of(pipeline.own(pipeline.partition_reports()))


def ago(**time: float) -> datetime:
    return datetime.now(UTC) - timedelta(**time)


def partition(group: str, number: int, reached: int, end: int, age: float = 1) -> datetime:
    """Store a report that is so many seconds old. Return its time."""
    report = PartitionReport.objects.create(
        group_id=group,
        topic="user",
        partition=number,
        next_offset=reached,
        end_offset=end,
        at=ago(seconds=age),
    )
    return report.at


@pytest.fixture
def settings_group(settings: Any) -> str:
    settings.KAFKA_GROUP_ID = "ours"
    return "ours"


@pytest.mark.usefixtures("mongodb")
class TestReport:
    def test_a_pipeline_that_nobody_has_started(self) -> None:
        rows = ask()
        assert ("last_verification", "") in rows
        assert rows["last_verification", ""]["value"] is None
        assert rows["event_to_row_p95", "last hour"]["value"] is None
        assert rows["event_to_row_events", "last hour"]["value"] == 0
        assert (rows["outbox_backlog", ""]["value"], rows["outbox_age", ""]["value"]) == (0, 0)
        assert rows["open_dead_letters", ""]["value"] == 0
        assert not any(measure == "lag" for measure, _ in rows)

    def test_lag_and_the_age_of_what_consumers_say(self) -> None:
        partition("ours", 0, 10, 10)
        partition("ours", 1, 7, 12, age=pipeline.STALE_SECONDS / 2)
        at = partition("gone", 0, 3, 4, age=3600)
        partition("gone", 1, 5, 4)  # the topic was made anew, and Kafka's word is not in yet
        rows = ask()
        lags = {subject: (row["value"], row["is_stale"]) for (name, subject), row in rows.items() if name == "lag"}
        assert lags == {
            "gone: user/0": (1, True),
            "gone: user/1": (0, False),
            "ours: user/0": (0, False),
            "ours: user/1": (5, False),
        }
        assert rows["lag", "gone: user/0"]["note"] == "no consumer reports this any more"
        age = rows["oldest_report_age", "gone"]
        assert 3600 <= age["value"] < 3660
        assert (age["at"], age["is_stale"]) == (at, True)

    def test_percentiles_of_an_hour_and_of_a_day(self) -> None:
        minute = ago().replace(second=0, microsecond=0)
        for hours, up_to_ms, events in [(0, 10, 94), (0, 100, 6), (2, 100, 400), (23, 5, 10), (25, 5, 10**6)]:
            EventDelay.objects.create(minute=minute - timedelta(hours=hours), up_to_ms=up_to_ms, events=events)
        rows = ask()
        values = {key: row["value"] for key, row in rows.items() if key[0].startswith("event_to_row")}
        assert values == {
            ("event_to_row_p50", "last hour"): 10,
            ("event_to_row_p95", "last hour"): 100,
            ("event_to_row_events", "last hour"): 100,
            ("event_to_row_p50", "last 24 hours"): 100,
            ("event_to_row_p95", "last 24 hours"): 100,
            ("event_to_row_events", "last 24 hours"): 510,
        }

    def test_the_outbox(self, monkeypatch: pytest.MonkeyPatch) -> None:
        times = [ago(seconds=seconds) for seconds in (5, 90, 30)]
        mongo.database()[outbox.OUTBOX].insert_many([{"_id": str(uuid.uuid4()), "timestamp": at} for at in times])
        rows = ask()
        assert (rows["outbox_backlog", ""]["value"], rows["outbox_backlog", ""]["note"]) == (3, "")
        assert 90 <= rows["outbox_age", ""]["value"] < 150
        monkeypatch.setattr(pipeline, "COUNT_LIMIT", 2)
        assert ask()["outbox_backlog", ""] | {"at": None} == {
            "measure": "outbox_backlog",
            "subject": "",
            "value": 2,
            "unit": "events",
            "at": None,
            "is_stale": False,
            "note": "2 or more",
        }

    def test_open_dead_letters(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for offset, state in enumerate([DeadLetter.OPEN, DeadLetter.OPEN, DeadLetter.DISCARDED, DeadLetter.RETRIED]):
            DeadLetter.objects.create(cluster_id="c", topic="user", partition=0, offset=offset, state=state, error="x")
        assert ask()["open_dead_letters", ""]["value"] == 2
        monkeypatch.setattr(pipeline, "COUNT_LIMIT", 1)
        assert ask()["open_dead_letters", ""]["note"] == "1 or more"

    def test_the_last_verification_of_each_scope(self) -> None:
        runs = [(4, "tables: users", 7), (3, "roll-ups", 9), (2, "tables: users", 2), (1, "roll-ups", 0)]
        times = [ago(hours=hours) for hours, _, _ in runs]
        for at, (_, scope, wrong) in zip(times, runs, strict=True):
            VerificationRun.objects.create(
                started_at=at, finished_at=at, scope=scope, checked=1234, wrong=wrong, mended=1
            )
        rows = [row for (measure, _), row in ask().items() if measure == "last_verification"]
        assert [(row["subject"], row["value"], row["at"]) for row in rows] == [
            ("roll-ups", 0, times[3]),
            ("tables: users", 2, times[2]),
        ]
        assert rows[0]["note"] == "1,234 checked, 1 mended"

    def test_few_queries(self) -> None:
        partition("ours", 0, 10, 10)
        with CaptureQueriesContext(connection) as queries:
            ask()
        assert len(queries) <= 5


class TestDataAsOf:
    @pytest.mark.usefixtures("settings_group")
    def test_nobody_has_reported(self) -> None:
        partition("a replay", 0, 1, 9)
        assert data_as_of() is None

    def test_all_caught_up(self, settings_group: str) -> None:
        partition("a replay", 0, 1, 9, age=9000)
        partition(settings_group, 0, 9, 9, age=3)
        oldest = partition(settings_group, 1, 4, 4, age=8)
        with CaptureQueriesContext(connection) as queries:
            assert data_as_of() == DataAsOf(oldest, 0)
        assert len(queries) == 1

    def test_some_behind(self, settings_group: str) -> None:
        caught_up = partition(settings_group, 0, 9, 9, age=3)
        partition(settings_group, 1, 4, 6, age=8)
        partition(settings_group, 2, 0, 5)
        assert data_as_of() == DataAsOf(caught_up, 7)

    def test_all_behind(self, settings_group: str) -> None:
        partition(settings_group, 0, 0, 9)
        assert data_as_of() == DataAsOf(None, 9)


@pytest.fixture
def own_mongod(tmp_path: Path, settings: Any) -> Iterator[Mongod]:
    """A MongoDB of this test alone, connected to."""
    url = settings.MONGODB_URL
    with Mongod(tmp_path / "mongod") as mongod:
        settings.MONGODB_URL = mongod.address
        mongo.connect()
        yield mongod
    settings.MONGODB_URL = url
    mongoengine.disconnect()
    if url:
        mongo.connect()


def check_that_only_the_outbox_is_unknown() -> None:
    started = time.monotonic()
    rows = ask()
    assert time.monotonic() - started < 2 * pipeline.OUTBOX_SECONDS
    for measure in ("outbox_backlog", "outbox_age"):
        assert (rows[measure, ""]["value"], rows[measure, ""]["note"]) == (None, "MongoDB does not answer")
    assert rows["lag", "ours: user/0"]["value"] == 1


def test_mongodb_that_hangs_is_gone_or_not_set(own_mongod: Mongod, settings: Any) -> None:
    partition("ours", 0, 1, 2)
    assert ask()["outbox_backlog", ""]["value"] == 0
    own_mongod.pause()
    check_that_only_the_outbox_is_unknown()
    own_mongod.resume()
    own_mongod.stop()
    check_that_only_the_outbox_is_unknown()
    mongoengine.disconnect()
    settings.MONGODB_URL = ""
    check_that_only_the_outbox_is_unknown()
