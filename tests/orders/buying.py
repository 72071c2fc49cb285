"""What the tests of Idempotency-Key share: a shop to buy in, and the stored keys."""

from datetime import UTC, datetime, timedelta

from django.http import HttpResponse

from marketplace import mongo
from marketplace.api import idempotency
from tests.api import PLAIN_PRODUCT, VARIANT, Api, Json, new_product, new_supplier, new_user, order_body

KEY = "0d1e4f6c-order-of-ada"


class Shop:
    """A product with ten pieces, and a buyer."""

    def __init__(self) -> None:
        self.supplier, self.buyer = new_supplier(), new_user()
        product = new_product(self.supplier, of=PLAIN_PRODUCT, variants={"Red": VARIANT | {"quantity": 10}})
        self.id = product["id"]

    def body(self, quantity: int = 1) -> Json:
        return order_body({"product_id": self.id, "variant_name": "Red", "quantity": quantity})

    def buy(self, body: Json = None, *, by: Api | None = None, key: str = KEY) -> HttpResponse:
        return (by or self.buyer)("POST", "/orders", body or self.body(), Idempotency_Key=key)

    @property
    def left(self) -> int:
        return self.supplier.get(f"/products/{self.id}")["variants"]["Red"]["quantity"]

    @property
    def orders(self) -> list[Json]:
        return self.buyer.get("/orders")


def keys() -> list[mongo.Stored]:
    return list(mongo.database()[idempotency.COLLECTION].find())


def unlock() -> None:
    """Let the locks of all keys end."""
    past = datetime.now(UTC) - timedelta(seconds=1)
    mongo.database()[idempotency.COLLECTION].update_many({"state": "running"}, {"$set": {"locked_until": past}})
