"""Taking stock for order lines, and giving it back.

Works on stored products as they were read in the running transaction.
Always: read the products, change them here, and write them in the order's own transaction (`products_write_stock`).
Never: change quantities outside of it, or write a deleted product.
Once per transaction: one read and one write for all products of an order, so that buyers of the same products in
opposite order conflict at once and retry, instead of waiting for each other.
Before the transaction: `turn`, which keeps the buyers of one process from conflicting with each other at all.
"""

import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from bson import ObjectId

from marketplace.errors import InsufficientStockError
from marketplace.fields import MAX_QUANTITY
from marketplace.mongo import Stored
from orders.documents import OrderItem, StockTake

_LOCKS = tuple(threading.Lock() for _ in range(256))


@contextmanager
def turn(product_ids: Iterable[ObjectId]) -> Iterator[None]:
    """Wait until no other order of this process is changing these products.

    MongoDB aborts the later of two conflicting transactions, which then waits and runs again: with 50 buyers of one
    product nearly all work would be thrown away. Correctness does not rest on this; other processes still conflict.
    Locks are taken in one order, so nobody waits in a circle.
    """
    stripes = sorted({hash(product_id) % len(_LOCKS) for product_id in product_ids})
    with ExitStack() as held:
        for stripe in stripes:
            held.enter_context(_LOCKS[stripe])
        yield


def is_tracked(product: Stored) -> bool:
    """Whether the product's stock is counted at all."""
    return bool(product.get("variants") or product.get("stock_locations"))


def take(product: Stored, item: OrderItem) -> list[StockTake]:
    """Take a line's pieces out of the product: of its variant, else of the stock locations in their order.

    Changes `product`. Return where the pieces came from. Raises InsufficientStockError naming the line.
    """
    product["stats"]["purchase_count"] += item.quantity
    if not is_tracked(product):
        return []
    variant = item.product_snapshot.variant_name
    places = _variant_place(product, variant) if variant is not None else product.get("stock_locations", [])
    available = sum(place["quantity"] for place in places)
    if available < item.quantity:
        raise InsufficientStockError(details=_shortage(item, available))
    return _take_from(places, item, product)


def _variant_place(product: Stored, variant: str) -> list[dict[str, Any]]:
    return [product["variants"][variant]]


def _take_from(places: list[dict[str, Any]], item: OrderItem, product: Stored) -> list[StockTake]:
    takes = []
    missing = item.quantity
    for position, place in enumerate(places):
        pieces = min(missing, place["quantity"])
        if pieces == 0:
            continue
        place["quantity"] -= pieces
        missing -= pieces
        takes.append(_stock_take(product, item, place, position, pieces))
    return takes


def _stock_take(product: Stored, item: OrderItem, place: dict[str, Any], position: int, pieces: int) -> StockTake:
    variant = item.product_snapshot.variant_name
    if variant is not None:
        return StockTake(product_id=product["_id"], variant=variant, quantity=pieces)
    return StockTake(product_id=product["_id"], location=place["location_name"], position=position, quantity=pieces)


def _shortage(item: OrderItem, available: int) -> dict[str, Any]:
    return {
        "item_id": item.item_id,
        "product_id": str(item.product_snapshot.product_id),
        "variant_name": item.product_snapshot.variant_name,
        "requested": item.quantity,
        "available": available,
    }


def give_back(products: dict[Any, Stored], items: Iterable[OrderItem], takes: Iterable[StockTake]) -> None:
    """Undo `take` for a cancelled order, in the products that still exist.

    A place that its owner has removed since gets nothing: the quantities that replaced it are the owner's own count.
    """
    for item in items:
        if (product := products.get(item.product_snapshot.product_id)) is not None:
            product["stats"]["purchase_count"] -= item.quantity
    for taken in takes:
        place = _place_of(products.get(taken.product_id), taken)
        if place is not None:
            place["quantity"] = min(place["quantity"] + taken.quantity, MAX_QUANTITY)


def _place_of(product: Stored | None, taken: StockTake) -> dict[str, Any] | None:
    """Return the place that pieces came from: a variant by its key, a location by position and name, else by name."""
    if product is None:
        return None
    if taken.variant is not None:
        variant: dict[str, Any] | None = product.get("variants", {}).get(taken.variant)
        return variant
    named = [
        (abs(position - taken.position), position, place)
        for position, place in enumerate(product.get("stock_locations", []))
        if place["location_name"] == taken.location
    ]
    return min(named, key=lambda entry: entry[:2])[2] if named else None
