"""A small marketplace with documents of all kinds, and its analytics tables, for tests of rebuild and verify."""

from typing import Any

import orjson
from django.core.management import call_command

from analytics.bookkeeping import Tombstone
from analytics.models import Order, OrderItem, Post, Product, ProductVariant, Supplier, User
from catalog import documents
from catalog import services as catalog
from marketplace import mongo
from marketplace.callers import SYSTEM
from marketplace.events.outbox import OUTBOX
from tests.analytics.conftest import apply
from users import services as users
from users.documents import User as UserDocument

TABLES = (User, Supplier, Product, ProductVariant, Order, OrderItem, Post)


# What the services have made, by collection: it takes them seconds, and many tests want it.
_MADE: dict[str, list[Any]] = {}


def fill() -> None:
    """Put documents of all kinds, deleted ones among them, and their events into the empty database."""
    database = mongo.database()
    if not _MADE:
        _make()
        _MADE.update({name: list(database[name].find()) for name in database.list_collection_names()})
        return
    for name, documents_made in _MADE.items():
        if documents_made:
            database[name].insert_many(documents_made)


def _make() -> None:
    """Make documents through the services, and deleted ones of each kind that can be deleted."""
    for command, count in (("seed", 3), ("generate_products", 12), ("generate_posts", 30), ("generate_orders", 6)):
        call_command(command, count=count, verbosity=0)
    first, second = (str(found["_id"]) for found in UserDocument.collection().find({"deleted_at": None}).limit(2))
    users.user_update(caller=SYSTEM, identifier=first, changes={"profile.bio": "Before the end "})
    users.user_delete(caller=SYSTEM, identifier=first)
    users.user_update(caller=SYSTEM, identifier=second, changes={"profile.bio": "Changed 😀 "})
    one, other = (str(found["_id"]) for found in documents.Supplier.collection().find().limit(2))
    catalog.product_delete(caller=SYSTEM, identifier=a_product(other))
    catalog.supplier_delete(caller=SYSTEM, identifier=one)


def a_product(supplier: str) -> str:
    query = {"supplier_id": mongo.object_id(supplier), "status": {"$ne": "deleted"}}
    found = documents.Product.collection().find_one(query)
    assert found
    return str(found["_id"])


def project() -> None:
    """Apply what waits in the outbox, in the order of the writes, as relay and consumer would."""
    waiting = mongo.database()[OUTBOX]
    apply(*(orjson.loads(one["payload"]) for one in waiting.find(sort=[("timestamp", 1)])))
    waiting.delete_many({})


def tables() -> dict[str, list[dict[str, Any]]]:
    """Return all columns of all rows of the seven tables; a child's own number aside."""
    return {
        model._meta.db_table: sorted(
            ({name: value for name, value in row.items() if name != "id"} for row in model.objects.values()), key=str
        )
        for model in TABLES
    }


def empty() -> None:
    """Empty the seven tables, and forget all tombstones."""
    for model in (*reversed(TABLES), Tombstone):
        model.objects.all().delete()
