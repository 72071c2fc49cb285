"""A consumer process that is asked to stop while a server, or both, do not answer; and one whose database is slow."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer
from django.conf import settings

from analytics import consumer as consumers
from analytics.models import ConsumerOffset, User
from analytics.offsets import Partition
from analytics.reader import Reader
from marketplace import kafka as clients
from tests.analytics.conftest import Produce, produce_to
from tests.analytics.events import event, new_id
from tests.analytics.processes import ConsumerProcess, Tables
from tests.waiting import until


class Broker:
    """A broker of this test alone, in a process that it may stop."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.analytics.broker"],
            cwd=settings.BASE_DIR,
            env=os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"},
            stdout=subprocess.PIPE,
            text=True,
        )
        self.address = self.process.stdout.readline().strip()

    def pause(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture
def broker() -> Iterator[Broker]:
    broker = Broker()
    yield broker
    broker.close()


@pytest.fixture
def running(broker: Broker, tables: Tables, group: str, tmp_path: Path) -> Iterator[ConsumerProcess]:
    """A consumer that has stored something from the broker of this test."""
    tables.environment["KAFKA_BOOTSTRAP_SERVERS"] = broker.address
    consumer = ConsumerProcess(tables, group, tmp_path / "consumer.log")
    produce_to(broker.address)([event("user.created", new_id())])
    until(lambda: bool(tables.versions("users")))
    yield consumer
    consumer.kill()


@contextmanager
def hanging(tables: Tables) -> Iterator[None]:
    """Have every batch wait for a lock that somebody else holds."""
    connection = tables.connection
    connection.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    try:
        tables.rows("UPDATE consumer_offsets SET next_offset = next_offset + 0")
        yield
    finally:  # else the lock would keep even the database from being dropped
        connection.rollback()
        connection.set_autocommit(True)


def test_it_stops_while_the_database_hangs_and_the_batch_is_rolled_back(
    broker: Broker, running: ConsumerProcess, tables: Tables, group: str, tmp_path: Path
) -> None:
    user_id = new_id()
    with hanging(tables):
        produce_to(broker.address)([event("user.created", user_id)])
        until(lambda: "has not answered" in running.log)
        running.terminate(10)
    assert "stopped while waiting for a server" in running.log
    assert user_id not in tables.versions("users")
    assert "consume_events: 1 events read" in running.log
    heir = ConsumerProcess(tables, group, tmp_path / "heir.log", "", "--once")
    assert heir.process.wait(60) == 0
    assert tables.versions("users")[user_id] == 1
    tables.check_batches()


def test_it_stops_while_kafka_does_not_answer(broker: Broker, running: ConsumerProcess) -> None:
    broker.pause()
    running.terminate(10)
    assert "consume_events: 1 events read" in running.log


def test_it_stops_while_neither_answers(broker: Broker, running: ConsumerProcess, tables: Tables) -> None:
    with hanging(tables):
        produce_to(broker.address)([event("user.created", new_id())])
        until(lambda: "has not answered" in running.log)
        broker.pause()
        running.terminate(10)
    assert len(tables.versions("users")) == 1


def test_it_stops_while_there_has_never_been_a_kafka(tables: Tables, group: str, tmp_path: Path) -> None:
    tables.environment["KAFKA_BOOTSTRAP_SERVERS"] = "127.0.0.1:1"
    consumer = ConsumerProcess(tables, group, tmp_path / "consumer.log")
    until(lambda: "Connection refused" in consumer.log)
    consumer.terminate(10)


@pytest.mark.django_db(transaction=True)
def test_a_statement_longer_than_the_poll_interval_costs_no_partition(
    own_kafka: Produce, group: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    limits = {"session.timeout.ms": 6000, "max.poll.interval.ms": 6000}
    monkeypatch.setattr(clients, "Consumer", lambda settings: Consumer(settings | limits))
    slept = []

    def slow(*arguments: Any, **options: Any) -> Any:
        if not slept:
            slept.append(threading.Event().wait(9))
        return store(*arguments, **options)

    store = consumers.store
    monkeypatch.setattr(consumers, "store", slow)
    own_kafka(event("user.created", new_id()) for _ in range(20))
    with caplog.at_level("INFO"):
        counts = consumers.EventConsumer(group, batch_size=5).run(once=True)
    assert slept
    assert User.objects.count() == 20
    assert (counts.fenced, counts.outages) == (0, 0)
    assert caplog.text.count("more partitions assigned") == 1
    assert caplog.text.count("partitions revoked") == 1  # at its end


@pytest.mark.django_db(transaction=True)
def test_a_stop_while_kafka_is_asked_asks_neither_server_again(
    own_kafka: Produce, group: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each question may take seconds, and there are two for each of 20 partitions: together they would exceed 10 s."""
    stop, asked = threading.Event(), []

    def watermarks(reader: Reader, partition: Partition) -> tuple[int, int]:
        asked.append(partition)
        stop.set()
        return original(reader, partition)

    original = Reader.watermarks
    monkeypatch.setattr(Reader, "watermarks", watermarks)
    own_kafka([event("user.created", new_id())])
    consumers.EventConsumer(group, stop=stop).run()
    assert len(asked) == 1
    assert not ConsumerOffset.objects.filter(group_id=group).exists()
