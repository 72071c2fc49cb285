"""Backups made under writes, as the operations guide says, are restored to a moment before Kafka's: all agree again."""

import os
import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import orjson
import pytest
from confluent_kafka import Consumer, TopicPartition
from django.core.management import call_command
from django.db import connection

from analytics.consumer import EventConsumer
from analytics.decoding import DECODERS
from analytics.models import ConsumerOffset, Order
from analytics.source import source_of
from catalog import services as catalog
from catalog.documents import Product as ProductDocument
from catalog.documents import Supplier as SupplierDocument
from marketplace import mongo
from marketplace.callers import SYSTEM
from marketplace.embedded.mongod import EmbeddedMongo
from marketplace.events.outbox import OUTBOX
from marketplace.events.relay import Relay
from marketplace.representation import shape, to_json
from orders.documents import Order as OrderDocument
from tests.analytics import shop
from tests.analytics.conftest import own_kafka as own_kafka
from tests.analytics.processes import ends
from tests.analytics.shell import run
from tests.system.writer import Writer
from tests.waiting import until
from users import services as users
from users.documents import User as UserDocument

pytestmark = pytest.mark.django_db(transaction=True)

Copies = dict[tuple[str, str], dict[str, Any]]


@pytest.fixture
def first_mongod(tmp_path: Path, settings: Any) -> Iterator[EmbeddedMongo]:
    """A server of the test's own, which the application is connected to."""
    mongod = EmbeddedMongo(tmp_path / "first")
    connect(mongod, settings)
    call_command("create_indexes", verbosity=0)
    yield mongod
    mongod.stop()


@pytest.fixture
def second_mongod(tmp_path: Path, mongodb_server: str, settings: Any) -> Iterator[EmbeddedMongo]:
    """Another one, not started yet. In the end the application is connected to that of all tests again."""
    mongod = EmbeddedMongo(tmp_path / "second")
    yield mongod
    mongod.stop()
    settings.MONGODB_URL = mongodb_server
    mongo.connect()


def connect(mongod: EmbeddedMongo, settings: Any) -> None:
    settings.MONGODB_URL = mongod.start()
    mongo.connect()


def copy_under_lock(mongod: EmbeddedMongo, folder: Path) -> None:
    """Copy the data while nobody can write. https://www.mongodb.com/docs/manual/core/backups/"""
    admin = mongo.client().admin
    admin.command("fsync", lock=True)
    try:
        shutil.copytree(mongod.data_dir, folder)
    finally:
        admin.command("fsyncUnlock")


class Dump(Protocol):
    """A backup of the SQL database, which can be put back."""

    def restore(self) -> None:
        """Make the database what it was."""


class SqliteDump:
    """What `.backup` of SQLite's shell does."""

    def __init__(self, folder: Path) -> None:
        self._copy = sqlite3.connect(folder / "backup.sqlite3")
        connection.ensure_connection()
        connection.connection.backup(self._copy)

    def restore(self) -> None:
        connection.ensure_connection()
        self._copy.backup(connection.connection)
        self._copy.close()


