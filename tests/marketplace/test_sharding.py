"""The table of shard keys in docs/scaling.md fits the collections, their indexes, and what is written.

No mongos is to be had here: what only a sharded cluster could show is told there as not tried.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from bson import ObjectId
from django.conf import settings
from mongoengine.errors import OperationError
from pymongo import IndexModel

from marketplace import indexes, mongo
from marketplace.events.lease import LEASES
from orders.documents import Order
from tests.api import new_order, new_product, new_supplier, new_user

Key = dict[str, Any]


def shard_keys() -> dict[str, Key | None]:
    """Return the table: each collection's shard key, None for one that is not sharded."""
    text = (settings.BASE_DIR / "docs" / "scaling.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| (?:`(\{.+?\})`|no)", text, re.MULTILINE)
    return {collection: json.loads(key) if key else None for collection, key in rows}


SHARDED = {collection: key for collection, key in shard_keys().items() if key}


def key_of(index: IndexModel) -> list[tuple[str, Any]]:
    return list(index.document["key"].items())


def test_every_collection_has_its_line() -> None:
    assert set(shard_keys()) == {*indexes.declared(), LEASES}


@pytest.mark.parametrize("collection", SHARDED)
def test_unique_indexes_begin_with_the_shard_key(collection: str) -> None:
    """MongoDB enforces no other: https://www.mongodb.com/docs/manual/core/sharding-shard-key/#unique-indexes."""
    key = list(SHARDED[collection].items())
    unique = [index for index in indexes.declared()[collection] if index.document.get("unique")]
    assert all(key_of(index)[: len(key)] == key for index in unique)


@pytest.mark.parametrize("collection", SHARDED)
def test_a_ranged_key_has_its_index_and_a_hashed_one_is_of_the_id(collection: str) -> None:
    """The shell makes the index of a hashed `_id`; other documents than the sharded are not burdened with it."""
    key = list(SHARDED[collection].items())
    declared = [key_of(index)[: len(key)] for index in indexes.declared()[collection]]
    assert key == [("_id", "hashed")] or key in declared


def test_a_key_other_than_the_id_is_required_declared_and_never_changed() -> None:
    documents = {document._meta["collection"]: document for document in mongo.document_classes()}
    for collection, key in SHARDED.items():
        if "_id" in key:
            continue
        document = documents[collection]
        assert list(document._meta["shard_key"]) == list(key)
        assert all(document._fields[name].required for name in key)
    order = Order.from_stored({"_id": ObjectId(), "order_number": "ORD-20261122-AAAAAAAA"})
    with pytest.raises(OperationError, match="immutable"):
        order.order_number = "ORD-20261122-BBBBBBBB"


@pytest.fixture
def profile(api: Any) -> Iterator[Any]:
    """The collection in which MongoDB notes each operation of the test."""
    database = mongo.database()
    database.command("profile", 2)
    yield database["system.profile"]
    database.command("profile", 0)
    database.drop_collection("system.profile")


def test_an_update_of_an_order_names_its_shard_key(profile: Any) -> None:
    user = new_user()
    order = new_order(user, new_product(new_supplier())["id"])
    user.post(f"/orders/{order['id']}/cancel")
    [update] = profile.find({"op": "update", "ns": {"$regex": "orders$"}})
    assert update["command"]["q"]["order_number"] == order["order_number"]
