"""CSV of a list: exactly the rows that its filters and its search leave, in its order, however many there are."""

import csv
import io
from typing import Any

import pytest
from django.contrib.auth.models import User as Account
from django.test import Client
from django.urls import reverse

from analytics import admin_base, admin_export, admin_filters
from analytics.models import DeadLetter, Export, Order, OrderItem, Post, Product, Supplier, User
from tests.analytics import events
from tests.analytics.conftest import apply
from tests.analytics.events import event, item, new_id
from tests.analytics.letters import letter

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(Account.objects.create_superuser("staff", password=None))
    return client


@pytest.fixture(autouse=True)
def small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every export of more than two rows one of several portions."""
    monkeypatch.setattr(admin_export, "PORTION", 2)


def listed(client: Client, model: Any, query: dict[str, str]) -> list[Any]:
    """Return the keys of the rows that the list shows, in its order, of all its pages."""
    found, url = [], reverse(f"admin:analytics_{model._meta.model_name}_changelist")
    pages = client.get(url, query).context["cl"].paginator.num_pages
    for number in range(1, pages + 1):
        page = client.get(url, query | {"p": str(number)}).context["cl"]
        found += [row.pk for row in page.result_list]
    return found


def taken(client: Client, model: Any, query: dict[str, str]) -> list[dict[str, str]]:
    response = client.get(reverse(f"admin:analytics_{model._meta.model_name}_export"), query)
    assert response.status_code == 200
    assert response["Content-Disposition"] == f'attachment; filename="{model._meta.db_table}.csv"'
    return list(csv.DictReader(io.StringIO(b"".join(response).decode())))


def keys(model: Any, rows: list[dict[str, str]]) -> list[Any]:
    return [model._meta.pk.to_python(row[model._meta.pk.attname]) for row in rows]


@pytest.fixture
def shop() -> dict[str, str]:
    """Seven orders on four days, two of a kind at the same moment; the ids of what they are of.

    Three have the same product twice.
    """
    ids = {name: new_id() for name in ("user", "supplier", "product")}
    apply(event("supplier.created", ids["supplier"]), event("user.created", ids["user"]))
    for n in range(7):
        lines = [item(n), item(10 + n)]
        for line in lines if n % 2 else []:
            line["product_snapshot"] |= {"product_id": ids["product"], "supplier_id": ids["supplier"]}
        order = events.order(*lines) | {"created_at": f"2026-03-0{1 + n // 2}T10:00:00.000Z"}
        order |= {"order_number": f"ORD-2026030{1 + n // 2}-0000000{n}", "status": "pending" if n < 5 else "shipped"}
        if n in {2, 3, 4}:
            order["customer"] |= {"user_id": ids["user"]}
        apply(events.envelope("order.created", new_id(), 1, order))
        apply(event("product.created", new_id(), supplier_id=ids["supplier"] if n % 3 else new_id()))
        apply(event("user.created", new_id()), event("post.created", new_id()), event("supplier.created", new_id()))
        letter(b"{}", topic="post" if n % 2 else "user")
    return ids


QUERIES: list[tuple[Any, dict[str, str]]] = [
    (Order, {}),
    (Order, {"o": "6"}),
    (Order, {"status__exact": "pending"}),
    (Order, {"status__exact": "nothing"}),
    (Order, {"status__exact": "pending", "created_at_from": "2026-03-02", "created_at_to": "2026-03-02"}),
    (Order, {"created_at_to": "2026-03-03", "o": "6"}),
    (Order, {"product_id": "product"}),
    (Order, {"supplier_id": "supplier", "status__exact": "pending"}),
    (Order, {"customer_user_id": "user"}),
    (Order, {"q": "ORD-202603"}),
    (Order, {"q": "ORD-20260302"}),
    (Order, {"q": "ORD-", "created_at_to": "2026-03-02", "o": "6"}),
    (Order, {"q": "user"}),
    (Order, {"q": "ORD-", "status__exact": "shipped"}),
    (OrderItem, {}),
    (OrderItem, {"product_id": "product"}),
    (Product, {"supplier_id": "supplier"}),
    (Product, {"q": "supplier"}),
    (Product, {"category__exact": "other"}),
    (User, {}),
    (User, {"q": "ADA@"}),
    (User, {"deleted_at_from": "2000-01-01"}),
    (User, {"deleted_at_to": "9999-12-31"}),
    (Supplier, {"q": "Porto Goods"}),
    (Supplier, {"q": "PT"}),
    (Post, {"published_at_from": "2026-01-01"}),
    (Post, {"post_type__exact": "text"}),
    (DeadLetter, {}),
    (DeadLetter, {"topic": "post", "state": "all"}),
    (Export, {}),
]


@pytest.mark.parametrize(("model", "query"), QUERIES)
def test_the_file_has_the_rows_of_the_list(
    model: Any, query: dict[str, str], staff: Client, shop: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin_base.ReadOnlyAdmin, "list_per_page", 3)
    monkeypatch.setattr(admin_base.ReadOnlyAdmin, "list_max_show_all", 3)
    query = {name: shop.get(value, value) for name, value in query.items()}
    shown = listed(staff, model, query)
    if model is Export:
        return  # itself would be in the file
    assert len(shown) == len(set(shown))
    assert keys(model, taken(staff, model, query)) == shown


@pytest.mark.parametrize(
    "query",
    [
        {"supplier_id": "supplier", "created_at_from": "2026-03-02"},
        {"product_id": "product", "created_at_to": "2026-03-02", "o": "6"},
        {"product_id": "product", "q": "ORD-"},
    ],
)
def test_many_lines_or_few_the_rows_are_the_same(
    query: dict[str, str], staff: Client, shop: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines are read first where they are few; else orders are."""
    query = {name: shop.get(value, value) for name, value in query.items()}
    few = listed(staff, Order, query)
    assert len(few) in {2, 3}
    assert keys(Order, taken(staff, Order, query)) == few
    monkeypatch.setattr(admin_filters, "MANY_LINES", 2)
    assert listed(staff, Order, query) == few
    assert keys(Order, taken(staff, Order, query)) == few


