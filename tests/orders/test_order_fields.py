"""The field rules of orders (SPEC section 3)."""

from tests.api import NOBODY, VARIANT, Api, Json, new_product, new_supplier, new_user, order_body
from tests.rules import Field, FieldRules, country, nested, text, whole

TO = "shipping_address"
LINE = {"product_id": NOBODY, "quantity": 1}


class TestOrderFields(FieldRules):
    collection = "orders"
    create = {
        "items": Field([None, [], {}, "x", 5, [5], [None], [[]], [LINE] * 21], []),
        "items.0.product_id": Field(["", "x", NOBODY, "z" * 24, "5f " * 8, NOBODY + "\n", 5, True, [], {}, None], []),
        "items.0.variant_name": Field(
            ["", "Blue", "red", "Red ", "a.b", "$where", "R\0d", "x" * 201, 5, [], {}], [], required=False
        ),
        "items.0.quantity": whole(1, 99),
        TO: nested(),
        f"{TO}.recipient_name": text(1, 200),
        f"{TO}.phone": text(0, 20, required=False),
        f"{TO}.street_address_1": text(1, 200),
        f"{TO}.street_address_2": text(0, 200, required=False),
        f"{TO}.city": text(1, 100),
        f"{TO}.state": text(1, 100),
        f"{TO}.zip_code": text(1, 20),
        f"{TO}.country": country(),
    }

    def caller(self) -> Api:
        """Return a buyer, when there is something to buy."""
        variant = VARIANT | {"quantity": 1_000}
        self.product = new_product(new_supplier(), variants={"Red": variant})
        return new_user()

    def body(self) -> Json:
        return order_body({"product_id": self.product["id"], "variant_name": "Red", "quantity": 1})
