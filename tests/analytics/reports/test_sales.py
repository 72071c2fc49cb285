"""Revenue by day, supplier, product and category, against numbers that were reckoned up by hand."""

from datetime import date

import pytest

from analytics.models import Order, OrderItem
from analytics.reports.catalogue import REPORTS
from analytics.reports.customers import sign_ups
from analytics.reports.history import history
from analytics.reports.periods import Period
from analytics.reports.tiles import tiles
from tests.analytics.conftest import apply
from tests.analytics.reports.rows import answer, day, days, line, made, order, values

pytestmark = pytest.mark.django_db
RANGE = days(10, 13)


def test_revenue_by_day(market):
    # Average of the first day: (1000 of the 5th + 1000 of the 9th + 4900) / 7 = 985.7; of the last: 8400 / 7.
    assert values("daily-revenue", RANGE) == [
        (day(10), 4900, 1, 6, 1, 986, 4900),
        (day(11), 0, 0, 0, 0, 986, 4900),
        (day(12), 2500, 2, 2, 2, 1200, 7400),
    ]


def test_revenue_by_supplier_with_a_tie_and_one_that_is_gone(market):
    assert values("revenue-by-supplier", RANGE) == [
        ("north", "North Ltd", 3400, 3, 1, 1133),
        ("gone", "Old gone", 2000, 1, 1, 2000),
        ("south", "South Ltd", 2000, 4, 2, 500),
    ]


def test_top_products_with_a_tie_and_one_that_is_gone(market):
    assert values("top-products", RANGE) == [
        ("lamp", "Lamp", 2, 3, 3400),
        ("scarf", "Scarf", 2, 4, 2000),
        ("vase", "Old vase", 1, 1, 2000),
    ]


def test_top_categories(market):
    assert values("top-categories", RANGE) == [
        ("electronics", 2, 1, 3400, 3),
        ("fashion", 1, 0, 2000, 4),
        (None, 0, 0, 2000, 1),
    ]


def test_categories_without_sales_are_there(market):
    assert values("top-categories", days(20, 21)) == [("electronics", 2, 1, 0, 0), ("fashion", 1, 0, 0, 0)]


def test_a_limit_leaves_the_last_out(market):
    assert [row["supplier_id"] for row in answer("revenue-by-supplier", RANGE, limit=2)] == ["north", "gone"]
    assert [row["product_id"] for row in answer("top-products", RANGE, limit=2)] == ["lamp", "scarf"]


def test_the_name_of_what_is_gone_is_on_its_last_line(market):
    renamed = line("vase", "gone", 1, 1)
    renamed["product_snapshot"] |= {"product_name": "Newer vase", "supplier_name": "Newer gone"}
    apply(order("o11", "12 10:00", "ann", renamed))
    assert answer("top-products", RANGE)[1]["product_name"] == "Newer vase"
    assert answer("revenue-by-supplier", RANGE)[1]["supplier_name"] == "Newer gone"


def test_supplier_orders_beside_what_products_are_now(market):
    lines = answer("supplier-orders", RANGE, supplier_id="north")
    assert [(row["order_id"], row["item_id"], row["order_status"]) for row in lines] == [
        ("o08", "item_1", "cancelled"),
        ("o06", "item_1", "refunded"),
        ("o05", "item_1", "failed"),
        ("o03", "item_1", "pending"),
        ("o03", "item_2", "pending"),
    ]
    of_variant, of_product = lines[3], lines[4]
    assert (of_variant["product_name"], of_variant["current_product_name"]) == ("Old lamp", "Lamp")
    assert (of_variant["unit_price_cents"], of_variant["current_price_cents"]) == (1200, 1300)
    assert (of_variant["quantity"], of_variant["total_cents"]) == (2, 2400)
    assert (of_product["variant_name"], of_product["current_price_cents"]) == (None, 1000)
    assert of_product["current_product_status"] == "active"
    (gone,) = answer("supplier-orders", RANGE, supplier_id="gone")
    assert (gone["current_product_name"], gone["current_price_cents"], gone["current_product_status"]) == (None,) * 3


def test_supplier_orders_of_a_variant_that_is_gone(market):
    apply(order("o11", "12 10:00", "ann", line("lamp", "north", 1, 5, "Blue")))
    row = next(row for row in answer("supplier-orders", RANGE, supplier_id="north") if row["order_id"] == "o11")
    assert (row["current_product_name"], row["current_price_cents"]) == ("Lamp", None)


@pytest.mark.parametrize("limit", [1, 2, 4, 5])
def test_supplier_orders_up_to_a_limit(market, limit, monkeypatch):
    monkeypatch.setattr("analytics.reports.pages.PAGE", 2)
    whole = answer("supplier-orders", RANGE, supplier_id="north")
    assert answer("supplier-orders", RANGE, supplier_id="north", limit=limit) == whole[:limit]