def test_the_orders_of_a_product_are_in_the_order_of_their_ids(staff: Client, shop: dict[str, str]) -> None:
    query = {"product_id": shop["product"]}
    ids = OrderItem.objects.filter(**query).order_by("-order_id").values_list("order_id", flat=True)
    assert listed(staff, Order, query) == list(dict.fromkeys(ids))
    told = "In the order of order ids"
    assert told in staff.get(reverse("admin:analytics_order_changelist"), query).content.decode()
    ranged = query | {"created_at_from": "2026-03-01"}
    assert told not in staff.get(reverse("admin:analytics_order_changelist"), ranged).content.decode()
    found = Order.objects.filter(pk__in=ids).order_by("-created_at", "-pk")
    assert listed(staff, Order, ranged) == list(found.values_list("pk", flat=True))


def test_some_of_these_queries_find_some_rows_and_not_all(staff: Client, shop: dict[str, str]) -> None:
    """The comparison above says something only where a filter takes away some rows."""
    found = [len(listed(staff, m, {k: shop.get(v, v) for k, v in q.items()})) for m, q in QUERIES if m is Order]
    assert found == [7, 7, 5, 0, 2, 6, 3, 2, 3, 7, 2, 4, 3, 2]


def test_the_file_goes_on_where_the_count_stops(
    staff: Client, shop: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin_base, "COUNT_LIMIT", 4)
    page = staff.get(reverse("admin:analytics_order_changelist"))
    assert "4 or more orders" in page.content.decode()
    assert page.context["cl"].result_count == 4
    assert len(taken(staff, Order, {})) == 7
    assert "2 orders" in staff.get(reverse("admin:analytics_order_changelist"), {"q": "ORD-20260302"}).content.decode()


def test_the_link_keeps_filters_search_and_order_and_drops_the_page(staff: Client, shop: dict[str, str]) -> None:
    query = {"status__exact": "pending", "q": "ORD-", "o": "6", "created_at_from": "2026-01-01"}
    page = staff.get(reverse("admin:analytics_order_changelist"), query).content.decode()
    assert "export/?created_at_from=2026-01-01&amp;o=6&amp;q=ORD-&amp;status__exact=pending" in page


def test_the_file_has_all_columns_and_escapes_formulas(staff: Client) -> None:
    order_id = new_id()
    order = events.order(item(1))
    order["customer"] |= {"display_name": "=HYPERLINK(1)"}
    apply(events.envelope("order.created", order_id, 1, order))
    (row,) = taken(staff, Order, {})
    assert set(row) == {field.attname for field in Order._meta.concrete_fields}
    assert next(iter(row)) == "order_id"
    assert (row["customer_display_name"], row["created_at"]) == ("'=HYPERLINK(1)", events.CREATED_AT)
    assert row["total_cents"] == str(Order.objects.get().total_cents)
    (line,) = taken(staff, OrderItem, {})
    assert line["variant_attributes_json"].startswith("{")


def test_of_bytes_there_is_no_csv(staff: Client) -> None:
    letter(b"\xff")
    (row,) = taken(staff, DeadLetter, {})
    assert {"key", "value"}.isdisjoint(row)
    assert row["error"] == "it was so"


def test_who_took_what_is_on_record(staff: Client, shop: dict[str, str]) -> None:
    taken(staff, Order, {"status__exact": "pending"})
    assert list(Export.objects.values_list("actor", "what", "filters", "rows")) == [
        ("staff", "orders", "status__exact=pending", 5)
    ]
    page = staff.get(reverse("admin:analytics_export_changelist")).content.decode()
    assert "status__exact=pending" in page


def test_what_the_list_refuses_is_no_file(staff: Client) -> None:
    response = staff.get(reverse("admin:analytics_order_export"), {"created_at__year": "nonsense"})
    assert response.status_code == 302
    assert not Export.objects.exists()
