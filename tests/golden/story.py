"""Events of all types as this version publishes them: a story told through the API, and the largest and least ones."""

from collections.abc import Iterator
from typing import Any

import orjson

from catalog import examples as catalog
from content import examples as content
from marketplace import mongo
from orders import examples as orders
from tests.analytics.test_documents import ENTITIES, least, most, sent
from tests.api import ANYONE, OUTBOX, Api, new_product
from tests.dotted import with_value
from users import examples as users

MOST_ENTRIES = 2  # of lists and maps: the limits of texts are what may break


def told() -> list[bytes]:
    """Return the events of a story in which each type comes, in the order of their writes.

    The first of each type is as its example says.
    """
    user = _signed_up("users", "X-User-ID", users.SIGN_UP)
    supplier = _signed_up("suppliers", "X-Supplier-ID", catalog.SIGN_UP)
    _about_products(supplier)
    bought = new_product(supplier, of=catalog.PRODUCT_CREATE)["id"]
    body = with_value(orders.ORDER_CREATE, "items.0.product_id", bought)
    order = user.post("/orders", body, status=201)["id"]
    user.post(f"/orders/{order}/cancel", orders.CANCEL)
    _about_posts(user)
    user.patch(f"/users/{user.id}", users.CHANGES)
    supplier.patch(f"/suppliers/{supplier.id}", catalog.SUPPLIER_CHANGES)
    supplier.delete(f"/suppliers/{supplier.id}")
    user.delete(f"/users/{user.id}")
    return [one["payload"] for one in mongo.database()[OUTBOX].find(sort=[("timestamp", 1)])]


def _about_products(supplier: Api) -> None:
    changed, sold = (supplier.post("/products", catalog.PRODUCT_CREATE, status=201)["id"] for _ in range(2))
    supplier.patch(f"/products/{changed}", catalog.PRODUCT_CHANGES)
    for action in ("publish", "mark-out-of-stock", "discontinue", "restore"):
        supplier.post(f"/products/{sold}/{action}")
    supplier.delete(f"/products/{changed}")


def _about_posts(user: Api) -> None:
    changed, published = (user.post("/posts", content.POST_CREATE, status=201)["id"] for _ in range(2))
    user.patch(f"/posts/{changed}", content.CHANGES)
    user.post(f"/posts/{published}/publish")
    user.delete(f"/posts/{changed}")


def _signed_up(collection: str, header: str, body: Any) -> Api:
    identifier = ANYONE.post(f"/{collection}", body, status=201)["id"]
    return Api(id=identifier, **{header: identifier})


def extremes() -> Iterator[tuple[str, bytes]]:
    """Yield names and events: the longest texts in four-byte characters, nothing optional, and that left out."""
    for entity, document in ENTITIES:
        name = f"{entity}.created"
        yield f"{name}-most", orjson.dumps(_shortened(sent(entity, document, most(document))))
        smallest = sent(entity, document, _shortened(least(document)))
        yield f"{name}-least", orjson.dumps(smallest)
        yield f"{name}-bare", orjson.dumps(_without_nulls(smallest))


def _shortened(node: Any) -> Any:
    """Return JSON or BSON with so many entries of each list, and of each map by name."""
    if isinstance(node, list):
        return [_shortened(one) for one in node[:MOST_ENTRIES]]
    if not isinstance(node, dict):
        return node
    short = {key: _shortened(value) for key, value in node.items()}
    for name in ("variants", "variant_attributes"):
        if name in short:
            short[name] = dict(list(short[name].items())[:MOST_ENTRIES])
    return short


def _without_nulls(node: Any) -> Any:
    if isinstance(node, list):
        return [_without_nulls(one) for one in node]
    return {k: _without_nulls(v) for k, v in node.items() if v is not None} if isinstance(node, dict) else node
