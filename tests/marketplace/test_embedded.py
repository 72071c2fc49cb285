"""The embedded servers behave as real ones: they are started, used, stopped, and die with their parent."""

import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import psutil
import pymongo
import pytest
from confluent_kafka import Consumer, Producer

from marketplace.embedded import EmbeddedUnavailableError, mongod
from marketplace.embedded.kafka import EmbeddedKafka
from marketplace.embedded.mongod import EmbeddedMongo

KILLED_WHILE_RUNNING = """
import os, pathlib, signal, sys
from marketplace.embedded.mongod import EmbeddedMongo
mongod = EmbeddedMongo(pathlib.Path(sys.argv[1]))
mongod.start()
print(mongod.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def is_alive(pid: int) -> bool:
    """An orphan that nobody has reaped yet is dead, too."""
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def write(url: str, number: int) -> int:
    """Insert in a transaction and return how many documents there are."""
    with pymongo.MongoClient(url, uuidRepresentation="standard") as client:
        with client.start_session() as session, session.start_transaction():
            client.shop.things.insert_one({"number": number}, session=session)
        return client.shop.things.count_documents({})


def test_mongod_keeps_its_data_and_moves_to_another_port(tmp_path: Path) -> None:
    urls = []
    for number in (1, 2):
        server = EmbeddedMongo(tmp_path / "data")
        urls.append(server.start())
        assert write(urls[-1], number) == number
        server.stop()
    assert urls[0] != urls[1]


def test_a_killed_parent_leaves_no_mongod_and_its_data_can_be_used_again(tmp_path: Path) -> None:
    parent = subprocess.run(
        [sys.executable, "-c", KILLED_WHILE_RUNNING, str(tmp_path / "data")], capture_output=True, text=True, timeout=60
    )
    assert parent.returncode == -signal.SIGKILL, parent.stderr
    server = EmbeddedMongo(tmp_path / "data")
    assert write(server.start(), 1) == 1
    assert server.pid != int(parent.stdout)
    assert not is_alive(int(parent.stdout))
    server.stop()


def test_a_folder_in_use_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mongod, "STOP_SECONDS", 0.2)
    server = EmbeddedMongo(tmp_path)
    server.start()
    with pytest.raises(EmbeddedUnavailableError, match=f"in use by another mongod .process {server.pid}"):
        EmbeddedMongo(tmp_path).start()
    monkeypatch.undo()
    server.stop()


def test_a_mongod_that_ends_at_once_says_where_its_log_is(tmp_path: Path) -> None:
    (tmp_path / "WiredTiger").write_text("not a database")
    (tmp_path / "WiredTiger.wt").write_text("not a database")
    (tmp_path / "storage.bson").write_text("not a database")
    with pytest.raises(EmbeddedUnavailableError, match=r"mongod\.log"):
        EmbeddedMongo(tmp_path).start()


def test_a_platform_without_a_wheel_gets_advice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mongod, "PACKAGE", "no_such_package")
    with pytest.raises(EmbeddedUnavailableError, match="Set MONGODB_URL .* docker compose"):
        EmbeddedMongo(tmp_path).start()


def test_the_executable_bit_is_restored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    binary = tmp_path / "wheel_without_bit" / "db" / "bin" / "mongod"
    binary.parent.mkdir(parents=True)
    binary.write_text("#!/bin/sh\nexit 3\n")
    binary.chmod(0o644)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(mongod, "PACKAGE", "wheel_without_bit")
    with pytest.raises(EmbeddedUnavailableError, match="ended with code 3"):
        EmbeddedMongo(tmp_path / "data").start()
    assert os.access(binary, os.X_OK)


def test_kafka_serves_other_clients_with_groups() -> None:
    server = EmbeddedKafka()
    address = server.start()
    producer = Producer({"bootstrap.servers": address})
    producer.produce("user", b"hello", key="k")
    assert producer.flush(10) == 0
    assert len(producer.list_topics("user", timeout=5).topics["user"].partitions) == 4
    group = {"group.id": uuid.uuid4().hex, "auto.offset.reset": "earliest"}
    consumer = Consumer({"bootstrap.servers": address} | group)
    consumer.subscribe(["user"])
    message = consumer.poll(15)
    assert message is not None
    assert (message.error(), message.value()) == (None, b"hello")
    consumer.close()
    server.stop()
