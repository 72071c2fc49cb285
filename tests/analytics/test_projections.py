"""What each event type does to the tables, on a real SQL database."""

from datetime import UTC, datetime

import pytest
from django.db import connection

from analytics import models
from analytics.decoding import EVENT_TYPES
from analytics.models import Order, OrderItem, Post, Product, ProductVariant, Supplier, Tombstone, User
from marketplace.events.catalogue import CATALOGUE
from marketplace.fields import MAX_COUNT
from tests.analytics import events
from tests.analytics.conftest import apply
from tests.analytics.events import event, item, new_id, variant

pytestmark = pytest.mark.django_db

TABLES = {"user": User, "supplier": Supplier, "product": Product, "order": Order, "post": Post}
STATE_TYPES = sorted(name for name in CATALOGUE if not name.endswith(".deleted"))


def time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def row(model, pk):
    return model.objects.values().get(pk=pk)


def test_every_event_type_of_the_catalogue_has_a_projection():
    assert set(CATALOGUE) == EVENT_TYPES


@pytest.mark.parametrize("event_type", STATE_TYPES)
def test_events_with_state_insert_and_update(event_type):
    entity = event_type.split(".")[0]
    entity_id = new_id()
    for version in (1, 2):
        sent = event(event_type, entity_id, version)
        assert apply(sent) == 1
        stored = row(TABLES[entity], entity_id)
        assert stored["version"] == version
        assert stored["event_id"] == sent["event_id"]
        assert stored["event_timestamp"] == time(sent["timestamp"])
        assert stored["updated_at"] == time(sent["data"]["updated_at"])
        assert stored["created_at"] == time(events.CREATED_AT)


@pytest.mark.parametrize(("entity", "model"), [("user", User), ("post", Post)])
def test_soft_deletion_only_marks_the_row(entity, model):
    entity_id = new_id()
    apply(event(f"{entity}.created", entity_id))
    before = row(model, entity_id)
    sent = event(f"{entity}.deleted", entity_id, 2)
    assert apply(sent) == 1
    about = {"version": 2, "event_id": sent["event_id"], "event_timestamp": time(sent["timestamp"])}
    assert row(model, entity_id) == before | about | {"deleted_at": time(sent["data"]["deleted_at"])}
    assert not Tombstone.objects.filter(entity_id=entity_id).exists()


@pytest.mark.parametrize(("entity", "model"), [("supplier", Supplier), ("product", Product)])
def test_hard_deletion_removes_the_row_and_leaves_a_tombstone(entity, model):
    entity_id, other = new_id(), new_id()
    changes = {"variants": {"L": variant()}} if entity == "product" else {}
    apply(event(f"{entity}.created", entity_id, **changes), event(f"{entity}.created", other, **changes))
    sent = event(f"{entity}.deleted", entity_id, 2)
    assert apply(sent) == 1
    assert not model.objects.filter(pk=entity_id).exists()
    assert not ProductVariant.objects.filter(product_id=entity_id).exists()
    assert model.objects.filter(pk=other).exists()
    tombstone = Tombstone.objects.get(entity=entity, entity_id=entity_id)
    assert (tombstone.version, tombstone.deleted_at) == (2, time(sent["data"]["deleted_at"]))


def test_variants_are_replaced_as_a_whole():
    product_id = new_id()
    apply(event("product.created", product_id, variants={"A": variant("1"), "B": variant("2")}))
    apply(event("product.updated", product_id, 2, variants={"B": variant("3"), "C": variant("4")}))
    found = ProductVariant.objects.filter(product_id=product_id).order_by("variant_key")
    assert list(found.values_list("variant_key", "variant_id")) == [("B", "3"), ("C", "4")]
    apply(event("product.updated", product_id, 3))
    assert not found.exists()
    assert Product.objects.get(pk=product_id).version == 3


def test_keys_compare_exactly():
    keys = ["Red", "red", "Réd", "Re\u0301d", "red ", " red", "red\t", "🔴", "🟢", "ß", "ss"]
    sent = event("product.created", new_id(), variants={key: variant(str(n)) for n, key in enumerate(keys)})
    apply(sent)
    found = ProductVariant.objects.filter(product_id=sent["entity_id"])
    assert sorted(found.values_list("variant_key", flat=True)) == sorted(keys)
    for number, key in enumerate(keys):
        assert found.get(variant_key=key).variant_id == str(number)


def test_texts_keep_every_character():
    text = "  Ünï 👩‍👩‍👧 \u0000 ' \" \\ % %s `x` \n end  "
    sent = event("post.created", new_id(), text_content=text, media=[{"media_url": text}])
    apply(sent)
    stored = Post.objects.get(pk=sent["entity_id"])
    assert stored.text_content == text
    assert stored.media_json == [{"media_url": text}]


def test_the_largest_numbers_fit():
    line = item(quantity=99, price=10**9, total_cents=MAX_COUNT)
    sent = event("product.created", new_id(), base_price_cents=MAX_COUNT)
    order = events.envelope("order.created", new_id(), 2**31 - 1, events.order(line))
    apply(sent, order)
    assert Product.objects.get(pk=sent["entity_id"]).base_price_cents == MAX_COUNT
    assert Order.objects.get(pk=order["entity_id"]).total_cents == MAX_COUNT


def test_the_database_itself_cascades():
    sent, order = event("product.created", new_id(), variants={"L": variant()}), event("order.created", new_id())
    apply(sent, order)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM products WHERE product_id = %s", [sent["entity_id"]])
        cursor.execute("DELETE FROM orders WHERE order_id = %s", [order["entity_id"]])
    assert not ProductVariant.objects.filter(product_id=sent["entity_id"]).exists()
    assert not OrderItem.objects.filter(order_id=order["entity_id"]).exists()


def test_unknown_fields_are_ignored_and_missing_optional_ones_are_null():
    sent = event("user.created", new_id())
    sent["data"]["profile"]["new_field"] = {"deep": [1]}
    sent["data"]["loyalty"] = 3
    del sent["data"]["profile"]["bio"], sent["data"]["deleted_at"]
    apply(sent)
    assert User.objects.get(pk=sent["entity_id"]).bio is None


def test_table_names():
    names = {
        model._meta.db_table for model in vars(models).values() if hasattr(model, "_meta") and model._meta.db_table
    }
    assert names >= {"users", "suppliers", "products", "product_variants", "orders", "order_items", "posts"}
