"""The largest documents that the domain apps allow are valid events and fit into the tables, and so do the least."""

from datetime import UTC, datetime
from typing import Any

import mongoengine as me
import orjson
import pytest
from bson import ObjectId

from analytics.decoding import decode
from catalog.documents import Product, Supplier
from content.documents import Post
from marketplace.events.catalogue import CATALOGUE
from marketplace.events.outbox import envelope
from marketplace.fields import (
    CountryField,
    EmailField,
    HttpUrlField,
    KeyedMapField,
    TextMapField,
    TimezoneField,
    timezone_names,
)
from marketplace.representation import to_json
from orders.documents import Order
from tests.analytics.conftest import apply
from tests.events import problems
from users.documents import User

pytestmark = pytest.mark.django_db

TEXT = "😀"  # four bytes in UTF-8: lengths are in characters
MOMENT = datetime(2026, 3, 1, 10, 0, 0, 123000, tzinfo=UTC)
ENTITIES = [("user", User), ("supplier", Supplier), ("product", Product), ("order", Order), ("post", Post)]


# The largest value of each kind of field; the first class that fits counts.
LARGEST = [
    (me.EmbeddedDocumentField, lambda field: most(field.document_type)),
    (
        KeyedMapField,
        lambda field: {f"{n:03}{TEXT * (field.max_key_length - 3)}": largest(field.field) for n in range(9)},
    ),
    (TextMapField, lambda _: {f"{n}{TEXT * 49}": TEXT * 100 for n in range(10)}),
    (me.ListField, lambda field: [largest(field.field) for _ in range(field.max_length or 1)]),
    (CountryField, lambda _: "PT"),
    (TimezoneField, lambda _: max(timezone_names(), key=len)),
    (EmailField, lambda field: "e" * 64 + "@" + ".".join(("x" * 63, "x" * 63, "x" * (field.max_length - 193)))),
    (HttpUrlField, lambda field: "https://e@".ljust(field.max_length, "x")),
    (me.StringField, lambda field: TEXT * field.max_length),
    (me.ObjectIdField, lambda _: ObjectId()),
    (me.DateTimeField, lambda _: MOMENT),
    ((me.IntField, me.LongField, me.FloatField), lambda field: field.max_value or 2**31 - 1),
    (me.BooleanField, lambda _: True),
]


def largest(field: Any) -> Any:
    """Return the largest value that a document's field allows."""
    if field.choices:
        return max(field.choices, key=len)
    return next(value for kind, value in LARGEST if isinstance(field, kind))(field)


def shown(document: Any) -> list[Any]:
    """Return the fields that an event may show, without the id."""
    fields = [field for name, field in document._fields.items() if name not in ("id", "_cls")]
    return [field for field in fields if not getattr(field, "private", False)]


def most(document: Any) -> dict[str, Any]:
    """Return a stored document with the largest value in every field."""
    return {field.db_field: largest(field) for field in shown(document)}


def least(document: Any) -> dict[str, Any]:
    """Return a stored document without anything optional, as MongoEngine stores it."""
    return {
        field.db_field: least(field.document_type) if isinstance(field, me.EmbeddedDocumentField) else largest(field)
        for field in shown(document)
        if field.required
    }


def sent(entity: str, document: Any, stored: dict[str, Any]) -> dict[str, Any]:
    stored |= {"_id": ObjectId(), "version": 1, "created_at": MOMENT, "updated_at": MOMENT}
    if entity == "order":
        for number, item in enumerate(stored["items"]):
            item["item_id"] = f"item_{number}"
    event = envelope(document, stored, CATALOGUE[f"{entity}.created"])
    return orjson.loads(to_json(event))


@pytest.mark.parametrize(("entity", "document"), ENTITIES)
@pytest.mark.parametrize("stored", [most, least])
def test_documents_fit(entity, document, stored):
    event = sent(entity, document, stored(document))
    assert problems(event) == []
    assert decode(entity, event["entity_id"].encode(), orjson.dumps(event)).version == 1
    assert apply(event) == 1
