"""The dashboard: its numbers are the reports', who sees it, what it says when there is nothing, and what it costs."""

import csv
import io
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from django.contrib.auth.models import Permission
from django.contrib.auth.models import User as Account
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.html import escape

from analytics.csv_stream import cell
from analytics.models import Export, OrderItem, PartitionReport
from analytics.reports import shares
from analytics.reports.catalogue import REPORTS
from analytics.reports.report import Question
from tests.analytics.accounts import analysts
from tests.analytics.pages import Page
from tests.analytics.reports.conftest import market as market
from tests.analytics.reports.rows import answer, days

pytestmark = pytest.mark.django_db

RANGE = "start=2026-03-10&end=2026-03-13"
PERIOD = days(10, 13)
HOME = "/admin/"
SUPPLIER = "5" * 23 + "e"


@pytest.fixture
def boss(client):
    client.force_login(Account.objects.create_superuser("boss", password=None))
    return client


@pytest.fixture
def analyst(client):
    account = Account.objects.create_user("analyst", is_staff=True)
    account.groups.add(analysts())
    client.force_login(account)
    return client


@pytest.fixture
def consumer_has_run(db):
    PartitionReport.objects.create(
        group_id="analytics", topic="order", partition=0, next_offset=7, end_offset=9, at="2026-03-13T00:00:00Z"
    )


def page(client, query=RANGE):
    answered = client.get(f"{HOME}?{query}")
    assert answered.status_code == 200
    return Page(answered.content.decode())


def of(report, *columns, **asked):
    """What a report answers to the page's question, in these columns, as the page has it in its tables."""
    return [
        ["" if row[name] is None else str(row[name]) for name in columns] for row in answer(report, PERIOD, **asked)
    ]


@pytest.mark.usefixtures("market")
@pytest.mark.parametrize(
    ("report", "columns", "asked"),
    [
        (
            "daily-revenue",
            (
                *("revenue_cents", "moving_average_cents", "order_count", "items_sold", "unique_customers"),
                "running_total_cents",
            ),
            {},
        ),
        (
            "revenue-by-supplier",
            ("total_revenue_cents", "items_sold", "order_count", "avg_item_value_cents"),
            {"limit": 10},
        ),
        ("top-products", ("revenue_cents", "total_quantity", "times_ordered"), {"limit": 10}),
        ("top-categories", ("revenue_cents", "units", "products", "active_products"), {}),
        ("price-distribution", ("products", "average_price_cents"), {}),
    ],
)
def test_a_card_has_the_numbers_of_its_report(report, columns, asked, boss):
    shown = [row.values for row in page(boss).rows[report]]
    assert shown == of(report, *columns, **asked)
    assert shown


@pytest.mark.usefixtures("market")
def test_the_tiles(boss):
    texts = page(boss).texts
    shown = {name.removeprefix("tile-"): text for name, text in texts.items() if name.startswith("tile-")}
    for name, words in {
        "revenue_cents": "▲ up 640.0 % better 10.00 before",
        "orders": "▲ up 200.0 % better 1 before",
        "average_order_cents": "▲ up 146.7 % better 10.00 before",
        "buyers": "▲ up 100.0 % better 1 before",
        "cancellation_rate": "▲ up 28.6 points worse 0.0 % before",
        "new_users": "no comparison 0 before",
    }.items():
        assert shown[name].endswith(words)
    for name, value in {"revenue_cents": "74.00", "orders": "3", "average_order_cents": "24.67", "buyers": "2"}.items():
        assert f" {value} " in shown[name]


@pytest.mark.usefixtures("market")
@pytest.mark.parametrize("who", ["boss", "analyst"])
def test_the_page_takes_at_most_20_queries(who, request):
    client = request.getfixturevalue(who)
    cache.clear()
    for query in (RANGE, "range=90d", "start=2025-03-10&end=2025-03-13"):
        with CaptureQueriesContext(connection) as queries:
            page(client, query)
        assert len(queries) < 20, [one["sql"] for one in queries]


@pytest.mark.usefixtures("market", "consumer_has_run")
def test_data_as_of_and_how_far_behind(boss):
    assert "Data as of: catching up, 2 events behind" in page(boss).texts["daily-revenue"]
    PartitionReport.objects.update(next_offset=9)
    assert "Data as of 2026-03-13 00:00:00 UTC" in " ".join(page(boss).texts["daily-revenue"].split())


@pytest.mark.usefixtures("consumer_has_run")
def test_groups_that_replay_are_no_reason_to_look(boss):
    PartitionReport.objects.update(next_offset=9, at=datetime.now(UTC))
    PartitionReport.objects.create(
        group_id="a replay", topic="order", partition=0, next_offset=1, end_offset=9999, at="2020-01-01T00:00:00Z"
    )
    assert "Consumer lag ok 0 events in 1 partition" in page(boss).texts["pipeline"]


def test_without_anything_the_page_says_why(boss):
    texts = page(boss).texts
    for card in ("daily-revenue", "order-status", "revenue-by-supplier", "top-products", "top-categories", "cohorts"):
        assert "No consumer has ever run" in texts[card]
    assert "There are no products yet" in texts["price-distribution"]
    assert "No posts were published in this range" in texts["engagement-tiers"]
    assert "No consumer has ever reported" in texts["pipeline"]


@pytest.mark.usefixtures("consumer_has_run")
def test_without_orders_the_page_says_so(boss):
    assert "There are no orders at all yet" in page(boss).texts["daily-revenue"]


