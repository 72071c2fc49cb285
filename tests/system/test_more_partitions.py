"""A topic of a running Apache Kafka gets more partitions: relay and consumer find them, and no event is lost.

Skipped where there is no Apache Kafka: the embedded broker cannot change a topic.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from bson import ObjectId
from confluent_kafka.admin import AdminClient, NewPartitions
from django.conf import settings

from marketplace import mongo
from marketplace.events.outbox import OUTBOX
from tests.analytics.events import event, raw
from tests.servers.kafka import Kafka
from tests.system.faults.processes import manage
from tests.system.outages import EventConsumer
from tests.waiting import until

pytestmark = pytest.mark.skipif(bool(Kafka.missing()), reason="Apache Kafka needs Java and Maven")

USERS = 60
PARTITIONS = 9


class Relay(EventConsumer):
    """`relay_events` as a process of its own."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        super().__init__(environment, folder)
        self.log = folder / "relay.log"
        self._arguments = ["relay_events"]


@pytest.fixture
def environment(mongodb: str, tmp_path: Path) -> Iterator[dict[str, str]]:
    """What relay and consumer run with, while they run."""
    with Kafka(tmp_path / "kafka") as kafka:
        found = {
            "MONGODB_URL": mongodb,
            "DATABASE_NAME": settings.DATABASE_NAME,
            "KAFKA_BOOTSTRAP_SERVERS": kafka.address,
            "DATABASE_URL": f"sqlite:///{tmp_path}/analytics.sqlite3",
        }
        manage("migrate", "--skip-checks", environment=found)
        manage("create_topics", "--partitions=4", environment=found)
        processes = [kind(found, tmp_path) for kind in (Relay, EventConsumer)]
        for process in processes:
            process.start()
        yield found
        assert [process.stop() for process in processes] == [0, 0]


def put(users: list[str], version: int) -> None:
    """Put an event of each user into the outbox."""
    events = [event("user.updated", user, version) for user in users]
    moment = mongo.now()
    mongo.database()[OUTBOX].insert_many(
        {
            "_id": one["event_id"],
            "topic": "user",
            "key": one["entity_id"],
            "event_type": one["event_type"],
            "version": version,
            "timestamp": moment,
            "traceparent": "",
            "payload": raw(one),
        }
        for one in events
    )


def test_a_topic_gets_more_partitions(environment: dict[str, str], tmp_path: Path) -> None:
    users = [str(ObjectId()) for _ in range(USERS)]

    def rows(sql: str) -> list[tuple[int, ...]]:
        with closing(sqlite3.connect(tmp_path / "analytics.sqlite3")) as database:
            return database.execute(sql).fetchall()

    def stored(version: int) -> bool:
        return rows(f"SELECT COUNT(*) FROM users WHERE version = {version}") == [(USERS,)]  # noqa: S608  # our number

    used = "SELECT COUNT(*) FROM consumer_offsets WHERE topic = 'user' AND next_offset > 0"
    put(users, 1)
    until(lambda: stored(1), 30, "the first versions")
    before = rows(used)[0][0]
    client = AdminClient({"bootstrap.servers": environment["KAFKA_BOOTSTRAP_SERVERS"]})
    client.create_partitions([NewPartitions("user", PARTITIONS)])["user"].result()
    version = 1
    while rows(used)[0][0] <= before:  # the relay looks for partitions every 10 s
        version += 1
        put(users, version)
        until(partial(stored, version), 30, f"version {version}")
    assert rows("SELECT COUNT(*) FROM dead_letters") == [(0,)]
    assert rows(used)[0][0] > 4
