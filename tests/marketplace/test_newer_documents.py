"""Beside newer processes: documents with fields that this version does not know, and such without ones that it wants.

While an installation is upgraded, old and new processes read and write the same documents.
"""

from collections.abc import Callable, Iterator
from typing import Any

import mongoengine as me
import pytest

from marketplace import mongo
from marketplace.mongo import Document
from marketplace.representation import shape
from tests.api import POST, PRODUCT, Api, Json, events_of, new_order, new_post, new_product, new_supplier, new_user

pytestmark = pytest.mark.usefixtures("api")

NEW = {"from_the_future": {"deep": [1, {"er": None}]}}


def embedded_in(field: Any, value: Any) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Yield class and stored form of every embedded document that a field holds."""
    if isinstance(field, me.EmbeddedDocumentField):
        yield field.document_type, value
    elif inner := getattr(field, "field", None):
        for one in value.values() if isinstance(value, dict) else value:
            yield from embedded_in(inner, one)


def levels(document: Any, stored: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the stored document and all documents embedded in it, with the names of their classes."""
    yield document.__name__, stored
    for name, field in document._fields.items():
        for kind, inner in embedded_in(field, stored.get(name, ())) if stored.get(name) else ():
            yield from levels(kind, inner)


def touched_by_a_newer_version() -> None:
    """Give all documents, at every level, a field that this version does not know."""
    for document in mongo.document_classes():
        for stored in document.collection().find():
            for _, level in list(levels(document, stored)):
                level |= NEW
            document.collection().replace_one({"_id": stored["_id"]}, stored)


def levels_without(identifier: str, document: type[Document]) -> set[str]:
    """Return the names of the parts of a stored document that do not have the field."""
    stored = document.collection().find_one({"_id": mongo.object_id(identifier)})
    assert stored
    return {name for name, level in levels(document, stored) if "from_the_future" not in level}


class Shop:
    """Who is there, and what they have, all touched by a newer version."""

    def __init__(self) -> None:
        self.user, self.supplier = new_user(), new_supplier()
        self.active, self.draft = new_product(self.supplier), new_product(self.supplier, status="draft")
        self.order = new_order(self.user, {"product_id": self.active["id"], "variant_name": "Red", "quantity": 2})
        self.post, self.draft_post = new_post(self.user), new_post(self.user, is_draft=True)
        touched_by_a_newer_version()


def act(caller: str, method: str, path: str, body: Json = None, *, new: str = "") -> Any:
    """Return a case: who does what, and which parts of the document are new then; all others keep what is not known."""
    return pytest.param(caller, method, path, body, set(new.split()), id=f"{method} {path} {'+'.join(body or ())}")


WRITES = [
    act("user", "PATCH", "/users/{user.id}", {"bio": "New", "display_name": "Eva"}),
    act("supplier", "PATCH", "/suppliers/{supplier.id}", {"legal_name": "Newer Ltd", "support_phone": "1"}),
    act("supplier", "PATCH", "/products/{active[id]}", {"name": "New", "base_sku": "N", "base_price_cents": 1}),
    # What a client replaces whole is the client's: the new variants are not the ones that a newer version touched.
    act(
        *("supplier", "PATCH", "/products/{active[id]}", {"variants": PRODUCT["variants"]}),
        new="Variant VariantAttribute PackageDimensions",
    ),
    act("supplier", "POST", "/products/{draft[id]}/publish"),
    act("supplier", "POST", "/products/{active[id]}/discontinue"),
    act("user", "POST", "/orders/{order[id]}/cancel", {"reason": "Too late"}, new="Cancellation"),
    act("user", "PATCH", "/posts/{post[id]}", {"text_content": "New"}),
    act("user", "PATCH", "/posts/{post[id]}", {"media": POST["media"]}, new="Media"),
    act("user", "POST", "/posts/{draft_post[id]}/publish"),
    act("supplier", "DELETE", "/products/{active[id]}"),
    act("user", "DELETE", "/posts/{post[id]}"),
    act("user", "DELETE", "/users/{user.id}"),
]
DOCUMENTS = {document._meta["collection"]: document for document in mongo.document_classes()}


@pytest.mark.parametrize(("caller", "method", "path", "body", "new"), WRITES)
def test_writes_keep_what_they_do_not_know_and_tell_nobody(
    caller: str, method: str, path: str, body: Json, new: set[str]
) -> None:
    shop = Shop()
    path = path.format(**vars(shop))
    answer = getattr(shop, caller)(method, path, body)
    assert answer.status_code in (200, 204), answer.content
    _, collection, identifier, *_ = path.split("/")
    assert levels_without(identifier, DOCUMENTS[collection]) == new
    assert "from_the_future" not in f"{answer.content!r}{events_of(identifier)}"


def test_an_order_takes_stock_of_such_a_product_and_a_cancellation_gives_it_back() -> None:
    shop = Shop()
    line = {"product_id": shop.active["id"], "variant_name": "Red", "quantity": 3}
    order = new_order(shop.user, line)
    assert levels_without(shop.active["id"], DOCUMENTS["products"]) == set()
    for made in (order, shop.order):
        shop.user.post(f"/orders/{made['id']}/cancel")
    assert levels_without(shop.active["id"], DOCUMENTS["products"]) == set()
    found = shop.supplier.get(f"/products/{shop.active['id']}")
    assert found["variants"]["Red"]["quantity"] == PRODUCT["variants"]["Red"]["quantity"]
    assert "from_the_future" not in str(events_of(shop.active["id"]))


def test_reads_and_removals() -> None:
    shop = Shop()
    reads: dict[str, Api] = {
        f"/users/{shop.user.id}": shop.user,
        f"/suppliers/{shop.supplier.id}": shop.supplier,
        f"/products/{shop.active['id']}": shop.supplier,
        f"/orders/{shop.order['id']}": shop.user,
        f"/posts/{shop.post['id']}": shop.user,
    }
    reads |= {"/suppliers": shop.user, "/products": shop.supplier, "/orders": shop.user, "/posts": shop.user}
    answers = {path: caller.get(path) for path, caller in reads.items()}
    assert all(answers.values())
    assert "from_the_future" not in str(answers)
    shop.supplier.delete(f"/suppliers/{shop.supplier.id}")
    assert [one["event_type"] for one in events_of(shop.supplier.id)] == ["supplier.created", "supplier.deleted"]


# --- The other way round: what an older version stored, without a field that came later ---


class Tag(mongo.EmbeddedDocument):
    """What a newer version has added fields to, each with a default."""

    name = me.StringField(required=True)
    colour = me.StringField(required=True, default="grey")
    weight = me.IntField(required=True, default=0)
    note = me.StringField()
    synonyms = me.ListField(me.StringField())


def test_a_field_that_is_not_stored_yet_reads_as_its_default() -> None:
    expected: dict[str, Any] = {"name": "x", "colour": "grey", "weight": 0, "note": None, "synonyms": []}
    audience_of: Callable[[Any], Any] = lambda audience: shape(Tag, audience)({"name": "x"})  # noqa: E731
    assert [audience_of("owner"), audience_of("event")] == [expected, expected]
    loaded = Tag._from_son({"name": "x"})
    loaded.validate()
    assert loaded.colour == "grey"
