"""Stock: where pieces come from, that nobody oversells, and that they go back (SPEC section 3)."""

from collections import Counter

import pytest

from marketplace import mongo
from tests.api import (
    LOCATION,
    PLAIN_PRODUCT,
    VARIANT,
    Api,
    Json,
    events_of,
    new_order,
    new_product,
    new_supplier,
    new_user,
    nothing_written,
    order_body,
)
from tests.concurrency import at_once

pytestmark = pytest.mark.usefixtures("api")


def places(*quantities: int) -> list[Json]:
    """Return stock locations A, B, ... with these quantities."""
    return [LOCATION | {"location_name": chr(65 + i), "quantity": one} for i, one in enumerate(quantities)]


class Shop:
    """A supplier with one product, and a buyer."""

    def __init__(self, **product: Json) -> None:
        self.supplier, self.buyer = new_supplier(), new_user()
        self.id = new_product(self.supplier, of=PLAIN_PRODUCT | product)["id"]
        self.path = f"/products/{self.id}"

    def line(self, quantity: int, variant: str | None = None) -> Json:
        return {"product_id": self.id, "variant_name": variant, "quantity": quantity}

    def buy(self, *lines: Json, status: int = 201) -> Json:
        return self.buyer.post("/orders", order_body(*lines), status=status)

    def cancel(self, order: Json) -> None:
        self.buyer.post(f"/orders/{order['id']}/cancel")

    @property
    def left(self) -> list[int]:
        """The quantities of the places, then of the variants, then the pieces sold."""
        product = self.supplier.get(self.path)
        variants = [one["quantity"] for one in product["variants"].values()]
        return [*(one["quantity"] for one in product["stock_locations"]), *variants, product["stats"]["purchase_count"]]


def variants(**quantities: int) -> Json:
    return {name: VARIANT | {"quantity": one} for name, one in quantities.items()}


def test_a_variant_line_takes_from_its_variant_only() -> None:
    shop = Shop(stock_locations=places(5), variants=variants(Red=4, Blue=9))
    order = shop.buy(shop.line(4, "Red"))
    assert shop.left == [5, 0, 9, 4]
    shop.cancel(order)
    assert shop.left == [5, 4, 9, 0]


def test_a_line_without_variant_takes_from_the_places_in_their_order() -> None:
    shop = Shop(stock_locations=places(2, 0, 3, 4), variants=variants(Red=9))
    first = shop.buy(shop.line(4))
    assert shop.left == [0, 0, 1, 4, 9, 4]
    second = shop.buy(shop.line(5))
    assert shop.left == [0, 0, 0, 0, 9, 9]
    shop.cancel(first)
    assert shop.left == [2, 0, 2, 0, 9, 5]
    shop.cancel(second)
    assert shop.left == [2, 0, 3, 4, 9, 0]


def test_a_product_without_places_and_variants_is_not_counted() -> None:
    shop = Shop()
    order = shop.buy(shop.line(99), shop.line(99))
    assert shop.left == [198]
    shop.cancel(order)
    assert shop.left == [0]


@pytest.mark.parametrize(
    ("product", "wanted", "available"),
    [
        ({"stock_locations": places(2, 3)}, (6, None), 5),
        ({"stock_locations": places(0)}, (1, None), 0),
        ({"variants": variants(Red=3), "stock_locations": places(50)}, (4, "Red"), 3),
        ({"variants": variants(Red=50)}, (1, None), 0),  # a product with variants only is sold by variant
    ],
)
def test_a_line_that_cannot_be_met_takes_nothing(product: Json, wanted: tuple[int, str | None], available: int) -> None:
    shop = Shop(**product)
    other = new_product(shop.supplier)["id"]
    with nothing_written():
        error = shop.buy({"product_id": other, "quantity": 1}, shop.line(*wanted), status=409)
    assert error["code"] == "INSUFFICIENT_STOCK"
    assert error["details"] == {
        "item_id": "item_2",
        "product_id": shop.id,
        "variant_name": wanted[1],
        "requested": wanted[0],
        "available": available,
    }


def test_two_lines_share_what_there_is() -> None:
    shop = Shop(stock_locations=places(3, 2))
    with nothing_written():
        details = shop.buy(shop.line(3), shop.line(3), status=409)["details"]
        assert (details["item_id"], details["requested"], details["available"]) == ("item_2", 3, 2)
    order = shop.buy(shop.line(2), shop.line(3))
    assert shop.left == [0, 0, 5]
    assert len(events_of(shop.id)) == 3
    shop.cancel(order)
    assert shop.left == [3, 2, 0]


def test_pieces_go_back_to_the_place_they_came_from_wherever_it_stands_now() -> None:
    shop = Shop(stock_locations=places(2, 3))
    order = shop.buy(shop.line(4))
    a, b = places(0, 1)
    shop.supplier.patch(shop.path, {"stock_locations": [b, LOCATION | {"quantity": 7}, a]})
    shop.cancel(order)
    assert shop.left == [3, 7, 2, 0]


def test_places_of_one_name_are_told_apart() -> None:
    shop = Shop(stock_locations=[LOCATION | {"quantity": one} for one in (2, 3)])
    order = shop.buy(shop.line(4))
    shop.cancel(order)
    assert shop.left == [2, 3, 0]


