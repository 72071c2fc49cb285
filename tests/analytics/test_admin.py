"""The admin pages of the analytics tables: they show, search and filter, and change nothing."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import User as Account
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from analytics import admin_base, models
from analytics.admin_base import COUNT_LIMIT
from analytics.admin_columns import money
from analytics.models import DeadLetter, Export
from tests.analytics import events
from tests.analytics.conftest import apply
from tests.analytics.events import event, item, new_id, variant

pytestmark = pytest.mark.django_db

PAGES = [model for model in admin.site._registry if model._meta.app_label == "analytics"]
TABLES = ["users", "suppliers", "products", "product_variants", "orders", "order_items", "posts"]


@pytest.fixture
def staff(client):
    account = Account.objects.create_superuser("staff", password=None)
    client.force_login(account)
    return client


@pytest.fixture
def rows() -> dict[str, str]:
    """One row in every table; the ids of the entities."""
    ids = {entity: new_id() for entity in ("user", "supplier", "product", "order", "post")}
    changes = {"product": {"variants": {"Réd": variant()}, "name": "Lamp <b>"}}
    order = events.envelope("order.created", ids["order"], 1, events.order(item(2, price=2025)))
    others = (event(f"{name}.created", ids[name], **changes.get(name, {})) for name in ids if name != "order")
    apply(order, *others)
    Export.objects.create(actor="ann", what="orders", filters="", rows=1)
    DeadLetter.objects.create(
        cluster_id="c", topic="user", partition=0, offset=5, key=b"k", value=b"\xff{", error="bad"
    )
    return ids


def url(model, page="changelist", *args) -> str:
    return reverse(f"admin:analytics_{model._meta.model_name}_{page}", args=args)


def test_every_table_has_a_page():
    assert {model._meta.db_table for model in PAGES} == {*TABLES, "dead_letters", "exports"}


@pytest.mark.parametrize("model", PAGES)
def test_list_search_and_detail(model, staff, rows):
    pk = model.objects.first().pk
    page = staff.get(url(model))
    assert page.status_code == 200
    assert "1 " in page.content.decode()
    assert staff.get(url(model), {"q": "'; %_ \\ nothing like it"}).status_code == 200
    detail = staff.get(url(model, "change", pk))
    assert detail.status_code == 200
    assert b'name="_save"' not in detail.content


@pytest.mark.parametrize("model", PAGES)
def test_nothing_can_be_changed(model, staff, rows):
    pk = model.objects.first().pk
    before = list(model.objects.values())
    assert staff.get(url(model, "add")).status_code == 403
    assert staff.post(url(model, "change", pk), {"version": 99}).status_code == 403
    assert staff.post(url(model, "delete", pk), {"post": "yes"}).status_code == 403
    deletion = {"action": "delete_selected", "_selected_action": pk, "post": "yes"}
    staff.post(url(model), deletion)
    assert list(model.objects.values()) == before


@pytest.mark.parametrize(
    ("model", "found", "missed"),
    [
        (models.User, "ada@", "bob@"),
        (models.Supplier, "Porto", "Lisbon"),
        (models.Product, "a" * 24, "f" * 24),
        (models.Order, "ORD-20260301", "ORD-1999"),
        (models.OrderItem, "b" * 24, "f" * 24),
        (models.Post, "c" * 24, "f" * 24),
    ],
)
def test_search(model, found, missed, staff, rows):
    for text, count in ((found, 1), (missed, 0)):
        assert staff.get(url(model), {"q": text}).context["cl"].result_count == count


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"created_at_from": "2026-03-01", "created_at_to": "2026-03-01"}, 1),
        ({"created_at_from": "2026-03-02"}, 0),
        ({"created_at_to": "2026-02-28"}, 0),
        ({"created_at_to": "9999-12-31"}, 1),
        ({"created_at_from": "nonsense", "created_at_to": ""}, 1),
        ({"status__exact": "pending", "created_at_from": "2026-03-01"}, 1),
        ({"status__exact": "shipped", "created_at_from": "2026-03-01"}, 0),
    ],
)
def test_date_ranges_include_both_days_and_combine_with_filters(query, count, staff, rows):
    page = staff.get(url(models.Order), query)
    assert page.context["cl"].result_count == count
    if "status__exact" in query:
        assert f'<input type="hidden" name="status__exact" value="{query["status__exact"]}">' in page.content.decode()


def test_money_json_and_children(staff, rows):
    order = staff.get(url(models.Order, "change", rows["order"])).content.decode()
    assert "40.50" in order
    assert "item_2" in order
    product = staff.get(url(models.Product, "change", rows["product"])).content.decode()
    assert "Réd" in product
    assert "Lamp &lt;b&gt;" in product
    assert "size: L" in product
    variant_id = models.ProductVariant.objects.get().pk
    detail = staff.get(url(models.ProductVariant, "change", variant_id)).content.decode()
    assert "&quot;attribute_name&quot;: &quot;size&quot;" in detail
    letter = staff.get(url(DeadLetter, "change", DeadLetter.objects.get().pk)).content.decode()
    assert "\\xff{" in letter


@pytest.mark.parametrize(
    ("cents", "text"),
    [(None, "-"), (0, "0.00"), (5, "0.05"), (123456, "1,234.56"), (-150, "-1.50"), (10**12, "10,000,000,000.00")],
)
def test_money(cents, text):
    assert money(cents) == text


@pytest.mark.parametrize("model", PAGES)
def test_lists_never_count_or_scan_a_whole_table(model, staff, rows):
    with CaptureQueriesContext(
        connection,
    ) as queries:
        staff.get(url(model))
    statements = [
        query["sql"] for query in queries if f"FROM {connection.ops.quote_name(model._meta.db_table)}" in query["sql"]
    ]
    counts = [statement for statement in statements if "COUNT(*)" in statement]
    assert counts
    assert all(f"LIMIT {COUNT_LIMIT}" in statement for statement in counts)
    assert not any("DISTINCT" in statement for statement in statements)


@pytest.mark.parametrize("model", PAGES)
def test_no_list_is_sorted_but_by_the_column_that_has_the_index(model, staff, rows):
    column = admin.site._registry[model].order_column
    key = model._meta.pk.attname
    for place in range(12):
        for sign in ("", "-"):
            shown = staff.get(url(model), {"o": f"{sign}{place}"}).context["cl"]
            ordered = [name.removeprefix("-") for name in shown.queryset.query.order_by]
            assert ordered == list(dict.fromkeys((column, key)))
            assert len({name.startswith("-") for name in shown.queryset.query.order_by}) == 1
    assert staff.get(url(model)).content.decode().count('class="sortable') <= 1


def test_a_row_with_many_children_shows_the_first(staff, monkeypatch):
    monkeypatch.setattr(admin_base, "CHILD_LIMIT", 3)
    order_id = new_id()
    apply(events.envelope("order.created", order_id, 1, events.order(*(item(n) for n in range(1, 9)))))
    page = staff.get(url(models.Order, "change", order_id)).content.decode()
    assert "item_3" in page
    assert "item_4" not in page


def test_pages_are_for_staff_only(client, rows):
    for model in PAGES:
        assert client.get(url(model)).status_code == 302
