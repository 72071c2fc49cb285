"""The doctor on the SQL database: migrations, writes, sessions. Connections of its threads take other options here."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, connections
from django.db.migrations.recorder import MigrationRecorder

from marketplace.doctor.registry import State
from tests.marketplace.doctor.examining import examine, faults, the

pytestmark = pytest.mark.django_db(transaction=True)
IS_MYSQL = connection.vendor == "mysql"


def test_all_is_well() -> None:
    findings = examine("sql")
    assert faults(findings) == []
    assert the(findings, "migrations").state == State.OK
    assert the(findings, "write").state == State.OK
    assert ("doctor", "rolled back") not in MigrationRecorder(connection).applied_migrations()


@pytest.fixture
def recorder() -> Iterator[MigrationRecorder]:
    """Of migrations; those that were recorded before are there afterwards, and no others."""
    recorder = MigrationRecorder(connection)
    before = list(recorder.applied_migrations())
    yield recorder
    recorder.migration_qs.all().delete()
    for app, name in before:
        recorder.record_applied(app, name)


def test_a_migration_that_is_not_applied(recorder: MigrationRecorder) -> None:
    recorder.record_unapplied("analytics", "0009_customer_day_indexes")
    found = the(examine("sql"), "migrations")
    assert (found.state, found.remedy) == (State.FAULT, "manage.py migrate")
    assert "analytics.0009_customer_day_indexes" in found.found


def test_a_database_of_a_later_version(recorder: MigrationRecorder) -> None:
    recorder.record_applied("analytics", "9999_of_tomorrow")
    found = the(examine("sql"), "migrations")
    assert (found.state, found.found.endswith("analytics.9999_of_tomorrow")) == (State.WARNING, True)


@pytest.fixture
def options(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that sets an option of new connections."""

    def change(name: str, value: str) -> None:
        monkeypatch.setitem(connections.settings["default"]["OPTIONS"], name, value)

    return change


@pytest.mark.skipif(IS_MYSQL, reason="SQLite's way of refusing writes")
def test_a_database_that_takes_no_writes(options: Any) -> None:
    options("init_command", "PRAGMA query_only=1")
    found = the(examine("sql"), "write")
    assert (found.state, "readonly" in found.found) == (State.FAULT, True)
    assert "the primary" in found.remedy


@pytest.mark.skipif(IS_MYSQL, reason="of SQLite")
def test_a_file_that_cannot_be_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connections.settings["default"], "NAME", "/nowhere/analytics.sqlite3")
    server, *others = examine("sql")
    assert (server.state, server.found) == (State.FAULT, "does not answer: unable to open database file")
    assert "DATABASE_URL" in server.remedy
    assert {one.found for one in others} == {"the SQL database cannot be asked"}


@pytest.mark.skipif(not IS_MYSQL, reason="SQLite has no such settings")
@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("isolation_level", "repeatable read", "REPEATABLE-READ"),
        ("init_command", "SET time_zone='+02:00', sql_mode='STRICT_ALL_TABLES'", "7200 s away from UTC"),
        ("init_command", "SET time_zone='+00:00', sql_mode=''", "not strict"),
        ("charset", "latin1", "latin1"),
    ],
)
def test_a_session_that_is_set_otherwise(options: Any, name: str, value: str, found: str) -> None:
    options(name, value)
    session = the(examine("sql"), "session")
    assert (session.state, found in session.found) == (State.FAULT, True)
    assert "DATABASE_URL" in session.remedy


@pytest.mark.skipif(not IS_MYSQL, reason="SQLite has no accounts")
def test_a_wrong_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connections.settings["default"], "PASSWORD", "wrong-password")
    findings = examine("sql")
    assert len(faults(findings)) == 1
    assert "DATABASE_URL" in findings[0].remedy
    assert "wrong-password" not in str(findings)
