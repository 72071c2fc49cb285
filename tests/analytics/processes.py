"""Consumers as processes of their own, on a database of the test alone in which they count what they store."""

import os
import signal
import subprocess
import sys
import uuid
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil
from confluent_kafka import Consumer, TopicPartition
from django.conf import settings
from django.db.utils import ConnectionHandler

from marketplace.environment import Environment
from marketplace.events.catalogue import TOPICS
from tests.system.faults.counting import COUNTED

LAUNCHER = "tests.analytics.launched_consumer"
# What each batch has really stored of a partition; the same text for SQLite and MySQL.
Ends = dict[tuple[str, int], int]  # topic and number of a partition, and its next offset
BATCHES = f"CREATE TABLE {COUNTED} (topic VARCHAR(50), number INTEGER, start BIGINT, next BIGINT, messages INTEGER)"


class Tables:
    """A database with the analytics tables: a SQLite file, or a database of its own on the server that is given.

    Consumers count there the messages that they store, in the transactions that store them.
    """

    def __init__(self, folder: Path, server: str = "") -> None:
        self.url = f"sqlite:///{folder / 'analytics.sqlite3'}"
        if server:
            name = f"test_{uuid.uuid4().hex[:12]}"
            self._server = _connection(server)
            self._server.cursor().execute(f"CREATE DATABASE {name}")
            self.url = server.rsplit("/", 1)[0] + f"/{name}"
        self.connection = _connection(self.url)
        self.environment = os.environ | {
            "DATABASE_URL": self.url,
            "KAFKA_BOOTSTRAP_SERVERS": settings.KAFKA_BOOTSTRAP_SERVERS,
            "DATA_DIR": str(folder),
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "PYTHONUNBUFFERED": "1",
        }
        manage = [sys.executable, "manage.py", "migrate", "--skip-checks", "--verbosity=0"]
        subprocess.run(manage, env=self.environment, cwd=settings.BASE_DIR, check=True)
        self.rows(BATCHES)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Run a statement, and return its rows, if it has any."""
        with self.connection.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall()) if cursor.description else []

    def versions(self, table: str) -> dict[str, int]:
        """Return the version of each row by its key."""
        return dict(self.rows(f"SELECT {table[:-1]}_id, version FROM {table}"))  # noqa: S608

    def check_batches(self, begin: Ends | None = None) -> int:
        """Assert that the batches of each partition hold every message once. Return how many batches there were.

        Before `begin` are the messages of other tests, and records that end transactions: those are no messages.
        """
        partitions: dict[tuple[str, int], list[tuple[int, int, int]]] = {}
        for topic, number, *batch in self.rows(f"SELECT * FROM {COUNTED}"):  # noqa: S608
            partitions.setdefault((topic, number), []).append(tuple(batch))
        offsets = self.rows("SELECT topic, `partition`, next_offset FROM consumer_offsets")
        stored = {(topic, number): offset for topic, number, offset in offsets}
        for partition, batches in partitions.items():
            batches.sort()
            about = partition, batches
            assert all(before[1] == after[0] for before, after in pairwise(batches)), about
            own = [batch for batch in batches if batch[0] >= (begin or {}).get(partition, 0)]
            assert all(messages == following - first for first, following, messages in own), about
            assert batches[-1][1] == stored[partition], about
        return sum(map(len, partitions.values()))

    def close(self) -> None:
        if self.connection.vendor == "mysql":
            self._server.cursor().execute(f"DROP DATABASE {self.connection.settings_dict['NAME']}")
            self._server.close()
        self.connection.close()


def _connection(url: str) -> Any:
    return ConnectionHandler({"default": Environment.db_url_config(url)})["default"]


def ends(broker: str) -> Ends:
    """Return where the partitions of the topics end now."""
    consumer = Consumer({"bootstrap.servers": broker, "group.id": "ends"})
    found = {
        (topic, number): consumer.get_watermark_offsets(TopicPartition(topic, number), 10, cached=False)[1]
        for topic in TOPICS
        for number in consumer.list_topics(topic, timeout=10).topics[topic].partitions
    }
    consumer.close()
    return found


class ConsumerProcess:
    """A consumer with its log."""

    def __init__(self, tables: Tables, group: str, log: Path, stopping: str = "", *options: str) -> None:
        self._log = log
        with log.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", LAUNCHER, stopping, "consume_events", "--group", group, *options],
                env=tables.environment,
                cwd=settings.BASE_DIR,
                stdout=output,
                stderr=output,
            )

    @property
    def log(self) -> str:
        return self._log.read_text()

    def is_stopped(self) -> bool:
        return psutil.Process(self.process.pid).status() == psutil.STATUS_STOPPED

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def terminate(self, seconds: float = 10) -> None:
        """Ask it to stop, and assert that it does so in time, with success if it had begun to work."""
        self.process.terminate()
        assert self.process.wait(seconds) == (0 if self.log else -signal.SIGTERM), self.log

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
