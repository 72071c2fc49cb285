"""The doctor on MongoDB, with faults of a real one: indexes, relay, outbox, accounts, oplog, and none at all."""

import socket
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pymongo
import pytest
from django.core.management import call_command

from marketplace import mongo
from marketplace.doctor.registry import State
from marketplace.embedded.mongod import EmbeddedMongo, free_port, mongod_binary
from marketplace.embedded.processes import start_child, stop_child
from marketplace.events.lease import Lease
from tests.marketplace.doctor.examining import connected_to, examine, faults, the
from tests.marketplace.relaying import event


def test_all_is_well(mongodb: str) -> None:
    before = set(mongo.database().list_collection_names())
    findings = examine("mongodb")
    assert faults(findings) == []
    assert the(findings, "transaction").state == State.OK
    assert the(findings, "indexes").state == State.OK
    assert "MongoDB" in the(findings, "server").found
    assert set(mongo.database().list_collection_names()) == before  # nothing is left behind


@pytest.fixture
def indexes(mongodb: str) -> Iterator[Any]:
    """The indexes of orders, as they were afterwards."""
    orders = mongo.database().orders
    yield orders
    orders.drop_indexes()
    call_command("create_indexes", verbosity=0)


def test_an_index_that_is_missing(indexes: Any) -> None:
    indexes.drop_index("order_number_1")
    found = the(examine("mongodb"), "indexes")
    assert (found.state, found.found) == (State.FAULT, "orders: order_number_1 is missing")
    call_command(found.remedy.removeprefix("manage.py "), verbosity=0)
    assert the(examine("mongodb"), "indexes").state == State.OK


def test_a_name_of_no_database(indexes: Any) -> None:
    """It is said once, where to create all indexes would only make a second database."""
    name = mongo.database().name
    mongo.client().drop_database(name)
    findings = examine("mongodb")
    (found,) = faults(findings)
    assert (found.name, found.found) == ("database", f"{name} is empty: is DATABASE_NAME right?")
    assert the(findings, "indexes").state == State.SKIPPED
    call_command("create_indexes", verbosity=0)
    assert the(examine("mongodb"), "database").state == State.OK


def test_an_index_with_other_options(indexes: Any) -> None:
    indexes.drop_index("order_number_1")
    indexes.create_index("order_number", name="by_number")
    found = the(examine("mongodb"), "indexes")
    assert (found.state, found.found) == (State.FAULT, "orders: by_number has unique None, declared is True")
    assert found.remedy == 'db.orders.dropIndex("by_number"), then manage.py create_indexes'


def test_an_index_that_is_not_declared(indexes: Any) -> None:
    indexes.create_index("status")
    found = the(examine("mongodb"), "indexes")
    assert (found.state, "status_1 is not declared" in found.found) == (State.WARNING, True)
    assert 'db.orders.dropIndex("status_1")' in found.remedy


def test_a_relay_is_known_by_its_lease(mongodb: str) -> None:
    found = the(examine("mongodb"), "relay")
    assert (found.state, found.remedy) == (State.WARNING, "manage.py relay_events")
    lease = Lease("relay")
    assert lease.keep()
    assert the(examine("mongodb"), "relay").found == f"{lease.holder.rpartition(':')[0]} is at work (lease 1)"


@pytest.mark.parametrize(("minutes", "state"), [(0, State.OK), (2, State.WARNING), (20, State.FAULT)])
def test_an_outbox_that_nobody_empties(mongodb: str, minutes: int, state: State) -> None:
    waiting = event("a", 1) | {"timestamp": datetime.now(UTC) - timedelta(minutes=minutes)}
    mongo.database().outbox.insert_one(waiting)
    found = the(examine("mongodb"), "outbox")
    assert found.state == state
    assert found.found.startswith("1 events wait")


@pytest.mark.django_db(transaction=True)  # the clocks are of SQL, too
def test_a_server_that_is_away_costs_its_time_once(mongodb: str) -> None:
    """It takes connections and says nothing, which is worse than refusing them."""
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        connected_to(f"mongodb://u:secret@127.0.0.1:{_port(silent)}"),
    ):
        begun = time.monotonic()
        findings = examine("mongodb", "clock", seconds=0.5)
        assert time.monotonic() - begun < 2
    server, *others = findings
    assert (server.state, server.found.startswith("does not answer")) == (State.FAULT, True)
    assert "MONGODB_URL" in server.remedy
    assert {one.found for one in others if one.group == "mongodb"} == {"MongoDB cannot be asked"}
    assert the(others, "MongoDB's clock").state == State.SKIPPED
    assert "secret" not in str(findings)


def _port(server: socket.socket) -> int:
    port: int = server.getsockname()[1]
    return port


