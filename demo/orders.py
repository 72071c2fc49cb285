"""The demo's orders: who buys what and when, cancellations, and what sells out and is restocked, or not yet."""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, TypedDict

from bson import ObjectId

from catalog import services as catalog
from catalog.serializers import ProductUpdateSerializer
from demo.addresses import address
from demo.generation import Demand, Item, after, demo_id, draw, long_tail, moments, pick, validated
from demo.people import People
from marketplace.callers import SYSTEM, Caller
from marketplace.errors import InsufficientStockError
from marketplace.mongo import Readable, transaction
from marketplace.pages import Window
from orders.serializers import OrderCreateSerializer
from orders.services import order_cancel, order_create
from users.services import user_identity

# The last day brings 1 + GROWTH times the orders of the first.
GROWTH = 1.5
LINES: dict[int, float] = {1: 55, 2: 27, 3: 12, 4: 6}
QUANTITIES: dict[int, float] = {1: 75, 2: 17, 3: 6, 4: 2}
CANCELLED_SHARE = 0.07
CANCEL_REASONS: dict[str | None, float] = {
    "Ordered by mistake": 25,
    "Found it cheaper elsewhere": 20,
    "Delivery takes too long": 18,
    "Changed my mind": 17,
    "Wrong size or colour chosen": 10,
    None: 10,
}
# How strongly regulars buy more than newcomers.
LOYALTY = 1.9
MAX_PRODUCTS = 1000
# What sells out in the last days has not been restocked yet: customers take what is left, or another product.
RESTOCK_TIME = timedelta(days=10)
# That is tried so often; then the supplier brings some after all.
PATIENCE = 5


class Target(TypedDict):
    """Which product a transition is for, and when it happens."""

    caller: Caller
    identifier: str
    at: datetime


def on_sale() -> list[Readable]:
    """Return the active products in the order of their popularity, which follows from their ids."""
    products = catalog.product_list(caller=SYSTEM, status=["active"], window=Window(MAX_PRODUCTS))
    return sorted(products.documents, key=lambda product: draw("popularity", product["_id"]).random())


@dataclass(frozen=True, slots=True)
class Purchase:
    """An order before it is placed, and when it will be cancelled, if it will."""

    id: ObjectId
    at: datetime
    customer: Caller
    body: dict[str, Any]
    cancelled_at: datetime | None
    reason: str | None


def items(demand: Demand, products: list[Readable]) -> Iterator[Item]:
    """Return the orders, oldest first: stock changes only make sense in that order."""
    people = People(demand.seed, demand.until)
    times = moments(demand, "order", growth=GROWTH)
    for number in sorted(range(demand.count), key=times.__getitem__):
        new_id = demo_id("orders", f"{demand.seed}:{number}")
        random = draw(demand.seed, "order lines", number)
        make = functools.partial(_make, new_id, times[number], random, people, products, demand.until)
        yield Item("orders", new_id, make)


def _make(
    new_id: ObjectId, at: datetime, random: Random, people: People, products: list[Readable], until: datetime
) -> None:
    customer = people.somebody(random, at, skew=LOYALTY)
    on_sale_then = [product for product in products if product["published_at"] <= at] or products
    body = {"items": _lines(random, on_sale_then), "shipping_address": _shipping_address(customer)}
    cancelled_at = None
    if random.random() < CANCELLED_SHARE:
        cancelled_at = min(at + after(random, timedelta(minutes=5), timedelta(hours=30)), until)
    purchase = Purchase(new_id, at, customer, body, cancelled_at, pick(random, CANCEL_REASONS))
    substitutes = PATIENCE if at > until - RESTOCK_TIME else 0
    while (shortage := _shortage(purchase)) is not None:
        if substitutes:
            _substitute(purchase, shortage, _line(random, long_tail(random, on_sale_then)))
            substitutes -= 1
        else:
            _restock(shortage["product_id"], random.randint(2, 6) * 5, at)


def _shortage(purchase: Purchase) -> dict[str, Any] | None:
    """Place the order. Return None, or of what there is not enough, as the API tells its clients."""
    try:
        _place(purchase)
    except InsufficientStockError as error:
        return error.details
    return None


def _substitute(purchase: Purchase, shortage: dict[str, Any], other: dict[str, Any]) -> None:
    """Take what is left, or the other line when nothing is."""
    left = shortage["available"]
    purchase.body["items"] = [
        line if line["product_id"] != shortage["product_id"] else (line | {"quantity": left} if left else other)
        for line in purchase.body["items"]
    ]


@transaction
def _place(purchase: Purchase) -> None:
    changes = validated(OrderCreateSerializer, purchase.body)
    order_create(caller=purchase.customer, **changes, at=purchase.at, new_id=purchase.id)
    if purchase.cancelled_at is not None:
        order_cancel(
            caller=purchase.customer, identifier=str(purchase.id), reason=purchase.reason, at=purchase.cancelled_at
        )


def _lines(random: Random, products: list[Readable]) -> list[dict[str, Any]]:
    """Return lines of different products."""
    wanted = [long_tail(random, products) for _ in range(pick(random, LINES))]
    return [_line(random, product) for product in {product["_id"]: product for product in wanted}.values()]


def _line(random: Random, product: Readable) -> dict[str, Any]:
    variants = sorted(product.get("variants", {}))
    return {
        "product_id": str(product["_id"]),
        "variant_name": random.choice(variants) if variants else None,
        "quantity": pick(random, QUANTITIES),
    }


def _shipping_address(customer: Caller) -> dict[str, Any]:
    """Return the customer's address: always the same one."""
    random = draw("home", customer.id)
    profile = user_identity(customer.id)
    contact = profile["contact_info"]
    return address(random) | {
        "recipient_name": profile["profile"]["display_name"],
        "phone": contact.get("phone"),
    }


@transaction
def _restock(product_id: str, pieces: int, at: datetime) -> None:
    """Do what the supplier does about a sold-out product: mark it, count the new pieces, and sell it again."""
    product = catalog.products_by_id([ObjectId(product_id)])[ObjectId(product_id)]
    for place in [*product.get("variants", {}).values(), *product.get("stock_locations", [])]:
        place["quantity"] += pieces
    stock = {name: product[name] for name in ("variants", "stock_locations") if product.get(name)}
    target: Target = {"caller": SYSTEM, "identifier": product_id, "at": at}
    catalog.product_mark_out_of_stock(**target)
    catalog.product_restore(**target)
    catalog.product_update(**target, changes=validated(ProductUpdateSerializer, stock))
    catalog.product_publish(**target)
