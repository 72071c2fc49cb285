"""Transactions and connection against a real server: one session for every command, retries, and their limits."""

import threading
from collections.abc import Iterator
from typing import Any

import mongoengine
import pymongo
import pytest
from django.core.exceptions import ImproperlyConfigured
from pymongo.errors import OperationFailure
from pymongo.monitoring import CommandListener, CommandStartedEvent

from catalog.documents import Product
from marketplace import indexes, mongo
from marketplace.api.counters import COLLECTION as RATE_LIMITS
from marketplace.callers import Caller
from marketplace.events.outbox import record
from marketplace.observability import mongodb as mongodb_observer
from tests.api import (
    USER,
    Api,
    Json,
    answered,
    events_of,
    new_order,
    new_post,
    new_product,
    new_supplier,
    new_user,
    nothing_written,
    order_body,
    stored,
)
from users.documents import User
from users.events import USER_UPDATED
from users.services import user_create, user_update

pytestmark = pytest.mark.usefixtures("api")


@pytest.fixture
def reconnected(mongodb: str, settings: Any) -> Iterator[Any]:
    """Connect with other URL options, and as before afterwards."""

    def connect(url: str) -> None:
        mongoengine.disconnect_all()
        settings.MONGODB_URL = url
        mongo.connect()
        forget_collections()

    yield connect
    connect(mongodb)


def forget_collections() -> None:
    """MongoEngine's classes keep the collection of the connection that they were first used with."""
    for document in mongo.document_classes():
        document._collection = None


class Commands(CommandListener):
    """Keeps the writes that the driver sends, but for those of rate limits: a refused request counts, too."""

    def __init__(self) -> None:
        self.writes: list[Json] = []

    def started(self, event: CommandStartedEvent) -> None:
        """Called for every command."""
        name = event.command_name
        if name in ("insert", "update", "delete", "findAndModify") and event.command[name] != RATE_LIMITS:
            self.writes.append(event.command)

    def succeeded(self, event: object) -> None:
        """Not of interest."""

    def failed(self, event: object) -> None:
        """Not of interest."""


