"""The consumer while somebody else holds its SQLite file: what a server's locks are on a machine without a server."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from marketplace.embedded.kafka import EmbeddedKafka
from tests.system.faults.processes import manage
from tests.system.outages import EventConsumer, Traffic
from tests.waiting import until

LOCK_SECONDS = 3  # longer than the consumer leaves its partitions running beside a statement


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "analytics.sqlite3"


@pytest.fixture
def traffic(file: Path, tmp_path: Path) -> Iterator[Traffic]:
    def count(table: str) -> int:
        with closing(sqlite3.connect(file, timeout=10)) as database:
            return int(database.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0])  # noqa: S608  # our own names

    broker = EmbeddedKafka()
    environment = {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "DATABASE_URL": f"sqlite:///{file}",
        "KAFKA_BOOTSTRAP_SERVERS": broker.start(),
    }
    manage("migrate", "--skip-checks", environment=environment)
    consumer = EventConsumer(environment, tmp_path)
    consumer.start()
    until(lambda: consumer.times_logged("reading on in"), 60, "its partitions")
    yield Traffic(environment["KAFKA_BOOTSTRAP_SERVERS"], consumer, count)
    assert consumer.stop() == 0, consumer.tail()
    broker.stop()


def test_a_file_that_is_locked(file: Path, traffic: Traffic) -> None:
    traffic.send()
    traffic.check_arrival()
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        traffic.send()
        time.sleep(LOCK_SECONDS)  # it is the length of the outage that matters
        assert other.execute("SELECT COUNT(*) FROM users").fetchone()[0] < len(traffic.sent)
        other.execute("ROLLBACK")
    traffic.check_arrival()