class MysqlDump:
    """What mysqldump writes."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "backup.sql"
        with self._file.open("wb") as output:
            self._client("mysqldump", "--single-transaction", "--no-tablespaces", stdout=output)

    def restore(self) -> None:
        with self._file.open("rb") as dump:
            self._client("mysql", stdin=dump)

    def _client(self, program: str, *options: str, **streams: Any) -> None:
        to = connection.settings_dict
        place = [f"--host={to['HOST']}", f"--port={to['PORT']}", f"--user={to['USER']}"]
        environment = os.environ | {"MYSQL_PWD": to["PASSWORD"]}
        subprocess.run([program, *place, *options, to["NAME"]], env=environment, check=True, **streams)


def dump(folder: Path) -> Dump:
    return MysqlDump(folder) if connection.vendor == "mysql" else SqliteDump(folder)


def relay_all() -> None:
    Relay(threading.Event(), once=True).run()
    assert mongo.database()[OUTBOX].find_one() is None


@contextmanager
def consuming(stop: threading.Event) -> Iterator[None]:
    """Have a consumer at work for the length of the block."""
    with ThreadPoolExecutor(1) as pool:
        counts = pool.submit(EventConsumer("analytics", stop=stop).run)
        try:
            yield
        finally:
            stop.set()
        assert counts.result().dead == 0


def all_consumed(servers: str) -> bool:
    """Whether the tables have all that is in the topics, where a record that ends a transaction is last."""
    rows = ConsumerOffset.objects.filter(group_id="analytics").values_list("topic", "partition", "next_offset")
    stored = {(topic, number): offset for topic, number, offset in rows}
    return all(stored.get(partition, 0) >= end - 1 for partition, end in ends(servers).items())


def one_of(document: type[mongo.Document], **query: Any) -> str:
    return str(next(document.collection().find(query, limit=1))["_id"])


def lose_some() -> None:
    """Write what the backup does not have: of each kind something new, something deleted."""
    user = one_of(UserDocument, deleted_at=None)
    supplier, product = one_of(SupplierDocument), one_of(ProductDocument, status="active")
    for number in range(5):  # more often than they are written afterwards
        users.user_update(caller=SYSTEM, identifier=user, changes={"profile.bio": f"lost {number}"})
    users.user_delete(caller=SYSTEM, identifier=user)
    catalog.product_delete(caller=SYSTEM, identifier=product)
    catalog.supplier_delete(caller=SYSTEM, identifier=supplier)
    for command, count in (("seed", 4), ("generate_products", 14), ("generate_posts", 33), ("generate_orders", 9)):
        call_command(command, count=count, verbosity=0)


def copies_of_another_team(servers: str) -> Copies:
    """Read all topics as docs/events.md tells other teams to, and return what they know of each entity."""
    reader = Consumer({"bootstrap.servers": servers, "group.id": "other", "enable.partition.eof": True})
    reader.assign([TopicPartition(*partition, 0) for partition in ends(servers)])
    left = set(ends(servers))
    known: Copies = {}
    while left:
        message: Any
        for message in reader.consume(500, timeout=1):
            if message.error():  # its end, in this case
                left.remove((message.topic(), message.partition()))
                continue
            event = orjson.loads(message.value())
            place = message.topic(), event["entity_id"]
            if place not in known or known[place]["version"] < event["version"]:
                known[place] = event
    reader.close()
    return known


def stored_documents() -> dict[tuple[str, str], bytes]:
    """Return each document that is not deleted as its event shows it."""
    found = {}
    for decoder in DECODERS:
        document = source_of(decoder).document
        for stored in document.collection().find({"deleted_at": None, "status": {"$ne": "deleted"}}):
            found[decoder.projection.entity, str(stored["_id"])] = to_json(shape(document, "event")(stored))
    return found


def test_servers_restored_to_older_moments_agree_with_all_consumers_again(
    first_mongod: EmbeddedMongo, second_mongod: EmbeddedMongo, own_kafka: object, tmp_path: Path, settings: Any
) -> None:
    broker = settings.KAFKA_BOOTSTRAP_SERVERS
    shop.fill()
    relay_all()
    EventConsumer("analytics").run(once=True)
    sql = dump(tmp_path)
    with Writer() as writer:
        writer.wait_for(5)
        copy_under_lock(first_mongod, second_mongod.data_dir)
        writer.wait_for(10)
    lose_some()
    relay_all()
    orders = OrderDocument.collection().count_documents({})

    first_mongod.stop()
    shutil.rmtree(first_mongod.data_dir)
    sql.restore()
    with consuming(threading.Event()):
        connect(second_mongod, settings)
        until(lambda: all_consumed(broker))
        assert Order.objects.count() == orders
        assert run("announce_restored") == 0
        relay_all()
        with Writer() as writer:
            writer.wait_for(20)
        relay_all()
        until(lambda: all_consumed(broker))
        assert run("rebuild_analytics") == 0
        assert run("verify_analytics", "--settle=0") == 0
    stored = stored_documents()
    copies = copies_of_another_team(broker)
    assert {place: to_json(copies[place]["data"]) for place in stored} == stored
    gone = {place[0] for place in copies.keys() - stored.keys() if not copies[place]["event_type"].endswith("deleted")}
    assert gone == {"order"}  # there is no event for the end of an order
