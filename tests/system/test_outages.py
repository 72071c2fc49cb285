"""The relay as a process of its own, while MongoDB goes away and comes back."""

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pymongo
import pytest
from bson import ObjectId
from django.conf import settings

from marketplace.embedded.kafka import EmbeddedKafka
from marketplace.embedded.mongod import EmbeddedMongo, free_port
from tests.waiting import until


@pytest.fixture
def mongod(tmp_path: Path) -> Iterator[EmbeddedMongo]:
    mongod = EmbeddedMongo(tmp_path / "mongod", free_port())
    mongod.start()
    yield mongod
    mongod.stop()


@pytest.fixture
def relay(mongod: EmbeddedMongo) -> Iterator["Relay"]:
    broker = EmbeddedKafka()
    relay = Relay(mongod, broker.start())
    yield relay
    relay.end()
    broker.stop()


@pytest.fixture
def lonely_relay(mongod: EmbeddedMongo) -> Iterator["Relay"]:
    """A relay whose broker does not exist."""
    relay = Relay(mongod, f"127.0.0.1:{free_port()}")
    yield relay
    relay.end()


class Relay:
    """A relay process with its log, and the outbox that it empties."""

    def __init__(self, mongod: EmbeddedMongo, broker: str) -> None:
        self.url = f"mongodb://127.0.0.1:{mongod.port}/?replicaSet=rs0"
        self.lines: list[str] = []
        environment = {"DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONUNBUFFERED": "1", "DATABASE_NAME": "shop"}
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "relay_events"],
            cwd=settings.BASE_DIR,
            env=os.environ | environment | {"MONGODB_URL": self.url, "KAFKA_BOOTSTRAP_SERVERS": broker},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self) -> None:
        with self.process.stdout as output:
            self.lines.extend(output)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self.reader.join()

    def logged(self, text: str) -> bool:
        return any(text in line for line in list(self.lines))

    def put(self, number: int) -> None:
        with pymongo.MongoClient(self.url) as client:
            client.shop.outbox.insert_many(
                {
                    "_id": str(uuid.uuid4()),
                    "topic": "user",
                    "key": str(ObjectId()),
                    "event_type": "user.created",
                    "version": 1,
                    "timestamp": datetime.now(UTC),
                    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                    "payload": b"{}",
                }
                for _ in range(number)
            )

    def is_empty(self) -> bool:
        with pymongo.MongoClient(self.url) as client:
            return client.shop.outbox.find_one() is None


def test_the_relay_goes_on_when_mongodb_is_back(mongod: EmbeddedMongo, relay: Relay) -> None:
    relay.put(50)
    until(relay.is_empty)
    mongod.stop()
    until(lambda: relay.logged("MongoDB fails"))
    mongod.start()
    relay.put(50)
    until(relay.is_empty)
    relay.process.send_signal(signal.SIGTERM)
    assert relay.process.wait(10) == 0
    relay.reader.join()
    assert relay.logged("Published 100 events, 0 attempts failed.")


def test_a_broker_that_is_away_fills_no_log(lonely_relay: Relay) -> None:
    relay = lonely_relay
    relay.put(10)
    until(lambda: relay.logged("Connection refused"))
    time.sleep(5)  # librdkafka makes several attempts a second
    assert not relay.is_empty()
    relay.process.send_signal(signal.SIGTERM)
    assert relay.process.wait(10) == 0
    relay.reader.join()
    assert relay.logged("Published 0 events")
    assert len(relay.lines) < 6


def test_the_relay_stops_cleanly_while_mongodb_is_away(mongod: EmbeddedMongo, relay: Relay) -> None:
    until(lambda: relay.logged("active relay now"))
    mongod.stop()
    until(lambda: relay.logged("MongoDB fails"))
    relay.process.send_signal(signal.SIGTERM)
    assert relay.process.wait(15) == 0
    relay.reader.join()
    assert relay.logged("Published 0 events")
    assert not relay.logged("Traceback")
