"""A small market whose numbers the tests know from pencil and paper."""

import pytest

from tests.analytics.conftest import apply
from tests.analytics.events import variant
from tests.analytics.reports.rows import deleted, line, made, order


@pytest.fixture
def market(db: None) -> None:
    """Orders of 10, 11 (none) and 12 March, and some just outside: see each for what it is there for."""
    apply(
        made("supplier", "north", "01 00:00", legal_name="North Ltd"),
        made("supplier", "south", "01 00:00", legal_name="South Ltd"),
        made(
            "product",
            "lamp",
            "01 00:00",
            name="Lamp",
            category="electronics",
            status="active",
            supplier_id="north",
            base_price_cents=1000,
            variants={"Red": variant(price_cents=1300)},
        ),
        made(
            "product",
            "scarf",
            "01 00:00",
            name="Scarf",
            category="fashion",
            status="out_of_stock",
            supplier_id="south",
            base_price_cents=500,
        ),
        made(
            "product",
            "fan",
            "01 00:00",
            name="Fan",
            category="electronics",
            status="draft",
            supplier_id="north",
            base_price_cents=999,
        ),
        made("product", "vase", "01 00:00", name="Vase", category="home_garden", status="active", supplier_id="gone"),
        made("supplier", "gone", "01 00:00", legal_name="Gone Ltd"),
    )
    apply(deleted("product", "vase"), deleted("supplier", "gone"))
    apply(
        # Within the seven days of the moving average only.
        order("o01", "05 12:00", "cleo", line("scarf", "south", 2, 500)),
        # The last moment before the range.
        order("o02", "09T23:59:59.999999Z", "ann", line("lamp", "north", 1, 1000)),
        # The first moment of the range: two suppliers, two lines of one product, one of them a variant. 4900 cents.
        order(
            "o03",
            "10T00:00:00Z",
            "ann",
            line("lamp", "north", 2, 1200, "Red"),
            line("lamp", "north", 1, 1000),
            line("scarf", "south", 3, 500),
        ),
        # None of these counts as revenue.
        order("o04", "10 15:00", "bob", line("scarf", "south", 10, 500), reason="too late"),
        order("o05", "10 16:00", "bob", line("lamp", "north", 1, 700), status="failed"),
        order("o06", "10 17:00", "dora", line("lamp", "north", 1, 1000), status="refunded"),
        order("o07", "12 12:00", "ann", line("scarf", "south", 1, 500), status="delivered"),
        order("o08", "12 13:00", "dora", line("lamp", "north", 1, 1000), reason=None),
        # The last moment of the range: product and supplier are gone, and have sold for as much as scarf and south.
        order("o09", "12T23:59:59.999999Z", "bob", line("vase", "gone", 1, 2000)),
        # The first moment after it.
        order("o10", "13T00:00:00Z", "cleo", line("lamp", "north", 1, 9999)),
    )
