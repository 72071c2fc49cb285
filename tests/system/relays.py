"""Relay processes for the tests: several on one outbox, each with a log, some that stop at a point of their work."""

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Self

import pymongo
from confluent_kafka import Consumer, KafkaError, TopicPartition
from django.conf import settings

TOPIC = "relays"  # of these tests alone: what they put there is no event
BROKER = """
import signal
from marketplace.embedded.kafka import EmbeddedKafka
broker = EmbeddedKafka()
print(broker.start(), flush=True)
signal.pause()
"""
# The relay in a process that stops itself (SIGSTOP) when the named method of Delivery has run the first time.
STOPS_AFTER = """
import os, signal, sys
import django
django.setup()
from django.core.management import call_command
from marketplace.events.delivery import Delivery
name = sys.argv[1]
method = getattr(Delivery, name)
def stops(self, *arguments):
    result = method(self, *arguments)
    setattr(Delivery, name, method)
    print("stops now", flush=True)
    os.kill(os.getpid(), signal.SIGSTOP)
    return result
setattr(Delivery, name, stops)
call_command("relay_events")
"""


class RelayProcess:
    """A relay process with its log."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, *command],
            cwd=settings.BASE_DIR,
            env=os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONUNBUFFERED": "1"} | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        if self.process.stdout:
            with self.process.stdout as output:
                self.lines.extend(output)

    def logged(self, text: str) -> bool:
        return any(text in line for line in self.lines)

    def leads(self) -> bool:
        return self.logged("active relay now")

    def stop(self, seconds: float = 10) -> float:
        """Send SIGTERM; return how long it took to exit cleanly, at most so long."""
        asked = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(seconds) == 0, self.lines
        self._reader.join()
        return time.monotonic() - asked

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join()


class Broker:
    """librdkafka's broker as a process of its own, so that it can be stopped and killed."""

    def __init__(self) -> None:
        environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", BROKER],
            cwd=settings.BASE_DIR,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout
        self.address = self.process.stdout.readline().strip()

    def pause(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()


class Outbox:
    """An outbox of its own in a MongoDB, and the relays that work on it."""

    @classmethod
    @contextmanager
    def of(cls, mongodb: str, kafka: str) -> Iterator[Self]:
        """Give one in a new database, which is left behind."""
        with pymongo.MongoClient[dict[str, object]](mongodb) as client:
            yield cls(client, mongodb, kafka)

    def __init__(self, client: pymongo.MongoClient[dict[str, object]], mongodb: str, kafka: str) -> None:
        database = f"test_{uuid.uuid4().hex[:12]}"
        self._database = client[database]
        self._environment = {"MONGODB_URL": mongodb, "KAFKA_BOOTSTRAP_SERVERS": kafka, "DATABASE_NAME": database}
        self._put = 0

    @contextmanager
    def relay(self, stops_after: str | None = None) -> Iterator[RelayProcess]:
        """Run a relay for the length of the block."""
        command = ["-c", STOPS_AFTER, stops_after] if stops_after else ["manage.py", "relay_events"]
        relay = RelayProcess(command, self._environment)
        try:
            yield relay
        finally:
            relay.kill()

    def put(self, key: str, number: int = 1) -> None:
        """Put the next events of an entity into the outbox; their values count from 1."""
        events = []
        for _ in range(number):
            self._put += 1
            events.append(
                {
                    "_id": str(uuid.uuid4()),
                    "topic": TOPIC,
                    "key": key,
                    "event_type": "user.updated",
                    "version": self._put,
                    "timestamp": datetime(2026, 1, 1, tzinfo=UTC) + timedelta(milliseconds=self._put),
                    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                    "payload": str(self._put).encode(),
                }
            )
        self._database.outbox.insert_many(events)

    def is_leased(self) -> bool:
        return self._database.leases.find_one() is not None

    def waiting(self) -> int:
        return self._database.outbox.count_documents({})


def read(kafka: str, key: str, isolation: str = "read_uncommitted") -> list[int]:
    """Return the values of an entity's messages in the order of the topic."""
    consumer = Consumer(
        {
            "bootstrap.servers": kafka,
            "group.id": uuid.uuid4().hex,
            "auto.offset.reset": "earliest",
            "enable.partition.eof": True,
            "isolation.level": isolation,
        }
    )
    partitions = consumer.list_topics(TOPIC, timeout=10).topics[TOPIC].partitions
    consumer.assign([TopicPartition(TOPIC, number, 0) for number in partitions])
    values, ends = [], 0
    while ends < len(partitions):
        message = consumer.poll(20)
        assert message is not None
        error = message.error()
        if error is None:
            if message.key() == key.encode():
                values.append(int(message.value() or b""))
        else:
            assert error.code() == KafkaError._PARTITION_EOF
            ends += 1
    consumer.close()
    return values