def test_orders_of_one_moment_come_by_their_ids(db):
    apply(*(order(name, "10 10:00", "ann", line("lamp", "north", 1, 1)) for name in ("b", "c", "a")))
    assert [row["order_id"] for row in answer("supplier-orders", RANGE, supplier_id="north")] == ["c", "b", "a"]


def test_cancellations_by_the_day_of_the_order(market):
    assert values("cancellation-rate", RANGE) == [
        (day(10), 4, 1, 0.25, {"too late": 1}),
        (day(11), 0, 0, None, {}),
        (day(12), 3, 1, 1 / 3, {"none given": 1}),
    ]


def test_tiles_beside_the_three_days_before(market):
    apply(made("user", "ann", "09 12:00"), made("user", "bob", "10 12:00"), made("user", "dora", "12 12:00"))
    shown = tiles(history(RANGE), sign_ups(RANGE).sums)
    found = {tile.name: (tile.value, tile.previous, tile.change) for tile in shown}
    assert found == {
        "revenue_cents": (7400, 1000, 6.4),
        "orders": (3, 1, 2.0),
        "average_order_cents": (2467, 1000, 1.467),
        "buyers": (2, 1, 1.0),
        "cancellation_rate": (2 / 7, 0.0, None),
        "new_users": (2, 1, 1.0),
    }


def test_buyers_of_several_days_count_once(market):
    found = history(days(5, 14))
    assert found.current.buyers == 3
    assert [found.days[day(number)].buyers for number in (5, 9, 10, 11, 12, 13)] == [1, 1, 1, 0, 2, 1]


def test_all_reports_agree(market):
    revenue = sum(row["revenue_cents"] for row in answer("daily-revenue", RANGE))
    assert revenue == 7400
    assert sum(row["total_revenue_cents"] for row in answer("revenue-by-supplier", RANGE)) == revenue
    assert sum(row["revenue_cents"] for row in answer("top-products", RANGE)) == revenue
    assert sum(row["revenue_cents"] for row in answer("top-categories", RANGE)) == revenue
    assert history(RANGE).current.revenue_cents == revenue
    lines = [row for name in ("north", "south", "gone") for row in answer("supplier-orders", RANGE, supplier_id=name)]
    uncounted = ("cancelled", "failed", "refunded")
    assert sum(row["total_cents"] for row in lines if row["order_status"] not in uncounted) == revenue
    (overview,) = (row["value"] for row in answer("dashboard", RANGE) if row["measure"] == "revenue_cents_in_range")
    assert overview == revenue
    units = sum(row["items_sold"] for row in answer("daily-revenue", RANGE))
    assert units == sum(row["units"] for row in answer("top-categories", RANGE)) == 8


def test_an_order_that_is_cancelled_leaves_every_report(market):
    apply(
        order("o03", "10T00:00:00Z", "ann", line("lamp", "north", 2, 1200), reason="changed my mind") | {"version": 2}
    )
    assert values("daily-revenue", days(10, 11))[0][1:] == (0, 0, 0, 0, 286, 0)
    assert "north" not in {row["supplier_id"] for row in answer("revenue-by-supplier", RANGE)}
    assert values("cancellation-rate", days(10, 11)) == [(day(10), 4, 2, 0.5, {"changed my mind": 1, "too late": 1})]


@pytest.mark.parametrize("name", ["daily-revenue", "revenue-by-supplier", "top-products", "top-categories"])
def test_sales_are_told_without_reading_orders(market, name, django_assert_max_num_queries):
    with django_assert_max_num_queries(2) as queries:
        values(name, RANGE)
    told = " ".join(query["sql"] for query in queries.captured_queries)
    assert f'FROM "{Order._meta.db_table}"' not in told.replace("`", '"')
    assert f'JOIN "{OrderItem._meta.db_table}"' not in told.replace("`", '"')


def test_the_last_thirty_days_by_default(market):
    found = answer("daily-revenue")
    assert (found[0]["day"], found[-1]["day"], len(found)) == (day(2), day(31), 30)


def test_over_the_end_of_a_year(db):
    apply(
        order("o1", "2025-12-31T23:59:59.999999Z", "ann", line("lamp", "north", 1, 70)),
        order("o2", "2026-01-01T00:00:00Z", "ann", line("lamp", "north", 1, 7)),
    )
    found = values("daily-revenue", Period(date(2026, 1, 1), date(2026, 1, 2)))
    assert found == [(date(2026, 1, 1), 7, 1, 1, 1, 11, 7)]


@pytest.mark.parametrize("name", [name for name in REPORTS if name != "pipeline"])
def test_empty_tables_have_an_answer(db, name):
    rows = answer(name, days(10, 12))
    assert len(rows) == {"daily-revenue": 2, "cancellation-rate": 2, "new-users": 2, "price-distribution": 7}.get(
        name, 12 if name == "dashboard" else 0
    )
