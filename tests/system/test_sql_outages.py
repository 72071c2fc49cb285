"""The consumer while its SQL database goes away in every way it can: it waits, stays in its group, and loses nothing.

On a MariaDB of their own, or a MySQL when DATABASE_URL names one; skipped only where there is neither.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from pytest_django import DjangoDbBlocker

from tests.servers.mariadb import MariaDb
from tests.servers.sql import SqlServer
from tests.system import outages
from tests.system.faults.processes import manage
from tests.system.outages import EventConsumer, Traffic
from tests.waiting import until

LOCK_WAIT_SECONDS = 3
PAUSE_SECONDS = 20  # twice as long as the group's session
# So many failures in a row, and the consumer's waits are as long as they get.
FAILURES = 5
GROUP = settings.KAFKA_GROUP_ID
LOCK_OFFSETS = "SELECT * FROM consumer_offsets FOR UPDATE"

pytestmark = pytest.mark.skipif(
    connection.vendor != "mysql" and bool(MariaDb.missing()),
    reason="a database that can go away needs mariadbd and requirements/mysql.txt",
)


@pytest.fixture(scope="module")
def sql(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker) -> Iterator[SqlServer]:
    with django_db_blocker.unblock():
        kind = outages.sql_server()
    folder = tmp_path_factory.mktemp("sql") / "server"
    with kind(folder, f"--innodb-lock-wait-timeout={LOCK_WAIT_SECONDS}") as server:
        yield server


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with outages.broker(tmp_path_factory.mktemp("kafka") / "server") as address:
        yield address


@pytest.fixture(scope="module")
def consumer(sql: SqlServer, broker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EventConsumer]:
    """One process that has to live through all of it."""
    environment = {"DATABASE_URL": sql.address, "KAFKA_BOOTSTRAP_SERVERS": broker, "KAFKA_GROUP_ID": GROUP}
    manage("migrate", "--skip-checks", environment=environment)
    manage("create_topics", environment=environment)
    consumer = EventConsumer(environment, tmp_path_factory.mktemp("consumer"))
    consumer.start()
    until(lambda: consumer.times_logged("reading on in"), 60, "its partitions")
    before = outages.members(broker, GROUP)
    yield consumer
    assert outages.members(broker, GROUP) == before
    assert consumer.stop() == 0, consumer.tail()


@pytest.fixture(scope="module")
def all_traffic(sql: SqlServer, broker: str, consumer: EventConsumer) -> Traffic:
    def count(table: str) -> int:
        return int(sql.execute_as_root(f"SELECT COUNT(*) FROM marketplace.{table}")[0][0])  # noqa: S608  # our own names

    return Traffic(broker, consumer, count)


@pytest.fixture
def traffic(all_traffic: Traffic) -> Traffic:
    """Traffic that flows at the start of the test."""
    all_traffic.send()
    all_traffic.check_arrival()
    return all_traffic


@contextmanager
def administrator(sql: SqlServer) -> Iterator[Any]:
    """Give the cursor of a transaction of somebody else, which is rolled back at the end."""
    with closing(sql.connect("administrator", database="marketplace")) as connected:
        yield connected.cursor()
        connected.rollback()


def wait_for_a_waiting_lock(sql: SqlServer) -> int:
    """Wait until somebody waits for a lock, and return that connection's id."""
    query = "SELECT trx_mysql_thread_id FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'"
    found: list[tuple[Any, ...]] = []

    def look() -> bool:
        found[:] = sql.execute_as_root(query)
        return bool(found)

    # The table is made anew only when nobody has read it for 0.1 seconds.
    until(look, LOCK_WAIT_SECONDS, "the consumer to wait for a lock", every=0.2)
    return int(found[0][0])


Act = Callable[[SqlServer], None]
OUTAGES: dict[str, tuple[Act, Act]] = {
    "stopped": (SqlServer.stop, SqlServer.start),
    "killed": (SqlServer.kill, SqlServer.start),
    "read-only": (lambda sql: sql.set_read_only(True), lambda sql: sql.set_read_only(False)),
}


@pytest.mark.parametrize("outage", OUTAGES)
def test_a_server_that_is_away(outage: str, sql: SqlServer, traffic: Traffic) -> None:
    begin, end = OUTAGES[outage]
    begin(sql)
    traffic.send()
    traffic.consumer.wait_for("server away", FAILURES)
    end(sql)
    traffic.check_arrival()


def test_a_server_that_hangs(sql: SqlServer, traffic: Traffic) -> None:
    sql.pause()
    until_resumed = time.monotonic() + PAUSE_SECONDS
    try:
        while time.monotonic() < until_resumed:
            traffic.send(1)
            time.sleep(1)  # it is the length of the outage that matters
    finally:
        sql.resume()
    traffic.check_arrival()


def test_a_lock_that_is_held_for_too_long(sql: SqlServer, traffic: Traffic) -> None:
    with administrator(sql) as other:
        other.execute(LOCK_OFFSETS)
        traffic.send()
        traffic.consumer.wait_for("(1205,")
    traffic.check_arrival()


def test_a_deadlock(sql: SqlServer, traffic: Traffic) -> None:
    known = traffic.sent[-1]
    with administrator(sql) as other:
        # Having written more, it is not the one that the server ends.
        other.execute("UPDATE users SET bio = 'x'")
        traffic.repeat(known)
        wait_for_a_waiting_lock(sql)  # it has its offsets, and wants the row
        other.execute(LOCK_OFFSETS)
    until(lambda: traffic.consumer.times_logged("(1213,") == 1, 10, "the consumer to say so")
    traffic.send()
    traffic.check_arrival()


def test_a_connection_that_is_killed_in_a_statement(sql: SqlServer, traffic: Traffic) -> None:
    with administrator(sql) as other:
        other.execute(LOCK_OFFSETS)
        traffic.send()
        sql.execute_as_root(f"KILL CONNECTION {wait_for_a_waiting_lock(sql)}")
        traffic.consumer.wait_for("server away")
    assert traffic.consumer.times_logged("(2013,") + traffic.consumer.times_logged("(2006,") > 0
    traffic.check_arrival()


def test_a_connection_that_is_killed_while_idle(sql: SqlServer, traffic: Traffic) -> None:
    query = "SELECT id FROM information_schema.processlist WHERE user = 'marketplace'"
    connections = [row[0] for row in sql.execute_as_root(query)]
    assert connections
    for connection_id in connections:
        sql.execute_as_root(f"KILL CONNECTION {connection_id}")
    traffic.send()
    traffic.check_arrival()
