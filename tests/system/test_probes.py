"""What probes hear of whole processes while real servers hang: alive, but not ready, and both when they go on.

On a MariaDB of their own, or a MySQL when DATABASE_URL names one; skipped only where there is neither.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest
from django.conf import settings
from django.db import connection

from marketplace.embedded.mongod import free_port
from tests.analytics.events import event, new_id
from tests.analytics.test_consumer import in_transaction
from tests.servers.kafka import Kafka
from tests.servers.mariadb import MariaDb
from tests.servers.sql import SqlServer
from tests.system import outages
from tests.system.conftest import serving
from tests.system.faults.processes import manage
from tests.system.outages import EventConsumer, Traffic
from tests.waiting import until

STUCK_SECONDS = 4
# The consumer, with less patience than in operation: an outage need not last for minutes here.
IMPATIENT = f"""
from django.core.management import execute_from_command_line
from marketplace.observability import ends
ends.ASK_SECONDS = 1.0
import django
django.setup()
from analytics import watch
watch.STUCK_SECONDS, watch.LOOP_SECONDS = {STUCK_SECONDS}.0, 8.0
execute_from_command_line(["manage.py", "consume_events"])
"""

pytestmark = pytest.mark.skipif(
    connection.vendor != "mysql" and bool(MariaDb.missing()),
    reason="a database that can hang needs mariadbd and requirements/mysql.txt",
)


@pytest.fixture
def sql(tmp_path: Path, db: None) -> Iterator[SqlServer]:
    with outages.sql_server()(tmp_path / "sql") as server:
        yield server


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Kafka]:
    if Kafka.missing():
        pytest.skip("a broker that can hang needs Java and Maven")
    with Kafka(tmp_path / "kafka") as kafka:
        yield kafka


class Impatient(EventConsumer):
    """A consumer process whose probes can be asked."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self.port = free_port()
        super().__init__({**environment, "METRICS_PORT": str(self.port)}, folder)

    def _command(self, _point: str | None) -> list[str]:
        return [sys.executable, "-c", IMPATIENT]

    def ask(self, probe: str) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self.port}/{probe}", timeout=5)

    def is_ready(self) -> bool:
        return self.ask("ready").status_code == httpx.codes.OK

    def stays_alive(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            assert self.ask("live").json()["problems"] == []
            time.sleep(0.2)  # it is the length of the outage that matters


@contextmanager
def consuming(sql: SqlServer, broker: Kafka, folder: Path) -> Iterator[Impatient]:
    environment = {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "DATABASE_URL": sql.address,
        "KAFKA_BOOTSTRAP_SERVERS": broker.address,
    }
    manage("migrate", "--skip-checks", environment=environment)
    manage("create_topics", environment=environment)
    consumer = Impatient(environment, folder)
    consumer.start()
    try:
        until(lambda: consumer.times_logged("reading on in"), 60, "its partitions")
        yield consumer
    finally:
        sql.resume()
        broker.resume()
        code = consumer.stop()
    assert code == 0, consumer.tail()


def test_a_consumer_while_its_servers_hang(sql: SqlServer, broker: Kafka, tmp_path: Path) -> None:
    def count(table: str) -> int:
        return int(sql.execute_as_root(f"SELECT COUNT(*) FROM marketplace.{table}")[0][0])  # noqa: S608  # our own names

    with consuming(sql, broker, tmp_path) as consumer:
        traffic = Traffic(broker.address, consumer, count)
        traffic.send()
        until(consumer.is_ready)
        # What ends a transaction takes an offset, and so does what was rolled back: no partition waits for those.
        for end in ("commit_transaction", "abort_transaction"):
            in_transaction(broker.address, [event("user.created", new_id()) for _ in range(8)], end)
        consumer.stays_alive(2.5 * STUCK_SECONDS)
        assert count("users") == 28

        sql.pause()
        traffic.send()
        until(lambda: "SQL is away" in consumer.ask("ready").text)
        consumer.stays_alive(2.5 * STUCK_SECONDS)
        broker.pause()
        until(lambda: "Kafka is away" in consumer.ask("ready").text)
        sql.resume()
        consumer.stays_alive(2.5 * STUCK_SECONDS)
        broker.resume()
        until(lambda: count("users") == 48 and consumer.is_ready(), 40, "all rows")
        consumer.stays_alive(2.5 * STUCK_SECONDS)


def test_readiness_of_the_api_while_its_database_hangs(sql: SqlServer, mongodb: str, tmp_path: Path) -> None:
    manage("migrate", "--skip-checks", environment={"DATABASE_URL": sql.address})
    with serving(mongodb, settings.DATABASE_NAME, tmp_path, DATABASE_URL=sql.address) as address:

        def states() -> dict[str, str]:
            started = time.monotonic()
            answer = httpx.get(f"{address}/health/ready", timeout=10)
            assert time.monotonic() - started < 3
            assert answer.status_code == httpx.codes.OK
            return dict(answer.json()["dependencies"])

        until(lambda: states()["sql"] == "ok")
        sql.pause()
        try:
            assert states()["sql"] == "unavailable"
            threads = _threads(address)
            for _ in range(4):
                assert states()["sql"] == "unavailable"
            assert _threads(address) <= threads + 3  # one for each dependency at most
        finally:
            sql.resume()
        until(lambda: states()["sql"] == "ok")


def _threads(address: str) -> int:
    """Return how many threads the processes of this test's API have."""
    port = int(address.rpartition(":")[2])
    found = [
        process for process in psutil.Process().children(recursive=True) if str(port) in " ".join(process.cmdline())
    ]
    return sum(process.num_threads() for parent in found for process in [parent, *parent.children(recursive=True)])