def test_every_write_is_part_of_a_transaction(reconnected: Any, mongodb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """MongoEngine knows no sessions, and its writes would go out by themselves without an error."""
    commands = Commands()
    monkeypatch.setattr(mongodb_observer, "listeners", lambda: [commands])
    reconnected(mongodb)
    user, supplier = new_user(), new_supplier()
    product = new_product(supplier)
    order = new_order(user, product["id"])
    user.post(f"/orders/{order['id']}/cancel")
    user.delete(f"/posts/{new_post(user)['id']}")
    user.patch(f"/users/{user.id}", {"bio": "x"})
    supplier.delete(f"/suppliers/{supplier.id}")
    user.delete(f"/users/{user.id}")
    assert len(commands.writes) > 20
    for command in commands.writes:
        assert command.get("autocommit") is False, command
        assert command["txnNumber"] > 0
    starts = [command for command in commands.writes if command.get("startTransaction")]
    assert len(starts) < len(commands.writes) / 2


@pytest.fixture
def locked() -> Iterator[Any]:
    """Hold a write lock on a document in a transaction of somebody else."""
    with mongo.client().start_session() as session:

        def lock(collection: str) -> None:
            session.start_transaction()
            mongo.database()[collection].update_one({}, {"$set": {"held": 1}}, session=session)

        lock.release = session.abort_transaction  # type: ignore[attr-defined]
        yield lock
        if session.in_transaction:
            session.abort_transaction()


def test_a_write_waits_for_another_transaction_and_retries(locked: Any) -> None:
    user = new_user()
    locked("users")
    done = threading.Event()
    timer = threading.Timer(0.5, lambda: (locked.release(), done.set()))
    timer.start()
    after = user.patch(f"/users/{user.id}", {"bio": "waited"})
    assert done.is_set()
    assert (after["version"], after["profile"]["bio"]) == (2, "waited")
    assert len(events_of(user.id)) == 2
    timer.join()


def test_endless_contention_answers_503(locked: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mongo, "TRANSACTION_SECONDS", 0.5)
    user = new_user()
    locked("users")
    with nothing_written():
        response = user("PATCH", f"/users/{user.id}", {"bio": "never"})
        assert answered(response, 503)["code"] == "INTERNAL_ERROR"
    assert int(response["Retry-After"]) > 0


def test_endless_contention_over_stock_answers_503(locked: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mongo, "TRANSACTION_SECONDS", 0.5)
    user, product = new_user(), new_product(new_supplier())
    locked("products")
    with nothing_written():
        assert answered(user("POST", "/orders", order_body(product["id"])), 503)


def test_the_whole_function_runs_again_with_what_is_true_now() -> None:
    user = new_user()
    attempts = []

    @mongo.transaction
    def count() -> None:
        kept = User.from_stored(User.collection().find_one({}))
        attempts.append(kept.version)
        if len(attempts) == 1:  # somebody else writes between our read and our write
            thread = threading.Thread(target=user.patch, args=(f"/users/{user.id}", {"bio": "theirs"}))
            thread.start()
            thread.join()
        kept.profile.display_name = "ours"
        record(kept, USER_UPDATED)

    count()
    assert attempts == [1, 2]
    profile = user.get(f"/users/{user.id}")["profile"]
    assert (profile["bio"], profile["display_name"]) == ("theirs", "ours")
    assert len(events_of(user.id)) == 3


def test_drivers_errors_come_out_as_themselves() -> None:
    """MongoEngine wraps them in one without the labels that a retry goes by."""

    @mongo.transaction
    def fail() -> None:
        user = User.from_stored(User.collection().find_one({}))
        user._get_collection().database.command({"aggregate": "users", "pipeline": [{"$nope": 1}], "cursor": {}})

    new_user()
    with pytest.raises(OperationFailure):
        fail()

    @mongo.transaction
    def wrapped() -> None:
        try:
            mongo.database().command({"aggregate": "users", "pipeline": [{"$nope": 1}], "cursor": {}})
        except OperationFailure as error:
            raise mongoengine.OperationError("wrapped") from error

    with pytest.raises(OperationFailure):
        wrapped()

    @mongo.transaction
    def of_mongoengine_itself() -> None:
        raise mongoengine.OperationError("no driver's error behind it")

    with pytest.raises(mongoengine.OperationError, match="no driver"):
        of_mongoengine_itself()


def test_an_inner_transaction_joins_the_outer() -> None:
    user = new_user()

    @mongo.transaction
    def two_writes() -> None:
        for bio in ("one", "two"):
            user_update(caller=Caller("user", user.id), identifier=user.id, changes={"profile.bio": bio})
        raise LookupError

    with nothing_written(), pytest.raises(LookupError):
        two_writes()


@pytest.mark.parametrize("options", ["w=majority&journal=true", "W=1&wTimeoutMS=500", "j=true&retryWrites=true&w=1"])
def test_write_concerns_in_the_url_do_no_harm(reconnected: Any, mongodb: str, options: str) -> None:
    reconnected(f"{mongodb}{'&' if '?' in mongodb else '?'}{options}")
    user, supplier = new_user(), new_supplier()
    product = new_product(supplier)
    order = new_order(user, product["id"])
    assert user.post(f"/orders/{order['id']}/cancel")["status"] == "cancelled"
    supplier.delete(f"/suppliers/{supplier.id}")


def test_without_a_url_it_says_so(settings: Any) -> None:
    settings.MONGODB_URL = ""
    with pytest.raises(ImproperlyConfigured, match="MONGODB_URL"):
        mongo.connect()


def test_an_unreachable_server_answers_503(reconnected: Any, settings: Any) -> None:
    settings.MONGODB_TIMEOUT_MS = 200
    reconnected("mongodb://127.0.0.1:9/?replicaSet=rs0")
    anyone = Api()
    for method, path, body in (
        ("GET", "/products", None),
        ("POST", "/users", USER),
        ("GET", f"/suppliers/{'0' * 24}", None),
    ):
        response = anyone(method, path, body)
        assert answered(response, 503)["code"] == "INTERNAL_ERROR"
        assert int(response["Retry-After"]) > 0
        assert "127.0.0.1" not in response.content.decode()
    assert anyone.get("/health") == {"status": "ok"}


def test_indexes_are_not_made_by_the_first_save() -> None:
    """That would be inside the transaction."""
    mongo.database().drop_collection("users")
    new_user()
    assert set(mongo.database().users.index_information()) == {"_id_"}
    indexes.create()
    assert len(mongo.database().users.index_information()) > 1


@pytest.mark.parametrize(
    ("collection", "query", "sort"),
    [
        ("products", {"status": {"$in": ["active"]}}, [("created_at", -1), ("_id", -1)]),
        ("products", {"supplier_id": 1}, [("created_at", -1), ("_id", -1)]),
        ("products", {"category": "beauty"}, [("created_at", -1), ("_id", -1)]),
        ("users", {"deleted_at": None}, [("created_at", 1), ("_id", 1)]),
        ("suppliers", {}, [("created_at", 1), ("_id", 1)]),
        ("orders", {"customer.user_id": 1}, [("created_at", -1), ("_id", -1)]),
        ("posts", {"deleted_at": None}, [("published_at", -1), ("_id", -1)]),
        ("posts", {"author.user_id": 1}, [("published_at", -1), ("_id", -1)]),
    ],
)
def test_lists_read_along_an_index(collection: str, query: Json, sort: list[tuple[str, int]]) -> None:
    plan = str(mongo.database()[collection].find(query).sort(sort).explain()["queryPlanner"]["winningPlan"])
    assert "COLLSCAN" not in plan
    assert "'stage': 'SORT'" not in plan


def test_dotted_values_are_assigned() -> None:
    product = Product()
    product.assign({"metadata.base_sku": "X", "name": "N"})
    assert (product.metadata.base_sku, product.name) == ("X", "N")


def test_only_24_hex_digits_are_an_id() -> None:
    for bad in ("", "x", "5f " * 8, "z" * 24, None, 5, b"123456789012", ["a"], {"$ne": 1}, "0" * 23, "0" * 25):
        assert mongo.object_id(bad) is None, bad
    assert str(mongo.object_id("0" * 24)) == "0" * 24


def test_snapshot_reads_see_one_moment() -> None:
    new_user()
    with mongo.snapshot() as session:
        assert mongo.database().users.count_documents({}, session=session) == 1
        new_user()
        assert mongo.database().users.count_documents({}, session=session) == 1
    assert len(stored()["users"]) == 2
    assert pymongo.version_tuple >= (4, 17)


def test_mongoengines_own_save_is_guarded_as_well(mongodb: str) -> None:
    changes = {"contact_info.primary_email": "a@example.com", "profile.display_name": "A"}
    stored = user_create(changes=changes, password=None)
    user = User.from_stored(User.collection().find_one({"_id": stored["_id"]}))
    user.profile.bio = "changed"
    with pytest.raises(RuntimeError, match="inside mongo.transaction only"):
        user.save()
    with pytest.raises(RuntimeError, match="without a domain event"):
        mongo.transaction(user.save)()
    assert User.collection().find_one({"_id": stored["_id"]}) == stored
