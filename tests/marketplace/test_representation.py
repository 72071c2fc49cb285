"""One serialization for answers and events: what each audience sees of a stored document."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import mongoengine as me
import pytest
from bson import ObjectId

from catalog.documents import Product, Supplier
from content.documents import Post
from marketplace.representation import shape, timestamp, to_json
from orders.documents import Order
from users.documents import User

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)


def fields_of(document: Any, audience: str) -> set[str]:
    return set(shape(document, audience)({"_id": ObjectId(), "contact_info": {}, "company_info": {}, "profile": {}}))


@pytest.mark.parametrize("document", [User, Supplier, Product, Order, Post])
@pytest.mark.parametrize("audience", ["public", "owner", "event"])
def test_private_fields_are_for_nobody(document: Any, audience: str) -> None:
    private = {name for name, field in document._fields.items() if getattr(field, "private", False)}
    assert not private & fields_of(document, audience)


def test_secrets_are_declared_private() -> None:
    assert User.password_hash.private
    assert Supplier.password_hash.private
    assert Order.stock_takes.private


def test_what_is_not_stored_is_shown_as_its_default() -> None:
    shown = shape(Product, "public")({"_id": ObjectId(), "name": "x"})
    assert (shown["variants"], shown["images"], shown["published_at"], shown["unit_type"]) == ({}, [], None, "piece")


def test_what_is_not_declared_is_not_shown() -> None:
    assert "held" not in shape(User, "owner")({"_id": ObjectId(), "held": 1, "profile": {"secret": 1}})
    assert "secret" not in shape(User, "owner")({"_id": ObjectId(), "profile": {"secret": 1}})["profile"]


def test_others_see_null_where_the_owner_sees_a_value() -> None:
    stored = {"_id": ObjectId(), "variants": {"Red": {"cost_cents": 7, "price_cents": 9}}}
    costs = {one: shape(Product, one)(stored)["variants"]["Red"]["cost_cents"] for one in ("public", "owner", "event")}
    assert costs == {"public": None, "owner": 7, "event": 7}
    assert stored["variants"]["Red"]["cost_cents"] == 7


def test_the_bank_is_in_no_event() -> None:
    stored = {"_id": ObjectId(), "banking_info": {"bank_name": "b"}}
    assert "banking_info" not in shape(Supplier, "event")(stored)
    assert shape(Supplier, "owner")(stored)["banking_info"]["bank_name"] == "b"
    assert shape(Supplier, "public")(stored)["banking_info"] is None


def test_every_declared_field_of_every_document_has_a_place() -> None:
    for document in (User, Supplier, Product, Order, Post):
        private = {name for name, field in document._fields.items() if getattr(field, "private", False)}
        assert fields_of(document, "owner") == set(document._fields) - private


def test_order_of_fields() -> None:
    names = list(shape(User, "owner")({"_id": ObjectId()}))
    assert names[0] == "id"
    assert names[-3:] == ["version", "created_at", "updated_at"]


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (MOMENT, "2026-01-02T03:04:05.678Z"),
        (MOMENT.replace(microsecond=0), "2026-01-02T03:04:05.000Z"),
        (MOMENT.replace(microsecond=999999), "2026-01-02T03:04:05.999Z"),
        (MOMENT.replace(year=1), "0001-01-02T03:04:05.678Z"),
    ],
)
def test_timestamps(moment: datetime, expected: str) -> None:
    assert timestamp(moment) == expected


def test_json_of_what_bson_has() -> None:
    key = ObjectId()
    value = {"id": key, "at": MOMENT, "text": "Réd \u2028 😀", "none": None, "list": [key], "number": 2**53 - 1}
    assert json.loads(to_json(value)) == value | {"id": str(key), "at": "2026-01-02T03:04:05.678Z", "list": [str(key)]}
    assert "Réd".encode() in to_json(value)
    with pytest.raises(TypeError):
        to_json({"bad": object()})


def test_documents_read_from_mongodb_are_in_utc(mongodb: str) -> None:
    """The timestamp is cut, not converted: what comes here must be UTC."""
    other = timezone(timedelta(hours=2))
    collection = User.collection()
    collection.insert_one({"created_at": MOMENT.astimezone(other)})
    assert timestamp(collection.find_one({})["created_at"]) == "2026-01-02T03:04:05.678Z"


def test_lists_and_maps_of_embedded_documents_are_shaped() -> None:
    class Inner(me.EmbeddedDocument):
        name = me.StringField()
        secret = me.StringField(private=True)

    class Outer(me.EmbeddedDocument):
        one = me.EmbeddedDocumentField(Inner)
        many = me.EmbeddedDocumentListField(Inner)
        by_key = me.MapField(me.EmbeddedDocumentField(Inner))

    stored = {"one": {"secret": "s"}, "many": [{"name": "a", "secret": "s"}], "by_key": {"secret": {"secret": "s"}}}
    assert shape(Outer, "owner")(stored) == {
        "one": {"name": None},
        "many": [{"name": "a"}],
        "by_key": {"secret": {"name": None}},
    }
