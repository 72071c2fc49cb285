"""Price bands, categories and low stock, against numbers that were reckoned up by hand."""

import pytest

from analytics.reports.products import catalogue
from tests.analytics.conftest import apply
from tests.analytics.events import variant
from tests.analytics.reports.rows import answer, deleted, line, made, order, values

pytestmark = pytest.mark.django_db


def product(product_id: str, cents: int, category: str = "other", status: str = "active", **changes):
    return made("product", product_id, "01 00:00", base_price_cents=cents, category=category, status=status, **changes)


def test_prices_at_both_ends_of_each_band(db):
    prices = (0, 999, 1000, 4999, 5000, 9999, 10_000, 24_999, 25_000, 49_999, 50_000, 99_999, 100_000, 1_000_000_000)
    apply(*(product(f"p{cents}", cents) for cents in prices))
    assert values("price-distribution") == [
        (0, 1000, 2, 500, {"other": 2}),  # 499.5 is rounded up
        (1000, 5000, 2, 3000, {"other": 2}),
        (5000, 10_000, 2, 7500, {"other": 2}),
        (10_000, 25_000, 2, 17_500, {"other": 2}),
        (25_000, 50_000, 2, 37_500, {"other": 2}),
        (50_000, 100_000, 2, 75_000, {"other": 2}),
        (100_000, None, 2, 500_050_000, {"other": 2}),
    ]


def test_bands_hold_every_status_but_no_deleted_product(db):
    apply(
        product("p1", 1500, "beauty", "draft"),
        product("p2", 2000, "fashion", "discontinued"),
        product("p3", 2500, "fashion"),
        product("p4", 3000, "fashion"),
    )
    apply(deleted("product", "p4"))
    found = answer("price-distribution")
    assert tuple(found[1].values()) == (1000, 5000, 3, 2000, {"beauty": 1, "fashion": 2})
    assert [row["products"] for row in found] == [0, 3, 0, 0, 0, 0, 0]
    assert found[0]["average_price_cents"] is None


def test_all_of_the_catalogue_in_one_query(market, django_assert_num_queries):
    with django_assert_num_queries(1):
        found = catalogue()
    assert found.statuses == {"active": 1, "out_of_stock": 1, "draft": 1}
    assert found.categories == {"electronics": 2, "fashion": 1}
    assert found.active == {"electronics": 1}


def test_categories_with_as_much_revenue_come_by_name_and_the_gone_last(db):
    apply(product("p1", 1, "toys_games"), product("p2", 1, "beauty"), product("p3", 1, "fashion"))
    apply(order("o1", "30 12:00", "ann", *(line(name, "s", 1, 100) for name in ("p1", "p2", "p3", "p4"))))
    assert [row["category"] for row in answer("top-categories")] == ["beauty", "fashion", "toys_games", None]


def stocked(name: str, status: str = "active", **quantities: int):
    variants = {key: variant(key, quantity=left, variant_name=f"The {key}") for key, left in quantities.items()}
    return product(name, 100, status=status, name=f"Name of {name}", supplier_id="north", variants=variants)


def test_low_stock(db):
    apply(
        stocked("a", Red=9, Blue=10, Grey=3),
        stocked("b", "out_of_stock", Red=0),
        stocked("c", "draft", Red=1),
        stocked("d", "discontinued", Red=1),
        stocked("e", Red=2),
        stocked("f", Red=3),
        product("without variants", 100),
    )
    apply(
        # 28 days with today, the 31st, begin on the 4th.
        order("o1", "03T23:59:59.999999Z", "ann", line("a", "north", 50, 1, "Red")),
        order("o2", "04T00:00:00Z", "ann", line("a", "north", 14, 1, "Red"), line("b", "north", 1, 1, "Red")),
        order("o3", "31T23:59:59.999999Z", "ann", line("a", "north", 14, 1, "Red"), line("e", "north", 8, 1, "Red")),
        order("o4", "30 12:00", "ann", line("e", "north", 99, 1, "Red"), reason="no"),
        # Not of the variant, and not in these days.
        order("o5", "30 12:00", "ann", line("e", "north", 99, 1)),
        order("o6", "2026-04-01T00:00:00Z", "ann", line("e", "north", 99, 1, "Red")),
    )
    assert values("low-stock") == [
        ("b", "Name of b", "north", "Red", "The Red", 0, 1, 0.0),
        ("e", "Name of e", "north", "Red", "The Red", 2, 8, 7.0),
        ("a", "Name of a", "north", "Red", "The Red", 9, 28, 9.0),
        ("a", "Name of a", "north", "Grey", "The Grey", 3, 0, None),
        ("f", "Name of f", "north", "Red", "The Red", 3, 0, None),
    ]


def test_the_threshold_and_limit_of_low_stock(db):
    apply(stocked("a", Four=4, Five=5, Six=6))
    assert [row["variant_key"] for row in answer("low-stock", threshold=6)] == ["Four", "Five"]
    assert [row["variant_key"] for row in answer("low-stock", threshold=6, limit=1)] == ["Four"]
    assert answer("low-stock", threshold=0) == []


def test_cover_is_compared_to_the_last_digit(db):
    """As decimals of a few digits both would be one, and the one with fewer units left came first."""
    apply(stocked("a", Red=2), stocked("b", Red=1))
    units = {"a": 200_003, "b": 100_001}
    apply(*(order(f"o{name}", "30 12:00", "ann", line(name, "s", sold, 1, "Red")) for name, sold in units.items()))
    found = answer("low-stock")
    assert [row["product_id"] for row in found] == ["a", "b"]
    assert found[1]["days_of_cover"] == 28 / 100_001


def test_keys_of_variants_compare_exactly(db):
    apply(stocked("a", Red=1, red=1))
    apply(order("o1", "30 12:00", "ann", line("a", "s", 7, 1, "red")))
    assert [(row["variant_key"], row["sold_28_days"]) for row in answer("low-stock")] == [("red", 7), ("Red", 0)]


def test_low_stock_is_two_queries(db, django_assert_num_queries):
    apply(*(stocked(name, Red=1, Blue=2) for name in "abc"))
    with django_assert_num_queries(2):
        assert len(answer("low-stock")) == 6
