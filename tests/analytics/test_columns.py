"""Every column of the tables, from a complete event of each entity."""

import pytest

from analytics.models import Order, OrderItem, Post, Product, ProductVariant, Supplier, User
from tests.analytics import events
from tests.analytics.conftest import apply
from tests.analytics.events import event, item, new_id, variant
from tests.analytics.test_projections import row, time

pytestmark = pytest.mark.django_db


def without_envelope(stored):
    return {key: value for key, value in stored.items() if key not in ("version", "event_id", "event_timestamp")}


def test_user_columns():
    sent = event("user.created", new_id(), bio="Hi 👋")
    apply(sent)
    assert without_envelope(row(User, sent["entity_id"])) == {
        "user_id": sent["entity_id"],
        "email": "ada@example.com",
        "phone": "+44 20 1234",
        "display_name": "Ada",
        "avatar": "https://cdn.example.com/a.jpg",
        "bio": "Hi 👋",
        "deleted_at": None,
        "created_at": time(events.CREATED_AT),
        "updated_at": time(sent["timestamp"]),
    }


def test_supplier_columns():
    sent = event("supplier.created", new_id())
    apply(sent)
    assert without_envelope(row(Supplier, sent["entity_id"])) == {
        "supplier_id": sent["entity_id"],
        "email": "sales@example.com",
        "primary_phone": "+351 1",
        "contact_person_name": "Rui",
        "contact_person_title": "Head",
        "contact_person_email": "rui@example.com",
        "contact_person_phone": None,
        "legal_name": "Porto Goods Lda",
        "dba_name": "Porto Goods",
        "street_address_1": "1 Quay",
        "street_address_2": None,
        "city": "Porto",
        "state": "Porto",
        "zip_code": "4000",
        "country": "PT",
        "support_email": "help@example.com",
        "support_phone": None,
        "facebook_url": "https://facebook.example/p",
        "instagram_handle": "@porto",
        "twitter_handle": None,
        "linkedin_url": None,
        "timezone": "Europe/Lisbon",
        "created_at": time(events.CREATED_AT),
        "updated_at": time(sent["timestamp"]),
    }


def test_supplier_without_business_info_or_address_has_nulls():
    sent = event("supplier.created", new_id(), business_address=None)
    sent["data"]["business_info"] = None
    apply(sent)
    stored = row(Supplier, sent["entity_id"])
    assert stored["city"] is None
    assert stored["timezone"] is None


def test_product_and_variant_columns():
    sent = event("product.created", new_id(), variants={"L": variant()}, published_at="2026-03-02T00:00:00Z")
    apply(sent)
    stored = without_envelope(row(Product, sent["entity_id"]))
    assert stored == {
        "product_id": sent["entity_id"],
        "supplier_id": "a" * 24,
        "supplier_name": "Porto Goods Lda",
        "name": "Lamp",
        "short_description": None,
        "category": "home_garden",
        "unit_type": "piece",
        "base_sku": "L-1",
        "brand": None,
        "base_price_cents": 2500,
        "status": "draft",
        "view_count": 1,
        "favorite_count": 2,
        "purchase_count": 3,
        "total_reviews": 4,
        "published_at": time("2026-03-02T00:00:00Z"),
        "created_at": time(events.CREATED_AT),
        "updated_at": time(sent["timestamp"]),
    }
    found = ProductVariant.objects.values().get(product_id=sent["entity_id"])
    del found["id"]
    assert found == {
        "product_id": sent["entity_id"],
        "variant_key": "L",
        "variant_id": "V1",
        "variant_name": "Large",
        "attributes_json": [{"attribute_name": "size", "attribute_value": "L"}],
        "price_cents": 1999,
        "cost_cents": 900,
        "quantity": 5,
        "width_cm": 10.0,
        "height_cm": 2.5,
        "depth_cm": 30.0,
        "image_url": None,
    }


def test_order_and_item_columns():
    sent = event("order.created", new_id())
    apply(sent)
    assert without_envelope(row(Order, sent["entity_id"])) == {
        "order_id": sent["entity_id"],
        "order_number": "ORD-20260301-0123ABCD",
        "customer_user_id": "c" * 24,
        "customer_display_name": "Ada",
        "customer_email": "ada@example.com",
        "customer_phone": None,
        "shipping_recipient_name": "Ada L",
        "shipping_phone": None,
        "shipping_street_1": "12 Road",
        "shipping_street_2": None,
        "shipping_city": "London",
        "shipping_state": "London",
        "shipping_zip_code": "N1",
        "shipping_country": "GB",
        "status": "pending",
        "item_count": 5,
        "total_cents": 4050,
        "cancellation_reason": None,
        "cancelled_at": None,
        "created_at": time(events.CREATED_AT),
        "updated_at": time(sent["timestamp"]),
    }
    found = OrderItem.objects.values().get(order_id=sent["entity_id"], item_id="item_2")
    del found["id"]
    assert found == {
        "order_id": sent["entity_id"],
        "item_id": "item_2",
        "product_id": "b" * 24,
        "supplier_id": "a" * 24,
        "product_name": "Lamp",
        "variant_name": "Large",
        "variant_attributes_json": {"size": "L"},
        "image_url": "https://placeholder.com/default.jpg",
        "supplier_name": "Porto Goods Lda",
        "quantity": 1,
        "unit_price_cents": 50,
        "final_price_cents": 50,
        "total_cents": 50,
        "fulfillment_status": "pending",
        "shipped_quantity": 0,
        "tracking_number": None,
        "carrier": None,
        "shipped_at": None,
        "delivered_at": None,
    }


def test_a_cancelled_order_carries_its_reason_and_its_items_status():
    order_id = new_id()
    apply(event("order.created", order_id))
    cancellation = {"reason": "changed my mind", "cancelled_at": "2026-03-03T01:02:03.456Z"}
    items = [item(1, fulfillment_status="cancelled")]
    sent = events.envelope(
        "order.cancelled", order_id, 2, events.order(*items, status="cancelled", cancellation=cancellation)
    )
    apply(sent)
    stored = Order.objects.get(pk=order_id)
    assert (stored.status, stored.cancellation_reason) == ("cancelled", "changed my mind")
    assert stored.cancelled_at == time("2026-03-03T01:02:03.456Z")
    assert [found.fulfillment_status for found in stored.items.all()] == ["cancelled"]


def test_post_columns():
    sent = event("post.created", new_id())
    apply(sent)
    assert without_envelope(row(Post, sent["entity_id"])) == {
        "post_id": sent["entity_id"],
        "post_type": "link",
        "author_user_id": "c" * 24,
        "author_display_name": "Ada",
        "author_avatar": "https://cdn.example.com/a.jpg",
        "author_type": "user",
        "text_content": "Look at this",
        "media_json": [{"media_type": "image", "media_url": "https://cdn.example.com/1.jpg", "width": 640}],
        "link_url": "https://example.com/x",
        "link_title": "A title",
        "link_description": None,
        "link_image": None,
        "link_site_name": "Example",
        "view_count": 100,
        "like_count": 5,
        "comment_count": 1,
        "share_count": 0,
        "save_count": 0,
        "engagement_rate": 0.06,
        "last_comment_at": None,
        "deleted_at": None,
        "published_at": time(events.CREATED_AT),
        "created_at": time(events.CREATED_AT),
        "updated_at": time(sent["timestamp"]),
    }
