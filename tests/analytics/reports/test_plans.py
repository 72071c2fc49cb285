"""No report, no dashboard and no list of orders reads orders or their lines from end to end: asked of MariaDB's
planner, on so many rows that it has a choice, and after it has looked at them.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.test import Client

from analytics import admin_base, admin_export, admin_filters
from analytics.dashboard_range import PRESETS
from analytics.models import Order, OrderItem, Product
from analytics.reports.catalogue import REPORTS
from analytics.reports.report import Question
from benchmarks.dashboard import MOST_QUERIES, SUPPLIER, filled, use
from benchmarks.plans import Query, full_scans, queries

ORDERS, DAYS = 8000, 730

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("mongodb", "market")]


@pytest.fixture(scope="module")
def market(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """A market of two years in a database of its own; it is loaded once, and only read."""
    with django_db_blocker.unblock():
        if not getattr(connection, "mysql_is_mariadb", False):
            pytest.skip("the plans are MariaDB's")
        with filled(ORDERS, DAYS, is_quiet=True) as database:
            use(database)
            yield


def asked(call: Callable[[], object]) -> list[Query]:
    """Return the queries of a call that has something to read, and see to it that none reads all orders."""
    found = queries(call)
    assert found
    assert [(query.sql, scans) for query in found if (scans := full_scans(query))] == []
    return found


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_reads_no_table_of_orders_from_end_to_end(name: str) -> None:
    report = REPORTS[name]
    question = Question(limit=report.default_limit, supplier_id=SUPPLIER)
    asked(lambda: list(report.rows(question)))
    assert name == "pipeline" or list(report.rows(question))


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(get_user_model()._default_manager.create(username="ann", is_staff=True, is_superuser=True))
    return client


def reads(call: Callable[[], object]) -> int:
    """Return how many rows of tables and indexes a call has MariaDB read."""

    def so_far() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SHOW SESSION STATUS LIKE 'Handler_read%'")
            return sum(int(value) for _, value in cursor.fetchall())

    before = so_far()
    call()
    return so_far() - before


def best_seller() -> str:
    """Return the product with most lines, of which there are more than the tests' limits."""
    sold = OrderItem.objects.values_list("product_id").annotate(lines=Count("pk")).order_by("-lines")
    product_id, lines = sold[0]
    assert lines > 10 * LIMIT
    return str(product_id)


NEWEST_DAYS = {"created_at_from": str(datetime.now(UTC).date() - timedelta(days=DAYS // 2))}
LIMIT = 50
FILTERS = [{}, {"status__exact": "delivered"}, NEWEST_DAYS, {"q": "ORD-"}, {"p": "2"}]


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the limits so small that a product of the market is beyond them."""
    monkeypatch.setattr(admin_base, "COUNT_LIMIT", LIMIT)
    monkeypatch.setattr(admin_base.ReadOnlyAdmin, "list_per_page", LIMIT // 2)
    monkeypatch.setattr(admin_filters, "MANY_LINES", LIMIT)
    monkeypatch.setattr(admin_export, "PORTION", LIMIT)


@pytest.mark.usefixtures("limits")
@pytest.mark.parametrize("filters", FILTERS, ids=str)
@pytest.mark.parametrize("parameter", ["product_id", "supplier_id"])
def test_a_list_of_orders_by_its_lines_reads_few_of_them(
    parameter: str, filters: dict[str, str], staff: Client
) -> None:
    query = filters | {parameter: best_seller() if parameter == "product_id" else SUPPLIER}
    asked(lambda: staff.get("/admin/analytics/order/", query))
    assert reads(lambda: staff.get("/admin/analytics/order/", query)) < ORDERS / 3


@pytest.mark.usefixtures("limits")
@pytest.mark.parametrize("filters", FILTERS[:-1], ids=str)
def test_a_file_of_orders_by_their_lines_reads_each_line_once(
    filters: dict[str, str], staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = filters | {"product_id": best_seller()}
    in_portions = reads(lambda: list(staff.get("/admin/analytics/order/export/", query)))
    monkeypatch.setattr(admin_export, "PORTION", ORDERS)
    at_once = reads(lambda: list(staff.get("/admin/analytics/order/export/", query)))
    assert in_portions > 4 * LIMIT
    assert in_portions < 1.5 * at_once


@pytest.mark.parametrize("preset", PRESETS)
def test_the_dashboard_takes_few_queries_and_no_long_one(preset: str, staff: Client) -> None:
    found = asked(lambda: staff.get(f"/admin/?range={preset}"))
    assert len(found) <= MOST_QUERIES


@pytest.mark.parametrize(
    ("rows", "table"),
    [
        (Order.objects.filter(item_count=3), "orders"),
        (Order.objects.values("status").annotate(Count("pk")), "orders"),
        (OrderItem.objects.filter(quantity=2).order_by("order_id"), "order_items"),
        (
            Product.objects.annotate(
                n=Subquery(OrderItem.objects.filter(product_name=OuterRef("name")).values("quantity")[:1])
            )[:1],
            "order_items",
        ),
    ],
)
def test_a_full_scan_is_found(rows: QuerySet[Any, Any], table: str) -> None:
    (query,) = queries(lambda: list(rows))
    assert [scan.split()[0] for scan in full_scans(query)] == [table]


def test_the_newest_few_by_an_index_are_no_full_scan() -> None:
    (query,) = queries(lambda: list(Order.objects.order_by("-created_at")[:5]))
    assert full_scans(query) == []
