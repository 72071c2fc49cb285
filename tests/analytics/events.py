"""Events as the outbox makes them, with complete data, for tests of the consumer side."""

import itertools
import uuid
from typing import Any

import orjson
from bson import ObjectId

CREATED_AT = "2026-03-01T10:00:00.000Z"
_minutes = itertools.count()


def new_id() -> str:
    return str(ObjectId())


def timestamp() -> str:
    """Return a time later than the last one."""
    minutes = next(_minutes)
    return f"2026-04-{1 + minutes // 1440 % 28:02}T{minutes // 60 % 24:02}:{minutes % 60:02}:07.123Z"


def envelope(event_type: str, entity_id: str, version: int, data: dict[str, Any]) -> dict[str, Any]:
    at = timestamp()
    if event_type.endswith(".deleted"):
        data = {f"{event_type.split('.')[0]}_id": entity_id, "deleted_at": at} | data
    else:
        data = {"id": entity_id, "version": version, "created_at": CREATED_AT, "updated_at": at} | data
    return {
        "event_type": event_type,
        "event_id": str(uuid.uuid4()),
        "timestamp": at,
        "entity_id": entity_id,
        "version": version,
        "data": data,
    }


def user(**profile: Any) -> dict[str, Any]:
    return {
        "contact_info": {"primary_email": "ada@example.com", "additional_emails": [], "phone": "+44 20 1234"},
        "profile": {
            "display_name": "Ada",
            "avatar": "https://cdn.example.com/a.jpg",
            "bio": None,
            "date_of_birth": None,
        }
        | profile,
        "deleted_at": None,
    }


def supplier(**company: Any) -> dict[str, Any]:
    address = {"street_address_1": "1 Quay", "street_address_2": None, "city": "Porto", "state": "Porto"}
    return {
        "contact_info": {
            "primary_email": "sales@example.com",
            "additional_emails": [],
            "primary_phone": "+351 1",
            "contact_person_name": "Rui",
            "contact_person_title": "Head",
            "contact_person_email": "rui@example.com",
            "contact_person_phone": None,
        },
        "company_info": {
            "legal_name": "Porto Goods Lda",
            "dba_name": "Porto Goods",
            "business_address": address | {"zip_code": "4000", "country": "PT"},
            "shipping_address": None,
        }
        | company,
        "business_info": {
            "facebook_url": "https://facebook.example/p",
            "instagram_handle": "@porto",
            "twitter_handle": None,
            "linkedin_url": None,
            "timezone": "Europe/Lisbon",
            "support_email": "help@example.com",
            "support_phone": None,
        },
    }


def variant(variant_id: str = "V1", **changes: Any) -> dict[str, Any]:
    return {
        "variant_id": variant_id,
        "variant_name": "Large",
        "attributes": [{"attribute_name": "size", "attribute_value": "L"}],
        "price_cents": 1999,
        "cost_cents": 900,
        "quantity": 5,
        "package_dimensions": {"width_cm": 10, "height_cm": 2.5, "depth_cm": 30.0},
        "image_url": None,
    } | changes


def product(variants: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    return {
        "supplier_id": "a" * 24,
        "supplier_info": {"name": "Porto Goods Lda"},
        "name": "Lamp",
        "short_description": None,
        "topic_descriptions": [],
        "category": "home_garden",
        "unit_type": "piece",
        "metadata": {"base_sku": "L-1", "brand": None},
        "images": [],
        "stock_locations": [],
        "variants": variants or {},
        "base_price_cents": 2500,
        "stats": {"view_count": 1, "favorite_count": 2, "purchase_count": 3, "total_reviews": 4},
        "status": "draft",
        "published_at": None,
    } | changes


def item(number: int = 1, quantity: int = 2, price: int = 1000, **changes: Any) -> dict[str, Any]:
    return {
        "item_id": f"item_{number}",
        "product_snapshot": {
            "product_id": "b" * 24,
            "supplier_id": "a" * 24,
            "product_name": "Lamp",
            "variant_name": "Large",
            "variant_attributes": {"size": "L"},
            "image_url": "https://placeholder.com/default.jpg",
            "supplier_name": "Porto Goods Lda",
        },
        "quantity": quantity,
        "unit_price_cents": price,
        "final_price_cents": price,
        "total_cents": quantity * price,
        "fulfillment_status": "pending",
        "shipped_quantity": 0,
        "tracking_number": None,
        "carrier": None,
        "shipped_at": None,
        "delivered_at": None,
    } | changes


def order(*items: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "order_number": "ORD-20260301-0123ABCD",
        "customer": {"user_id": "c" * 24, "display_name": "Ada", "email": "ada@example.com", "phone": None},
        "items": list(items) or [item(1), item(2, quantity=1, price=50), item(3)],
        "shipping_address": {
            "recipient_name": "Ada L",
            "phone": None,
            "street_address_1": "12 Road",
            "street_address_2": None,
            "city": "London",
            "state": "London",
            "zip_code": "N1",
            "country": "GB",
        },
        "status": "pending",
        "cancellation": None,
    } | changes


def post(**changes: Any) -> dict[str, Any]:
    return {
        "post_type": "link",
        "author": {
            "user_id": "c" * 24,
            "display_name": "Ada",
            "avatar": "https://cdn.example.com/a.jpg",
            "author_type": "user",
        },
        "text_content": "Look at this",
        "media": [{"media_type": "image", "media_url": "https://cdn.example.com/1.jpg", "width": 640}],
        "link_preview": {
            "url": "https://example.com/x",
            "title": "A title",
            "description": None,
            "image": None,
            "site_name": "Example",
        },
        "stats": {
            "view_count": 100,
            "like_count": 5,
            "comment_count": 1,
            "share_count": 0,
            "save_count": 0,
            "engagement_rate": 0.06,
            "last_comment_at": None,
        },
        "published_at": CREATED_AT,
        "deleted_at": None,
    } | changes


DATA = {"user": user, "supplier": supplier, "product": product, "order": order, "post": post}


def event(event_type: str, entity_id: str, version: int = 1, **changes: Any) -> dict[str, Any]:
    """Return an envelope; `changes` go to the builder of the entity's data."""
    entity, _, what = event_type.partition(".")
    data = {} if what == "deleted" else DATA[entity](**changes)
    return envelope(event_type, entity_id, version, data)


def raw(envelope: dict[str, Any]) -> bytes:
    return orjson.dumps(envelope)
