"""No report and no dashboard reads orders or their lines from end to end: asked of MariaDB's planner, on so many rows
that it has a choice, and after it has looked at them.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.test import Client

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


@pytest.mark.parametrize("preset", PRESETS)
def test_the_dashboard_takes_few_queries_and_no_long_one(preset: str) -> None:
    client = Client()
    client.force_login(get_user_model()._default_manager.create(username="ann", is_staff=True, is_superuser=True))
    found = asked(lambda: client.get(f"/admin/?range={preset}"))
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