@pytest.mark.usefixtures("market", "consumer_has_run")
def test_a_range_without_orders_says_so(boss):
    shown = page(boss, "start=2025-03-10&end=2025-03-13")
    assert "No orders were placed in this range" in shown.texts["daily-revenue"]
    assert "top-categories" not in shown.rows


@pytest.mark.usefixtures("market")
def test_definitions_are_there_for_who_cannot_hover(boss):
    html = boss.get(f"{HOME}?{RANGE}").content.decode()
    for report in (*(REPORTS[name] for name in ("daily-revenue", "cohorts", "pipeline")), shares.ORDER_STATUS):
        assert f'aria-describedby="about-{report.name}"' in html
        assert f'<span role="tooltip" id="about-{report.name}">{escape(report.definition)}</span>' in html


@pytest.mark.usefixtures("market")
def test_names_are_escaped(boss):
    from_hostile = "<script>alert(1)</script>"
    connection.cursor().execute("UPDATE products SET name = %s WHERE product_id = 'lamp'", [from_hostile])
    html = boss.get(f"{HOME}?{RANGE}").content.decode()
    assert from_hostile not in html
    assert escape(from_hostile) in html
    assert " style=" not in html


def test_staff_without_the_permission_gets_the_tables(client):
    account = Account.objects.create_user("clerk", is_staff=True)
    account.user_permissions.add(Permission.objects.get(codename="view_order"))
    client.force_login(account)
    html = client.get(HOME).content.decode()
    assert "/admin/analytics/order/" in html
    assert 'id="daily-revenue"' not in html
    assert "Dashboard</a>" not in html
    assert client.get("/admin/reports/daily-revenue.csv").status_code == 403


def test_the_tables_stay_reachable(boss):
    assert "/admin/tables/" in page(boss).links
    assert 'href="/admin/analytics/order/"' in boss.get("/admin/tables/").content.decode()


def test_nobody_else_sees_anything(client):
    for path in (HOME, "/admin/tables/", "/admin/reports/daily-revenue.csv"):
        assert client.get(path).status_code == 302


@pytest.mark.usefixtures("market")
@pytest.mark.parametrize("name", [*REPORTS, "order-status", "engagement-tiers"])
def test_a_csv_has_the_rows_of_the_report_and_is_recorded(name, analyst):
    needed = f"&supplier_id={'a' * 24}" if name == "supplier-orders" else ""
    answered = analyst.get(f"/admin/reports/{name}.csv?{RANGE}{needed}")
    assert answered.status_code == 200
    lines = b"".join(answered.streaming_content).decode().splitlines()
    reports = REPORTS | {report.name: report for report in (shares.ORDER_STATUS, shares.ENGAGEMENT_TIERS)}
    report = reports[name]
    assert lines[0] == ",".join(column.name for column in report.columns)
    assert len(lines) - 1 == len(list(report.rows(Question(period=PERIOD, supplier_id="a" * 24))))
    kept = Export.objects.get()
    assert (kept.actor, kept.what, kept.filters, kept.rows) == ("analyst", name, RANGE + needed, len(lines) - 1)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/admin/reports/nothing.csv", 404),
        ("/admin/reports/daily-revenue.csv?range=nope", 422),
        ("/admin/reports/daily-revenue.csv?start=2026-03-13&end=2026-03-13", 422),
        ("/admin/reports/supplier-orders.csv", 422),
        ("/admin/reports/top-products.csv?limit=none", 422),
    ],
)
def test_a_csv_of_nothing_that_there_is(path, status, boss):
    assert boss.get(path).status_code == status
    assert not Export.objects.exists()


@pytest.mark.usefixtures("market")
@pytest.mark.parametrize(
    ("report", "asked", "question"),
    [
        ("supplier-orders", f"supplier_id={SUPPLIER.upper()}", {"supplier_id": SUPPLIER}),
        ("top-products", "limit=2", {"limit": 2}),
        ("low-stock", "threshold=3", {"threshold": 3}),
        ("cohorts", "months=1", {"months": 1}),
    ],
)
def test_a_csv_takes_what_the_api_takes(report, asked, question, boss):
    OrderItem.objects.filter(supplier_id="south").update(supplier_id=SUPPLIER)
    lines = csv.reader(io.StringIO(b"".join(boss.get(f"/admin/reports/{report}.csv?{RANGE}&{asked}")).decode()))
    expected = [list(map(cell, row.values())) for row in REPORTS[report].rows(Question(period=PERIOD, **question))]
    assert list(lines)[1:] == expected
    assert expected != [list(map(cell, row.values())) for row in REPORTS[report].rows(Question(period=PERIOD))]


def test_a_csv_is_read_only(boss):
    for method in (boss.post, boss.put, boss.delete, boss.head):
        assert method("/admin/reports/daily-revenue.csv").status_code == 405
    assert not Export.objects.exists()


@pytest.mark.usefixtures("market")
def test_csv_links_are_for_who_may_export(client):
    account = Account.objects.create_user("reader", is_staff=True)
    account.user_permissions.add(Permission.objects.get(codename="view_dashboard"))
    client.force_login(account)
    assert not [link for link in page(client).links if ".csv" in link]


@pytest.mark.usefixtures("market")
def test_headings_do_not_skip_a_level(boss):
    html = boss.get(f"{HOME}?{RANGE}").content.decode()
    levels = [int(part[0]) for part in html.split("<h")[1:] if part[0].isdigit()]
    assert levels[0] == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
