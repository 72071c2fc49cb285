"""The ways from the dashboard to the rows: a list has as many rows as the number that leads to it."""

import pytest
from django.contrib.auth.models import User as Account

from tests.analytics.accounts import analysts
from tests.analytics.conftest import apply
from tests.analytics.pages import Page
from tests.analytics.reports.conftest import market as market
from tests.analytics.reports.rows import deleted
from tests.analytics.reports.test_posts import post

pytestmark = pytest.mark.django_db

HOME = "/admin/"


@pytest.fixture
def boss(client):
    client.force_login(Account.objects.create_superuser("boss", password=None))
    return client


def page(client):
    return Page(client.get(f"{HOME}?start=2026-03-10&end=2026-03-13").content.decode())


def listed(client, url):
    """The keys of the rows of the list at a URL, which holds them all on one page."""
    return {row.pk for row in client.get(url).context["cl"].result_list}


@pytest.fixture
def posts(db):
    apply(
        post("viral", "10 12:00", 70, 7),
        post("high", "11 12:00", 1000, 99),
        post("high too", "11 12:00", 20, 1),
        post("medium", "12 12:00", 1000, 49),
        post("low", "12 12:00", 1000, 19),
        post("unseen", "12 12:00", 0, 5),
        post("draft", None, 10, 10),
        post("deleted", "11 12:00", 10, 10),
        post("before", "09 12:00", 10, 10),
    )
    apply(deleted("post", "deleted"))


@pytest.mark.usefixtures("market", "posts")
@pytest.mark.parametrize(
    ("card", "column"),
    [
        ("daily-revenue", 2),
        ("order-status", 0),
        ("revenue-by-supplier", 2),
        ("top-categories", 2),
        ("price-distribution", 0),
        ("engagement-tiers", 0),
    ],
)
def test_a_list_has_as_many_rows_as_the_number_says(card, column, boss):
    rows = [row for row in page(boss).rows[card] if row.url]
    told = [int(row.values[column]) for row in rows]
    assert [len(listed(boss, row.url)) for row in rows] == told
    assert len(set(told)) > 1


@pytest.mark.usefixtures("market", "posts")
def test_it_has_these_rows(boss):
    cards = page(boss).rows
    found = {row.label: listed(boss, row.url) for card in cards.values() for row in card if "?" in row.url}
    assert found["cancelled"] == {"o04", "o08"}
    assert found["Old vase"] == {"o09"}
    assert found["South Ltd"] == {"o03", "o07"}
    assert found["fashion"] == {"scarf"}
    assert found["viral"] == {"viral"}
    assert found["high"] == {"high", "high too"}
    assert found["low"] == {"low", "unseen"}


def test_values_that_there_are_not_are_refused(boss):
    for path in ("post/?tier=best", "product/?price_band=7"):
        assert boss.get(f"/admin/analytics/{path}").status_code == 302


@pytest.mark.usefixtures("market")
def test_every_link_of_the_page_answers(client):
    analyst = Account.objects.create_user("analyst", is_staff=True)
    analyst.groups.add(analysts())
    client.force_login(analyst)
    links = {link for link in page(client).links if link.startswith(("/admin", "?"))}
    assert len(links) > 25
    for link in links - {"/admin/logout/", "/admin/password_change/"}:
        assert client.get(f"{HOME}{link}" if link.startswith("?") else link).status_code == 200, link


def test_a_file_has_more_than_the_rows_of_its_chart(boss):
    days = "start=2026-03-10&end=2026-03-13"
    files = {link for link in page(boss).links if ".csv" in link}
    assert f"/admin/reports/revenue-by-supplier.csv?{days}&limit=100000" in files
    assert f"/admin/reports/daily-revenue.csv?{days}" in files
