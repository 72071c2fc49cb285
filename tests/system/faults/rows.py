"""Which rows an answer of the API stands for, by hand from the published contract of the analytics tables.

A body is the whole document as its owner sees it. The columns of the event itself (version, event_id, event_timestamp)
are not here.
"""

from datetime import UTC, datetime
from typing import Any

Body = dict[str, Any]
Row = dict[str, Any]


def moment(value: str | None) -> datetime | None:
    """Return a time of the API as a datetime in UTC without a zone."""
    return None if value is None else datetime.fromisoformat(value).astimezone(UTC).replace(tzinfo=None)


def _times(body: Body) -> Row:
    return {"created_at": moment(body["created_at"]), "updated_at": moment(body["updated_at"])}


def user(body: Body) -> Row:
    """Return the row of `users`."""
    contact, profile = body["contact_info"], body["profile"]
    return _times(body) | {
        "user_id": body["id"],
        "email": contact["primary_email"],
        "phone": contact["phone"],
        "display_name": profile["display_name"],
        "avatar": profile["avatar"],
        "bio": profile["bio"],
        "deleted_at": None,
    }


def supplier(body: Body) -> Row:
    """Return the row of `suppliers`."""
    contact, company, business = body["contact_info"], body["company_info"], body["business_info"] or {}
    address = company["business_address"]
    person = ("name", "title", "email", "phone")
    place = ("street_address_1", "street_address_2", "city", "state", "zip_code", "country")
    online = ("facebook_url", "instagram_handle", "twitter_handle", "linkedin_url", "timezone")
    return (
        _times(body)
        | {"supplier_id": body["id"], "email": contact["primary_email"], "primary_phone": contact["primary_phone"]}
        | {f"contact_person_{name}": contact[f"contact_person_{name}"] for name in person}
        | {"legal_name": company["legal_name"], "dba_name": company["dba_name"]}
        | {name: address[name] for name in place}
        | {name: business.get(name) for name in ("support_email", "support_phone", *online)}
    )


def product(body: Body) -> Row:
    """Return the row of `products`."""
    same = ("supplier_id", "name", "short_description", "category", "unit_type", "base_price_cents", "status")
    counts = ("view_count", "favorite_count", "purchase_count", "total_reviews")
    return (
        _times(body)
        | {name: body[name] for name in same}
        | {name: body["stats"][name] for name in counts}
        | {
            "product_id": body["id"],
            "supplier_name": body["supplier_info"]["name"],
            "base_sku": body["metadata"]["base_sku"],
            "brand": body["metadata"]["brand"],
            "published_at": moment(body["published_at"]),
        }
    )


def variants(body: Body) -> dict[Any, Row]:
    """Return the rows of `product_variants` by their unique key."""
    return {(body["id"], key): _variant(body["id"], key, variant) for key, variant in body["variants"].items()}


def _variant(product_id: str, key: str, variant: Body) -> Row:
    same = ("variant_id", "variant_name", "price_cents", "cost_cents", "quantity", "image_url")
    sizes = ("width_cm", "height_cm", "depth_cm")
    return (
        {"product_id": product_id, "variant_key": key, "attributes_json": variant["attributes"]}
        | {name: variant[name] for name in same}
        | {name: float(variant["package_dimensions"][name]) for name in sizes}
    )


def order(body: Body) -> Row:
    """Return the row of `orders`."""
    customer, address, cancellation = body["customer"], body["shipping_address"], body["cancellation"] or {}
    return (
        _times(body)
        | {"order_id": body["id"], "order_number": body["order_number"], "status": body["status"]}
        | {f"customer_{name}": customer[name] for name in ("user_id", "display_name", "email", "phone")}
        | {
            f"shipping_{name}": address[name]
            for name in ("recipient_name", "phone", "city", "state", "zip_code", "country")
        }
        | {
            "shipping_street_1": address["street_address_1"],
            "shipping_street_2": address["street_address_2"],
            "item_count": sum(item["quantity"] for item in body["items"]),
            "total_cents": sum(item["total_cents"] for item in body["items"]),
            "cancellation_reason": cancellation.get("reason"),
            "cancelled_at": moment(cancellation.get("cancelled_at")),
        }
    )


def items(body: Body) -> dict[Any, Row]:
    """Return the rows of `order_items` by their unique key."""
    return {(body["id"], item["item_id"]): _item(body["id"], item) for item in body["items"]}


def _item(order_id: str, item: Body) -> Row:
    snapshot = item["product_snapshot"]
    same = ("item_id", "quantity", "unit_price_cents", "final_price_cents", "total_cents", "fulfillment_status")
    shipping = ("shipped_quantity", "tracking_number", "carrier")
    copied = ("product_id", "supplier_id", "product_name", "variant_name", "image_url", "supplier_name")
    return (
        {"order_id": order_id, "variant_attributes_json": snapshot["variant_attributes"]}
        | {name: item[name] for name in (*same, *shipping)}
        | {name: snapshot[name] for name in copied}
        | {name: moment(item[name]) for name in ("shipped_at", "delivered_at")}
    )


def post(body: Body) -> Row:
    """Return the row of `posts`."""
    author, link, stats = body["author"], body["link_preview"] or {}, body["stats"]
    counts = ("view_count", "like_count", "comment_count", "share_count", "save_count")
    return (
        _times(body)
        | {"post_id": body["id"], "post_type": body["post_type"], "text_content": body["text_content"]}
        | {f"author_{name}": author[name] for name in ("user_id", "display_name", "avatar")}
        | {"author_type": author["author_type"], "media_json": body["media"]}
        | {f"link_{name}": link.get(name) for name in ("url", "title", "description", "image", "site_name")}
        | {name: stats[name] for name in counts}
        | {
            "engagement_rate": float(stats["engagement_rate"]),
            "last_comment_at": moment(stats["last_comment_at"]),
            "deleted_at": None,
            "published_at": moment(body["published_at"]),
        }
    )
