"""Any JSON anywhere in a body, and any text in a query: a 4xx or a 2xx, never a 500 (SPEC section 2)."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api import (
    ANYONE,
    DOMAIN,
    POST,
    PRODUCT,
    USER,
    Api,
    Json,
    new_post,
    new_product,
    new_supplier,
    new_user,
    order_body,
    supplier_body,
)
from tests.dotted import with_value

pytestmark = pytest.mark.usefixtures("api")

SETTINGS = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([2**31, 2**53, 2**63 - 1, 2**63, -(2**63) - 1, 2**64, 10**400]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=30),
    st.sampled_from(
        ["", "\0", "$ne", "a.b", "\ud800", "\u202e", "0" * 24, "5f " * 8, "x" * 10_000, "2026-01-01T00:00:00Z"]
    ),
)
ANY_JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.one_of(st.text(max_size=8), st.sampled_from(["$gt", "a.b", "", "_id", "\0"])), inner, max_size=4
        ),
    ),
    max_leaves=8,
)


def paths_of(body: Json, prefix: str = "") -> list[str]:
    """Return the dotted path of everything in a body."""
    entries = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    found = []
    for key, value in entries:
        found += [f"{prefix}{key}", *paths_of(value, f"{prefix}{key}.")]
    return found


@pytest.fixture
def targets() -> list[tuple[Api, str, str, Json]]:
    """Every route with a body, its caller, and a body to spoil."""
    user, supplier = new_user(), new_supplier()
    product, post = new_product(supplier), new_post(user)
    line = {"product_id": product["id"], "variant_name": "Red", "quantity": 1}
    return [
        (ANYONE, "POST", "/users", USER),
        (ANYONE, "POST", "/suppliers", supplier_body()),
        (supplier, "POST", "/products", PRODUCT | {"supplier_id": supplier.id}),
        (user, "POST", "/orders", order_body(line)),
        (user, "POST", "/posts", POST | {"is_draft": False}),
        (user, "PATCH", f"/users/{user.id}", {"display_name": "", "phone": "", "bio": "", "avatar": "", "version": 0}),
        (supplier, "PATCH", f"/suppliers/{supplier.id}", {"legal_name": "", "support_email": "", "version": 0}),
        (supplier, "PATCH", f"/products/{product['id']}", PRODUCT | {"version": 0}),
        (user, "PATCH", f"/posts/{post['id']}", POST | {"version": 0}),
        (supplier, "POST", f"/products/{product['id']}/publish", {"version": 0}),
        (user, "POST", f"/orders/{'0' * 24}/cancel", {"version": 0, "reason": ""}),
    ]


def test_any_json_at_any_place_of_a_body(targets: list[tuple[Api, str, str, Json]]) -> None:
    spots = [(*target, path) for target in targets for path in paths_of(target[3])]

    @SETTINGS
    @given(st.sampled_from(spots), ANY_JSON)
    def spoil(spot: tuple[Any, ...], value: Json) -> None:
        caller, method, path, body, place = spot
        response = caller(method, path, with_value(body, place, value))
        assert response.status_code < 500, (method, path, place, value)
        if response.status_code == 422 and "details" in response.json()["error"]:
            assert all(response.json()["error"]["details"]["fields"].values())

    spoil()


def test_any_json_as_a_body(targets: list[tuple[Api, str, str, Json]]) -> None:
    @SETTINGS
    @given(st.sampled_from(targets), ANY_JSON)
    def replace(target: tuple[Any, ...], value: Json) -> None:
        caller, method, path, _ = target
        response = caller(method, path, json.dumps(value).encode())
        assert response.status_code < 500
        assert isinstance(value, dict) or response.status_code == 422

    replace()


def test_any_bytes_as_a_body(targets: list[tuple[Api, str, str, Json]]) -> None:
    @SETTINGS
    @given(st.sampled_from(targets), st.binary(min_size=1, max_size=50))
    def replace(target: tuple[Any, ...], value: bytes) -> None:
        caller, method, path, _ = target
        assert caller(method, path, value).status_code < 500

    replace()


def test_any_text_in_path_and_query(staff: Api) -> None:
    names = st.sampled_from(
        ["limit", "skip", "status", "category", "supplier_id", "user_id", "author_id", "x", "status[$ne]"]
    )
    text = st.text(st.characters(codec="utf-8"), max_size=30)

    @SETTINGS
    @given(st.sampled_from(DOMAIN), names, text, text)
    def ask(resource: str, name: str, value: str, identifier: str) -> None:
        assert staff.client.get(f"/{resource}", {name: value}).status_code in (200, 422)
        assert (
            staff.client.get(f"/{resource}/{identifier.replace('/', '').replace('?', '').replace('#', '')}").status_code
            < 500
        )

    ask()


def test_more_query_parameters_than_django_takes() -> None:
    response = ANYONE.client.get("/products?" + "&".join(f"x{number}=1" for number in range(1001)))
    assert response.status_code == 422


def test_any_text_in_our_headers() -> None:
    user = new_user()
    text = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=40)

    @SETTINGS
    @given(text, st.sampled_from(["If-Match", "X-Request-ID", "traceparent", "X-User-ID", "Accept", "Content-Type"]))
    def send(value: str, name: str) -> None:
        headers = {"X-User-ID": user.id} | {name: value}
        response = ANYONE.client.patch(f"/users/{user.id}", b"{}", content_type="application/json", headers=headers)
        assert response.status_code < 500

    send()
