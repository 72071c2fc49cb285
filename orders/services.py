"""What can be done with orders: rules and transactions."""

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypedDict

from bson import ObjectId

from catalog.services import products_by_id, products_write_stock
from marketplace import pages
from marketplace.callers import Caller
from marketplace.errors import StateConflictError, ValidationError
from marketplace.events.outbox import record
from marketplace.mongo import Stored, now, transaction
from marketplace.pages import Page, Window
from marketplace.policy import Expected, find_for_change
from orders import stock
from orders.documents import Cancellation, Customer, Order, OrderItem, ProductSnapshot, ShippingAddress
from orders.events import ORDER_CANCELLED, ORDER_CREATED
from users.services import user_identity

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # https://www.crockford.com/base32.html
NO_IMAGE = "https://placeholder.com/default.jpg"
CANCELLABLE = ("pending", "confirmed")


class Line(TypedDict, total=False):
    """What a buyer asks for. Without a variant name the product itself is meant."""

    product_id: ObjectId
    variant_name: str | None
    quantity: int


def order_create(
    *,
    caller: Caller,
    items: Sequence[Line],
    shipping_address: ShippingAddress,
    at: datetime | None = None,
    new_id: ObjectId | None = None,
    before_commit: Callable[[Stored], None] | None = None,
) -> Stored:
    """Place an order in the calling user's name and take its stock: all or nothing.

    `before_commit` gets the stored order inside its transaction; what it writes commits with the order or not at all.

    Raises ValidationError naming the line whose product is not active or whose variant does not exist,
    InsufficientStockError naming the line that cannot be met in full.
    """
    with stock.turn(line["product_id"] for line in items):
        return _order_create(caller.id, items, shipping_address, at, new_id, before_commit)


@transaction
def _order_create(
    user_id: str,
    items: Sequence[Line],
    shipping_address: ShippingAddress,
    at: datetime | None,
    new_id: ObjectId | None,
    before_commit: Callable[[Stored], None] | None,
) -> Stored:
    products = products_by_id(line["product_id"] for line in items)
    order = Order(
        id=new_id,
        order_number=_order_number(at or now()),
        customer=_customer(user_id),
        items=[_item(index, line, products) for index, line in enumerate(items)],
        shipping_address=shipping_address,
    )
    for item in order.items:
        order.stock_takes.extend(stock.take(products[item.product_snapshot.product_id], item))
    products_write_stock(list(products.values()), at=at)
    stored = record(order, ORDER_CREATED, at=at)
    if before_commit is not None:
        before_commit(stored)
    return stored


def _order_number(moment: datetime) -> str:
    return f"ORD-{moment:%Y%m%d}-{''.join(secrets.choice(CROCKFORD) for _ in range(8))}"


def _customer(user_id: str) -> Customer:
    user = user_identity(user_id)
    contact = user["contact_info"]
    return Customer(
        user_id=user["_id"],
        display_name=user["profile"]["display_name"],
        email=contact["primary_email"],
        phone=contact.get("phone"),
    )


def _item(index: int, line: Line, products: dict[ObjectId, Stored]) -> OrderItem:
    """Return the order's copy of what is bought, at its price of this moment."""
    product = products.get(line["product_id"])
    if product is None or product["status"] != "active":
        raise ValidationError.of(f"items.{index}.product_id", "No active product has this id.")
    name = line.get("variant_name")
    variant = product.get("variants", {}).get(name) if name is not None else None
    if name is not None and variant is None:
        raise ValidationError.of(f"items.{index}.variant_name", "The product has no such variant.")
    price = variant["price_cents"] if variant else product["base_price_cents"]
    return OrderItem(
        item_id=f"item_{index + 1}",
        product_snapshot=_snapshot(product, name, variant),
        quantity=line["quantity"],
        unit_price_cents=price,
        final_price_cents=price,
        total_cents=price * line["quantity"],
    )


def _snapshot(product: Stored, name: str | None, variant: dict[str, Any] | None) -> ProductSnapshot:
    attributes = (variant or {}).get("attributes", [])
    return ProductSnapshot(
        product_id=product["_id"],
        supplier_id=product["supplier_id"],
        product_name=product["name"],
        variant_name=name,
        variant_attributes={entry["attribute_name"]: entry["attribute_value"] for entry in attributes},
        image_url=(variant or {}).get("image_url") or _image(product),
        supplier_name=product["supplier_info"]["name"],
    )


def _image(product: Stored) -> str:
    """Return the product's primary image, else its first, else a placeholder."""
    images = product.get("images", [])
    chosen = next((image for image in images if image.get("is_primary")), images[0] if images else None)
    return str(chosen["url"]) if chosen else NO_IMAGE


def order_list(
    *,
    caller: Caller,
    window: Window,
    status: list[str] | None = None,
    user_id: ObjectId | None = None,
) -> Page:
    """Return a user's own orders, or for staff all or those of `user_id`; newest first."""
    customer = ObjectId(caller.id) if caller.kind == "user" else user_id
    query: dict[str, Any] = {} if customer is None else {"customer.user_id": customer}
    if status:
        query["status"] = {"$in": status}
    return pages.read(Order, query, sort="-created_at", window=window)


@transaction
def order_cancel(
    *,
    caller: Caller,
    identifier: str,
    expected: Expected = None,
    reason: str | None = None,
    at: datetime | None = None,
) -> Stored:
    """Cancel an order and give its stock back.

    Raises NotFoundError, AuthorizationError, VersionConflictError, StateConflictError once it is being processed.
    """
    order = find_for_change(Order, identifier, caller, expected)
    if order.status not in CANCELLABLE:
        raise StateConflictError(f"The order is {order.status}", details={"status": order.status})
    moment = order.next_moment(at)
    order.status = "cancelled"
    order.cancellation = Cancellation(reason=reason, cancelled_at=moment)
    for item in order.items:
        item.fulfillment_status = "cancelled"
    products = products_by_id(item.product_snapshot.product_id for item in order.items)
    stock.give_back(products, order.items, order.stock_takes)
    products_write_stock(list(products.values()), at=at)
    return record(order, ORDER_CANCELLED, at=moment)
