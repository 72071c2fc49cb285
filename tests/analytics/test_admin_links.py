"""Ways through the admin: from supplier to products to orders and back, from user to orders and posts and back."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.contrib.auth.models import User as Account
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from analytics.models import Order, OrderItem, Post, Product, ProductVariant, Supplier, User
from tests.analytics import events
from tests.analytics.conftest import apply
from tests.analytics.events import event, item, new_id

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(Account.objects.create_superuser("staff", password=None))
    return client


def page(client: Client, model: Any, *args: str, **query: str) -> str:
    name = f"admin:analytics_{model._meta.model_name}_{'change' if args else 'changelist'}"
    response = client.get(reverse(name, args=args), query)
    assert response.status_code == 200
    return response.content.decode()


def shown(client: Client, model: Any, **query: str) -> set[Any]:
    response = client.get(reverse(f"admin:analytics_{model._meta.model_name}_changelist"), query)
    return {row.pk for row in response.context["cl"].result_list}


def way_to(model: Any, key: str) -> str:
    """Return the link to a row's page."""
    return f'<a href="{reverse(f"admin:analytics_{model._meta.model_name}_change", args=[key])}">'


def way_to_list(model: Any, name: str, key: str) -> str:
    return f'"{reverse(f"admin:analytics_{model._meta.model_name}_changelist")}?{name}={key}"'


@pytest.fixture
def shop() -> dict[str, str]:
    """Two of everything; the ids of the first of each, and of the second's order."""
    ids: dict[str, str] = {}
    for turn in ("", "other_"):
        ids |= {f"{turn}{name}": new_id() for name in ("user", "supplier", "product", "order", "post")}
        supplier, product, user = (ids[turn + name] for name in ("supplier", "product", "user"))
        line = item(1)
        line["product_snapshot"] |= {"product_id": product, "supplier_id": supplier}
        order = events.order(line)
        order["customer"] |= {"user_id": user}
        apply(
            event("user.created", user),
            event("supplier.created", supplier),
            event("product.created", product, supplier_id=supplier, variants={"red": events.variant()}),
            events.envelope("order.created", ids[turn + "order"], 1, order),
            event("post.created", ids[turn + "post"], author=events.post()["author"] | {"user_id": user}),
        )
    return ids


def test_from_supplier_to_products_to_orders_and_back(staff: Client, shop: dict[str, str]) -> None:
    supplier, product, order = shop["supplier"], shop["product"], shop["order"]
    of_supplier = page(staff, Supplier, supplier)
    tables: list[Any] = [Product, Order, OrderItem]
    for table in tables:
        assert way_to_list(table, "supplier_id", supplier) in of_supplier
    assert shown(staff, Product, supplier_id=supplier) == {product}
    assert shown(staff, Order, supplier_id=supplier) == {order}
    of_product = page(staff, Product, product)
    for table in [Order, OrderItem, ProductVariant]:
        assert way_to_list(table, "product_id", product) in of_product
    assert shown(staff, Order, product_id=product) == {order}
    lines = OrderItem.objects.filter(order_id=order).values_list("pk", flat=True)
    assert shown(staff, OrderItem, product_id=product) == shown(staff, OrderItem, order_id=order) == set(lines)
    assert shown(staff, ProductVariant, product_id=product) == {ProductVariant.objects.get(product_id=product).pk}
    assert way_to(Supplier, supplier) in of_product
    for text in (page(staff, Order, order), page(staff, OrderItem)):
        assert way_to(Product, product) in text
        assert way_to(Supplier, supplier) in text
    assert way_to(Supplier, supplier) in page(staff, Product)
    assert way_to(Order, order) in page(staff, OrderItem)


def test_from_user_to_orders_and_posts_and_back(staff: Client, shop: dict[str, str]) -> None:
    user = shop["user"]
    of_user = page(staff, User, user)
    assert way_to_list(Order, "customer_user_id", user) in of_user
    assert way_to_list(Post, "author_user_id", user) in of_user
    assert shown(staff, Order, customer_user_id=user) == {shop["order"]}
    assert shown(staff, Post, author_user_id=user) == {shop["post"]}
    for table, key in ((Order, shop["order"]), (Post, shop["post"])):
        assert way_to(User, user) in page(staff, table)
        assert way_to(User, user) in page(staff, table, key)


def test_a_filter_of_a_link_is_shown_and_can_be_removed(staff: Client, shop: dict[str, str]) -> None:
    text = page(staff, Order, product_id=shop["product"], status__exact="pending")
    assert "Only of this product" in text
    assert Product.objects.get(pk=shop["product"]).name in text
    assert '<a href="?status__exact=pending">Remove</a>' in text
    assert "Only of this" not in page(staff, Order)
    gone = page(staff, Order, product_id="f" * 24)
    assert "f" * 24 in gone
    assert "0 orders" in gone


def test_filters_combine(staff: Client, shop: dict[str, str]) -> None:
    assert shown(staff, Order, product_id=shop["product"], customer_user_id=shop["user"]) == {shop["order"]}
    assert shown(staff, Order, product_id=shop["product"], customer_user_id=shop["other_user"]) == set()
    assert shown(staff, Order, product_id=shop["product"], status__exact="shipped") == set()


def test_what_is_gone_is_plain_text(staff: Client, shop: dict[str, str]) -> None:
    product = shop["product"]
    name = OrderItem.objects.get(product_id=product).product_name
    apply(event("product.deleted", product, version=2))
    for text in (page(staff, Order, shop["order"]), page(staff, OrderItem)):
        assert name in text
        assert way_to(Product, product) not in text
    assert way_to(Product, shop["other_product"]) in page(staff, OrderItem)


def test_there_is_no_way_to_what_may_not_be_seen(shop: dict[str, str]) -> None:
    account = Account.objects.create_user("clerk", is_staff=True)
    account.user_permissions.set(Permission.objects.filter(codename__in=["view_order", "view_supplier"]))
    clerk = Client()
    clerk.force_login(account)
    assert way_to(User, shop["user"]) not in page(clerk, Order) + page(clerk, Order, shop["order"])
    of_supplier = page(clerk, Supplier, shop["supplier"])
    assert way_to_list(Order, "supplier_id", shop["supplier"]) in of_supplier
    assert way_to_list(Product, "supplier_id", shop["supplier"]) not in of_supplier


def many_lines(number: int) -> Iterator[dict[str, Any]]:
    for n in range(number):
        line = item(n)
        line["product_snapshot"] |= {"product_id": new_id(), "supplier_id": new_id()}
        yield line


@pytest.mark.parametrize(("table", "key"), [(OrderItem, ""), (Order, "order")])
def test_links_are_looked_up_once_a_page(table: Any, key: str, staff: Client, shop: dict[str, str]) -> None:
    args = [shop[key]] if key else []
    with CaptureQueriesContext(connection) as few:
        page(staff, table, *args)
    order = events.envelope("order.updated", shop["order"], 2, events.order(*many_lines(30)))
    apply(order | {"event_type": "order.cancelled"})
    with CaptureQueriesContext(connection) as many:
        page(staff, table, *args)
    assert OrderItem.objects.filter(order_id=shop["order"]).count() == 30
    assert len(many) == len(few)
