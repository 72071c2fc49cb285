"""A client generated from openapi.yaml, with the API as a process of its own: does it know all that it meets?

openapi-python-client (https://github.com/openapi-generators/openapi-python-client) stands for the generators of other
languages: what it cannot make sense of, it warns of, and a warning fails.
"""

import contextlib
import importlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests import contract

PACKAGE = "generated_marketplace_client"
PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], ModuleType]]:
    """A function that imports a module of the generated package."""
    folder = tmp_path_factory.mktemp("client")
    # The formatters that it would run on its output change nothing of what it does.
    (folder / "config.yaml").write_text("post_hooks: []\n")
    files = ["--path", str(contract.OPENAPI), "--output-path", str(folder / PACKAGE), "--config", "config.yaml"]
    command = [Path(sys.executable).with_name("openapi-python-client"), "generate", "--meta", "none", *files]
    done = subprocess.run([*command, "--fail-on-warning"], cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "warning" not in (done.stdout + done.stderr).lower(), done.stdout
    sys.path.insert(0, str(folder))
    yield lambda name: importlib.import_module(f"{PACKAGE}.{name}")
    sys.path.remove(str(folder))


@pytest.fixture
def models(package: Callable[[str], ModuleType]) -> ModuleType:
    return package("models")


@pytest.fixture
def call(package: Callable[[str], ModuleType]) -> Callable[..., Any]:
    """A function that calls an operation by tag and operationId, and returns its status and its parsed answer."""

    def called(operation: str, *arguments: Any, expected: int = 200, **more: Any) -> Any:
        response = package(f"api.{operation}").sync_detailed(*arguments, **more)
        assert response.status_code == HTTPStatus(expected), response.content
        return response.parsed

    return called


@pytest.fixture
def anyone(package: Callable[[str], ModuleType], api: str) -> Iterator[Any]:
    """A client without a token, which does not accept answers that the document leaves out."""
    with package("client").Client(api, raise_on_unexpected_status=True) as client:
        yield client


@pytest.fixture
def log_in(package: Any, models: Any, api: str, call: Any, anyone: Any) -> Iterator[Callable[..., Any]]:
    """A function that returns the client of an account."""
    clients = contextlib.ExitStack()

    def logged_in(email: str, account: str) -> Any:
        body = models.LogIn(email=email, password=PASSWORD, account=models.AccountKind(account))
        tokens = call("accounts.auth_token", client=anyone, body=body)
        assert isinstance(tokens, models.Tokens)
        assert tokens.token_type == models.TokenType.BEARER
        client = package("client").AuthenticatedClient
        return clients.enter_context(client(api, token=tokens.access, raise_on_unexpected_status=True))

    with clients:
        yield logged_in


@pytest.fixture
def user(models: Any, call: Any, anyone: Any, log_in: Any) -> Any:
    body = models.UserCreate(email="ada@example.com", password=PASSWORD, display_name="Ada")
    made = call("users.users_create", client=anyone, body=body, expected=201)
    assert isinstance(made, models.User)
    assert made.profile.bio is None
    assert datetime.now(UTC) - made.created_at < timedelta(minutes=1)
    return log_in("ada@example.com", "user")


@pytest.fixture
def supplier(models: Any, call: Any, anyone: Any, log_in: Any) -> Any:
    address = models.AddressInput("Ring 1", "Vienna", "Vienna", "1010", "AT")
    body = models.SupplierCreate(
        password=PASSWORD,
        contact_info=models.SupplierContactInfoInput(primary_email="sales@example.com", primary_phone="+43 1 555"),
        company_info=models.CompanyInfoInput(legal_name="Tools Ltd", business_address=address),
    )
    made = call("suppliers.suppliers_create", client=anyone, body=body, expected=201)
    assert isinstance(made, models.Supplier)
    assert made.product_ids == []
    return log_in("sales@example.com", "supplier")


def new_product(models: Any, call: Any, supplier: Any) -> Any:
    """Add a product with one variant and put it on sale."""
    size = models.PackageDimensionsInput(width_cm=12.5, height_cm=4, depth_cm=30)
    red = models.VariantInput("v1", "Red", price_cents=1500, quantity=10, package_dimensions=size, cost_cents=700)
    variants = models.ProductVariantsInput()
    variants["Red"] = red
    body = models.ProductCreate(
        "Hammer", models.ProductCategory.HOME_GARDEN, base_sku="H-1", base_price_cents=1000, variants=variants
    )
    draft = call("products.products_create", client=supplier, body=body, expected=201)
    assert draft.status == models.ProductStatus.DRAFT
    assert draft.published_at is None
    assert isinstance(draft.variants["Red"], models.Variant)
    return call("products.products_publish", draft.id, client=supplier, body=models.Version(version=draft.version))


def new_order(models: Any, product: Any, quantity: int = 2) -> Any:
    address = models.ShippingAddressInput("Ring 1", "Vienna", "Vienna", "1010", "AT", recipient_name="Ada Lovelace")
    return models.OrderCreate(address, [models.OrderLine(product.id, quantity, variant_name="Red")])


def test_from_sign_up_to_a_cancelled_order(models: Any, call: Any, user: Any, supplier: Any) -> None:
    product = new_product(models, call, supplier)
    assert (product.status, product.version) == (models.ProductStatus.ACTIVE, 2)
    assert isinstance(product.published_at, datetime)

    order = call(
        "orders.orders_create", client=user, body=new_order(models, product), expected=201, idempotency_key="a"
    )
    again = call(
        "orders.orders_create", client=user, body=new_order(models, product), expected=201, idempotency_key="a"
    )
    assert again == order
    [item] = order.items
    assert (item.total_cents, item.fulfillment_status) == (3000, models.OrderItemFulfillmentStatus.PENDING)
    assert call("orders.orders_read", order.id, client=user) == order
    assert call("orders.orders_list", client=user, status="pending,confirmed") == [order]

    reason = models.OrderCancel(reason="Ordered twice", version=order.version)
    cancelled = call("orders.orders_cancel", order.id, client=user, body=reason)
    assert isinstance(cancelled, models.Order)
    assert cancelled.status == models.OrderStatus.CANCELLED
    assert cancelled.cancellation.reason == "Ordered twice"
    seen = call("products.products_read", product.id, client=user)
    assert (seen.variants["Red"].quantity, seen.variants["Red"].cost_cents) == (10, None)


def test_errors_are_typed(models: Any, call: Any, anyone: Any, user: Any, supplier: Any) -> None:
    def refused(operation: str, *arguments: Any, expected: int, **more: Any) -> Any:
        error = call(operation, *arguments, expected=expected, **more)
        assert isinstance(error, models.Error)
        return error.error

    product = new_product(models, call, supplier)
    code = models.ErrorCode
    assert refused("orders.orders_list", client=anyone, expected=401).code == code.AUTHENTICATION_FAILED
    assert refused("products.products_delete", product.id, client=user, expected=403).code == code.FORBIDDEN
    assert refused("orders.orders_read", "0" * 24, client=user, expected=404).code == code.RESOURCE_NOT_FOUND
    short = refused("orders.orders_create", client=user, body=new_order(models, product, 11), expected=409)
    assert (short.code, short.details.available) == (code.INSUFFICIENT_STOCK, 10)
    stale = models.ProductUpdate(name="Saw", version=1)
    assert refused("products.products_update", product.id, client=supplier, body=stale, expected=409).code == (
        code.VERSION_CONFLICT
    )
    empty = models.ProductUpdate(name=" ")
    invalid = refused("products.products_update", product.id, client=supplier, body=empty, expected=422)
    assert invalid.code == code.VALIDATION_ERROR
    assert list(invalid.details.fields["name"]) == ["This field may not be blank."]


def test_reports_have_typed_rows(models: Any, call: Any, user: Any) -> None:
    refused = call("reports.reports_top_products", client=user, limit=3, start=date(2026, 3, 1), expected=403)
    assert isinstance(refused, models.Error)
    answers = contract.document()["paths"]["/reports/daily-revenue"]["get"]["responses"]["200"]["content"]
    [example] = answers[contract.JSON]["examples"]["Answer"]["value"]
    row = models.DailyRevenueRow.from_dict(example)
    assert row.day == date(2026, 3, 1)
    assert isinstance(row.revenue_cents, int)


def test_pages_by_cursor(package: Any, models: Any, call: Any, user: Any) -> None:
    kind = models.PostType.TEXT
    posts = [
        call("posts.posts_create", client=user, body=models.PostCreate(kind, text), expected=201) for text in "abc"
    ]
    page = package("api.posts.posts_list").sync_detailed(client=user, limit=2)
    seen = page.parsed
    cursor = parse_qs(urlsplit(httpx.Response(200, headers=page.headers).links["next"]["url"]).query)["cursor"]
    seen += call("posts.posts_list", client=user, limit=2, cursor=cursor[0])
    assert [post.id for post in seen] == [post.id for post in reversed(posts)]