def test_without_an_address(mongodb: str) -> None:
    with connected_to(""):
        server, *others = examine("mongodb")
    assert (server.state, server.found) == (State.FAULT, "MONGODB_URL is not set.")
    assert {one.state for one in others} == {State.SKIPPED}


class SmallOplog(EmbeddedMongo):
    """One that remembers next to nothing."""

    def _arguments(self, address: str) -> list[str]:
        arguments = super()._arguments(address)
        arguments[arguments.index("--oplogSize") + 1] = "1"
        return arguments


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server of these tests alone, which they may reconfigure."""
    server = SmallOplog(tmp_path_factory.mktemp("small"))
    yield server.start()
    server.stop()


def test_a_small_oplog(mongodb: str, small: str) -> None:
    with connected_to(small):
        assert "it still grows" in the(examine("mongodb"), "oplog").found
        mongo.database().large.insert_many([{"text": "x" * 1_000_000} for _ in range(3)])
        found = the(examine("mongodb"), "oplog")
    assert (found.state, "reaches back 0.0 h, 100% of 1 MiB" in found.found) == (State.FAULT, True)
    assert "db.adminCommand({replSetResizeOplog: 1, size: 990})" in found.remedy


def test_a_transaction_lifetime_that_is_long(mongodb: str, small: str) -> None:
    with connected_to(small):
        found = the(examine("mongodb"), "transaction lifetime")
        assert (found.state, found.found[:4]) == (State.WARNING, "60 s")
        mongo.client().admin.command("setParameter", 1, transactionLifetimeLimitSeconds=5)  # as the remedy says
        assert the(examine("mongodb"), "transaction lifetime").state == State.OK


def test_a_member_that_is_away(mongodb: str, small: str) -> None:
    with connected_to(small):
        config = mongo.client().admin.command("replSetGetConfig")["config"]
        away = {"_id": 1, "host": "127.0.0.1:9", "priority": 0, "votes": 0}
        config |= {"version": config["version"] + 1, "members": [*config["members"], away]}
        mongo.client().admin.command("replSetReconfig", config)
        found = the(examine("mongodb"), "members")
    assert (found.state, found.found.startswith("127.0.0.1:9 is ")) == (State.WARNING, True)
    assert "behind" not in found.found  # nobody knows that yet


@pytest.fixture(scope="module")
def standalone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a mongod that is no replica set, and lets in only who has an account."""
    port, folder = free_port(), tmp_path_factory.mktemp("standalone")
    command = [mongod_binary(), "--auth", "--bind_ip", "127.0.0.1", "--port", str(port), "--dbpath", str(folder)]
    process = start_child(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with pymongo.MongoClient(f"mongodb://127.0.0.1:{port}") as client:
        client.admin.command("createUser", "root", pwd="root-password", roles=["root"])
    with pymongo.MongoClient(f"mongodb://root:root-password@127.0.0.1:{port}") as client:
        role = {"role": "read", "db": mongo.database().name}
        client.admin.command("createUser", "reader", pwd="reader-password", roles=[role])
    yield port
    stop_child(process, 10)


def test_no_replica_set(mongodb: str, standalone: int) -> None:
    with connected_to(f"mongodb://root:root-password@127.0.0.1:{standalone}"):
        findings = examine("mongodb")
    server = the(findings, "server")
    assert (server.state, "not a replica set" in server.found) == (State.FAULT, True)
    assert "rs.initiate()" in server.remedy
    assert the(findings, "transaction").state == State.FAULT
    assert the(findings, "oplog").state == State.SKIPPED
    assert the(findings, "database").state == State.FAULT


def test_an_account_that_may_only_read(mongodb: str, standalone: int) -> None:
    with connected_to(f"mongodb://reader:reader-password@127.0.0.1:{standalone}/?authSource=admin"):
        findings = examine("mongodb")
    account = the(findings, "account")
    assert (account.state, "may not createCollection, createIndex, insert, remove, update in" in account.found) == (
        State.FAULT,
        True,
    )
    assert 'db.grantRolesToUser("reader", [{role: "readWrite", db: "' in account.remedy
    lifetime = the(findings, "transaction lifetime")
    assert (lifetime.state, "may not look" in lifetime.found) == (State.SKIPPED, True)


def test_a_wrong_password(mongodb: str, standalone: int) -> None:
    with connected_to(f"mongodb://reader:wrong-password@127.0.0.1:{standalone}"):
        findings = examine("mongodb")
    assert [one.found for one in faults(findings)] == ["Authentication failed."]
    assert "MONGODB_URL" in faults(findings)[0].remedy
    assert "wrong-password" not in str(findings)