@pytest.mark.parametrize("change", [{"stock_locations": [], "variants": {}}, {"stock_locations": places(9)[:0]}])
def test_a_place_that_is_gone_gets_nothing(change: Json) -> None:
    shop = Shop(stock_locations=places(2), variants=variants(Red=2))
    order = shop.buy(shop.line(1), shop.line(1, "Red"))
    shop.supplier.patch(shop.path, change)
    shop.cancel(order)
    assert shop.left[-1] == 0


@pytest.mark.parametrize("gone", ["product", "supplier"])
def test_an_order_of_a_deleted_product_can_be_cancelled(gone: str) -> None:
    shop = Shop(stock_locations=places(2))
    order = shop.buy(shop.line(1))
    shop.supplier.delete(shop.path if gone == "product" else f"/suppliers/{shop.supplier.id}")
    count = len(events_of(shop.id))
    shop.cancel(order)
    assert events_of(shop.id)[-1]["event_type"] == "product.deleted"
    assert len(events_of(shop.id)) == count


@pytest.mark.parametrize("status", ["mark-out-of-stock", "discontinue", "restore"])
def test_pieces_go_back_whatever_the_status(status: str) -> None:
    shop = Shop(stock_locations=places(2))
    order = shop.buy(shop.line(2))
    shop.supplier.post(f"{shop.path}/{status}")
    shop.cancel(order)
    assert shop.left == [2, 0]


def test_a_product_without_stock_that_is_counted_later_gets_nothing_back() -> None:
    shop = Shop()
    order = shop.buy(shop.line(5))
    shop.supplier.patch(shop.path, {"stock_locations": places(1)})
    shop.cancel(order)
    assert shop.left == [1, 0]


def test_giving_back_to_a_full_place_leaves_a_product_that_can_be_changed() -> None:
    shop = Shop(stock_locations=places(2))
    order = shop.buy(shop.line(2))
    shop.supplier.patch(shop.path, {"stock_locations": places(1_000_000_000)})
    shop.cancel(order)
    shop.supplier.patch(shop.path, {"name": "Still mine"})


@pytest.mark.parametrize("product", [{"stock_locations": places(4, 6)}, {"variants": variants(Red=10)}])
def test_fifty_buyers_of_ten_pieces(product: Json) -> None:
    shop = Shop(**product)
    variant = "Red" if "variants" in product else None
    buyers = [new_user() for _ in range(50)]
    body = order_body(shop.line(1, variant))
    responses = at_once(50, lambda index: buyers[index]("POST", "/orders", body))
    statuses = [one.status_code for one in responses]
    assert Counter(statuses) == {201: 10, 409: 40}
    assert {one.json()["error"]["code"] for one in responses if one.status_code == 409} == {"INSUFFICIENT_STOCK"}
    assert set(shop.left[:-1]) == {0}
    assert shop.left[-1] == 10
    assert mongo.database().orders.count_documents({}) == 10
    assert len(events_of(shop.id)) == 12

    sold = [(buyer, one.json()["id"]) for buyer, one in zip(buyers, responses, strict=True) if one.status_code == 201]
    cancels = at_once(10, lambda index: sold[index][0]("POST", f"/orders/{sold[index][1]}/cancel").status_code)
    assert cancels == [200] * 10
    before = [10] if variant else [4, 6]
    assert shop.left == [*before, 0]
    assert len(events_of(shop.id)) == 22


def test_an_order_is_cancelled_once() -> None:
    shop = Shop(stock_locations=places(5))
    order = shop.buy(shop.line(3))
    path = f"/orders/{order['id']}/cancel"
    statuses = at_once(6, lambda _: Api(**{"X-User-ID": shop.buyer.id})("POST", path).status_code)
    assert sorted(statuses) == [200] + [409] * 5
    assert shop.left == [5, 0]


def test_buyers_in_opposite_order_both_succeed() -> None:
    supplier = new_supplier()
    ids = [new_product(supplier, of=PLAIN_PRODUCT, stock_locations=places(50))["id"] for _ in range(3)]
    buyers = [new_user() for _ in range(8)]

    def buy(index: int) -> int:
        body = order_body(*(ids if index % 2 else ids[::-1]))
        return buyers[index]("POST", "/orders", body).status_code

    assert at_once(8, buy) == [201] * 8
    for product in supplier.get("/products"):
        assert (product["stock_locations"][0]["quantity"], product["stats"]["purchase_count"]) == (42, 8)


def test_an_owner_who_changes_the_price_meanwhile_loses_nothing() -> None:
    shop = Shop(stock_locations=places(30))
    buyers = [new_user() for _ in range(6)]

    def act(index: int) -> int:
        if index % 2:
            return buyers[index]("POST", "/orders", order_body(shop.line(1))).status_code
        return shop.supplier("PATCH", shop.path, {"base_price_cents": 200 + index}).status_code

    assert sorted(at_once(6, act)) == [200] * 3 + [201] * 3
    assert shop.left == [27, 3]
    assert len(events_of(shop.id)) == 8


def test_what_is_sold_out_stays_active() -> None:
    shop = Shop(stock_locations=places(1))
    new_order(shop.buyer, shop.id)
    assert shop.supplier.get(shop.path)["status"] == "active"
