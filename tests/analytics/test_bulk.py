"""The bulk generator of the benchmarks: its roll-ups are those of its rows, and its rows look like a market."""

from collections import Counter
from datetime import date

import pytest

from analytics.contributions import CONTRIBUTIONS
from analytics.models import Customer, Order, OrderItem
from analytics.rollups import SOURCES
from benchmarks import bulk
from benchmarks.bulk_rows import Market, Size

SIZE = Size(600, 100, date(2026, 3, 1))


@pytest.fixture
def market(monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    """A small market, in several chunks; through plain inserts, so that the test's transaction takes it back."""
    monkeypatch.setattr(bulk, "CHUNK", 50)
    monkeypatch.setattr(bulk, "_loader", bulk.inserting)
    monkeypatch.setattr(bulk, "analyze", lambda: None)
    bulk.fill(SIZE, is_quiet=True)


@pytest.mark.usefixtures("market")
def test_roll_ups_are_those_of_the_rows() -> None:
    for decoder, source in SOURCES.items():
        ids = list(decoder.projection.model._default_manager.values_list("pk", flat=True))
        assert ids
        for contribution in CONTRIBUTIONS[decoder.projection.entity]:
            columns = (*contribution.keys, *contribution.sums)
            stored = contribution.roll_up._default_manager.values_list(*columns)
            size = len(contribution.keys)
            assert {row[:size]: row[size:] for row in stored} == contribution.of(source.stored(ids))


@pytest.mark.usefixtures("market")
def test_a_market_that_people_come_back_to() -> None:
    assert Order.objects.count() == SIZE.orders
    assert 1.8 < OrderItem.objects.count() / SIZE.orders < 2.2
    assert Order.objects.filter(created_at__date__lt=SIZE.begin).count() == 0
    assert Order.objects.filter(created_at__date__gte=SIZE.until).count() == 0
    orders = Counter(Order.objects.values_list("customer_user_id", flat=True))
    assert sum(count > 1 for count in orders.values()) > len(orders) / 4
    first_days = dict(Customer.objects.values_list("customer_user_id", "first_day"))
    counted = Order.objects.exclude(status__in=("cancelled", "failed", "refunded"))
    assert len(first_days) == counted.values("customer_user_id").distinct().count()
    sold = Counter(OrderItem.objects.values_list("product_id", flat=True))
    assert sum(count for _, count in sold.most_common(20)) > sum(sold.values()) / 4
    assert len(sold) > 200
    statuses = Counter(Order.objects.values_list("status", flat=True))
    assert 0.03 < statuses["cancelled"] / SIZE.orders < 0.12


def test_the_same_seed_gives_the_same_rows() -> None:
    assert list(Market(SIZE).orders()) == list(Market(SIZE).orders())
    other = Size(SIZE.orders, SIZE.days, SIZE.until, seed=2)
    assert list(Market(other).orders()) != list(Market(SIZE).orders())


@pytest.mark.usefixtures("market")
def test_tables_with_orders_are_left_alone() -> None:
    with pytest.raises(RuntimeError, match="orders already"):
        bulk.fill(SIZE)
    assert Order.objects.count() == SIZE.orders
