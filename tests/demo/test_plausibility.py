"""The default demo data looks like a shop that people use: what its dashboard is there to show can be seen in it."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import mean
from typing import Any

import pytest

from demo.generation import Demand, moments
from tests.demo.shop import UNTIL, empty, run, stored

Stored = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Market:
    """All of the demo data that is looked at."""

    users: list[Stored]
    products: list[Stored]
    posts: list[Stored]
    orders: list[Stored]

    @property
    def counted(self) -> list[Stored]:
        """The orders that revenue counts."""
        return [order for order in self.orders if order["status"] != "cancelled"]

    @property
    def first_orders(self) -> dict[Any, datetime]:
        """When each customer bought first."""
        found: dict[Any, datetime] = {}
        for order in sorted(self.counted, key=lambda order: order["created_at"]):
            found.setdefault(order["customer"]["user_id"], order["created_at"])
        return found


@pytest.fixture(scope="module")
def market(mongodb_server: str) -> Iterator[Market]:
    """What the four commands make without options: it is made once, and only read."""
    assert mongodb_server
    empty()
    for command in ("seed", "generate_products", "generate_posts", "generate_orders"):
        run(command)
    yield Market(stored("users"), stored("products"), stored("posts"), stored("orders"))
    empty()


def _sold(orders: list[Stored]) -> Counter[Any]:
    """Return units by product and variant."""
    units: Counter[Any] = Counter()
    for item in (item for order in orders for item in order["items"]):
        units[item["product_snapshot"]["product_id"], item["product_snapshot"].get("variant_name")] += item["quantity"]
    return units


def test_every_week_has_its_rhythm_and_more_orders_come_from_month_to_month(market: Market) -> None:
    days = Counter((order["created_at"] - UNTIL).days for order in market.orders)
    assert set(days) == set(range(-90, 0))
    for monday in range(-90, -6):
        if (UNTIL + timedelta(days=monday)).weekday() == 0:
            week = [days[monday + number] for number in range(7)]
            assert mean(week[5:]) > mean(week[:4])
    months = [sum(days[day] for day in range(start, start + 30)) for start in (-90, -60, -30)]
    assert months[1] > 1.15 * months[0]
    assert months[2] > 1.15 * months[1]


def test_a_few_products_sell_most_and_the_others_sell_too(market: Market) -> None:
    units: Counter[Any] = Counter()
    for (product_id, _), sold in _sold(market.counted).items():
        units[product_id] += sold
    ranked = [sold for _, sold in units.most_common()]
    assert len(ranked) == sum(product["status"] == "active" for product in market.products)
    assert 0.08 < ranked[0] / sum(ranked) < 0.25
    assert 0.35 < sum(ranked[:5]) / sum(ranked) < 0.65
    assert sum(ranked[15:]) / sum(ranked) > 0.15


def test_suppliers_and_categories_differ_in_size(market: Market) -> None:
    owned = Counter(product["supplier_id"] for product in market.products)
    assert max(owned.values()) >= 4
    assert sum(count == 1 for count in owned.values()) >= 4
    categories = {product["_id"]: product["category"] for product in market.products}
    revenue: Counter[str] = Counter()
    for item in (item for order in market.counted for item in order["items"]):
        revenue[categories[item["product_snapshot"]["product_id"]]] += item["total_cents"]
    assert set(revenue) == set(categories.values())
    assert max(revenue.values()) > 5 * min(revenue.values())
    assert max(revenue.values()) < sum(revenue.values()) / 2


def test_some_orders_are_cancelled_for_different_reasons(market: Market) -> None:
    cancelled = [order["cancellation"].get("reason") for order in market.orders if order["status"] == "cancelled"]
    assert 0.04 < len(cancelled) / len(market.orders) < 0.12
    assert len(set(cancelled)) >= 4
    assert None in cancelled


def test_what_sold_well_has_run_out_in_the_last_days(market: Market) -> None:
    recent = _sold([order for order in market.counted if order["created_at"] >= UNTIL - timedelta(days=28)])
    days_of_cover = {
        (product["_id"], key): 28 * variant["quantity"] / recent[product["_id"], key]
        for product in market.products
        for key, variant in product.get("variants", {}).items()
        if product["status"] == "active" and recent[product["_id"], key] > 1
    }
    assert sum(days == 0 for days in days_of_cover.values()) >= 1
    assert sum(0 < days < 14 for days in days_of_cover.values()) >= 2
    assert sum(days > 28 for days in days_of_cover.values()) >= 10


def test_customers_come_back_in_later_months(market: Market) -> None:
    cohorts: defaultdict[tuple[int, int], set[Any]] = defaultdict(set)
    returned: defaultdict[tuple[int, int], set[Any]] = defaultdict(set)
    for order in market.counted:
        customer, at = order["customer"]["user_id"], order["created_at"]
        first = market.first_orders[customer]
        cohorts[first.year, first.month].add(customer)
        if (at.year, at.month) != (first.year, first.month):
            returned[first.year, first.month].add(customer)
    assert len(cohorts) == 3
    for month in sorted(cohorts)[:-1]:
        assert len(cohorts[month]) >= 15
        assert 0.2 < len(returned[month]) / len(cohorts[month]) < 0.7


def test_people_sign_up_all_the_time_and_many_buy_within_a_week(market: Market) -> None:
    recent = [user for user in market.users if user["created_at"] >= UNTIL - timedelta(days=90)]
    by_month = Counter((user["created_at"] - UNTIL).days // 30 for user in recent)
    assert min(by_month[month] for month in (-3, -2, -1)) >= 15
    soon = sum(
        user["_id"] in market.first_orders
        and (market.first_orders[user["_id"]].date() - user["created_at"].date()).days <= 7
        for user in recent
    )
    assert 0.4 < soon / len(recent) < 0.8


def test_nobody_buys_before_signing_up(market: Market) -> None:
    joined = {user["_id"]: user["created_at"] for user in market.users}
    assert all(joined[customer] <= first for customer, first in market.first_orders.items())


@pytest.mark.parametrize("days", [90, 28])
def test_posts_of_all_tiers(market: Market, days: int) -> None:
    shares = [
        post["stats"]["like_count"] / post["stats"]["view_count"]
        for post in market.posts
        if post.get("published_at") and not post.get("deleted_at") and post["stats"]["view_count"]
        if post["published_at"] >= UNTIL - timedelta(days=days)
    ]
    tiers = Counter("viral" if s >= 0.1 else "high" if s >= 0.05 else "medium" if s >= 0.02 else "low" for s in shares)
    assert set(tiers) == {"viral", "high", "medium", "low"}
    assert tiers["viral"] < len(shares) / 5
    assert tiers["low"] + tiers["medium"] > len(shares) / 2


def test_the_moment_of_an_order_does_not_depend_on_how_many_there_are() -> None:
    few, many = (moments(Demand(count, 1, UNTIL), "order", growth=1.5) for count in (25, 400))
    assert few == many[:25]
    assert moments(Demand(25, 2, UNTIL), "order", growth=1.5) != few
