"""SPEC's permission table: every route with every caller.

The table below is written from SPEC, not from `marketplace.policy`. Its callers come with bearer tokens, staff with a
session of the admin as well.
"""

import re
from typing import Any

import pytest
from django.urls import get_resolver

from marketplace import policy
from marketplace.api.errors import unknown_url
from tests.api import (
    ANYONE,
    NOBODY,
    POST,
    PRODUCT,
    USER,
    Api,
    Json,
    answered,
    new_supplier,
    new_user,
    nothing_written,
)
from tests.world import CALLERS, World, methods, routes, with_token

CODES = {401: "AUTHENTICATION_FAILED", 403: "FORBIDDEN", 404: "RESOURCE_NOT_FOUND"}


# Method and path, whose it is, the body; then what anonymous, owner, other user, other supplier and staff get.
TABLE = """
POST   /auth/token                         user     log-in   200 200 200 200 200
POST   /auth/refresh                       user     refresh  200 200 200 200 200
POST   /auth/revoke                        user     refresh  204 204 204 204 204
POST   /users                              user     user     201 201 201 201 201
GET    /users                              user     -        401 403 403 403 200
GET    /users/{user}                       user     -        401 200 404 404 200
PATCH  /users/{user}                       user     -        401 200 404 404 200
DELETE /users/{user}                       user     -        401 204 404 404 204
POST   /suppliers                          supplier supplier 201 201 201 201 201
GET    /suppliers                          supplier -        200 200 200 200 200
GET    /suppliers/{supplier}               supplier -        200 200 200 200 200
PATCH  /suppliers/{supplier}               supplier -        401 200 403 403 200
DELETE /suppliers/{supplier}               supplier -        401 204 403 403 204
POST   /products                           supplier product  401 201 403 201 201
GET    /products                           supplier -        200 200 200 200 200
GET    /products/{product}                 supplier -        200 200 200 200 200
GET    /products/{draft}                   supplier -        404 200 404 404 200
PATCH  /products/{product}                 supplier -        401 200 403 403 200
PATCH  /products/{draft}                   supplier -        401 200 404 404 200
DELETE /products/{product}                 supplier -        401 204 403 403 204
DELETE /products/{draft}                   supplier -        401 204 404 404 204
POST   /products/{draft}/publish           supplier -        401 200 404 404 200
POST   /products/{product}/discontinue     supplier -        401 200 403 403 200
POST   /products/{product}/mark-out-of-stock supplier -      401 200 403 403 200
POST   /products/{product}/restore         supplier -        401 200 403 403 200
POST   /orders                             user     order    401 201 201 403 403
GET    /orders                             user     -        401 200 200 403 200
GET    /orders/{order}                     user     -        401 200 404 404 200
POST   /orders/{order}/cancel              user     -        401 200 404 404 200
POST   /posts                              user     post     401 201 201 403 403
GET    /posts                              user     -        200 200 200 200 200
GET    /posts/{post}                       user     -        200 200 200 200 200
GET    /posts/{draft_post}                 user     -        404 200 404 404 200
PATCH  /posts/{post}                       user     -        401 200 403 403 200
PATCH  /posts/{draft_post}                 user     -        401 200 404 404 200
DELETE /posts/{post}                       user     -        401 204 403 403 204
DELETE /posts/{draft_post}                 user     -        401 204 404 404 204
POST   /posts/{draft_post}/publish         user     -        401 200 404 404 200
GET    /reports/revenue-by-supplier        user     -        401 403 403 403 200
GET    /reports/top-products               user     -        401 403 403 403 200
GET    /reports/supplier-orders?supplier_id={supplier} user     -        401 403 403 403 200
GET    /reports/post-engagement            user     -        401 403 403 403 200
GET    /reports/price-distribution         user     -        401 403 403 403 200
GET    /reports/daily-revenue              user     -        401 403 403 403 200
GET    /reports/top-categories             user     -        401 403 403 403 200
GET    /reports/dashboard                  user     -        401 403 403 403 200
GET    /reports/cancellation-rate          user     -        401 403 403 403 200
GET    /reports/new-users                  user     -        401 403 403 403 200
GET    /reports/cohorts                    user     -        401 403 403 403 200
GET    /reports/low-stock                  user     -        401 403 403 403 200
GET    /reports/pipeline                   user     -        401 403 403 403 200
GET    /                                   user     -        200 200 200 200 200
GET    /health                             user     -        200 200 200 200 200
"""
ROWS = [line.split() for line in TABLE.strip().splitlines()]


@pytest.fixture
def staff_token(staff: Api, django_user_model: Any) -> Api:
    """A staff account with an access token."""
    django_user_model.objects.create_user("chief", "chief@example.com", USER["password"], is_staff=True)
    return with_token(Api(), "staff", "chief@example.com")


@pytest.mark.parametrize(("method", "path", "owner", "made", "statuses"), [(*row[:4], row[4:]) for row in ROWS])
def test_who_may_do_what(
    staff: Api,
    staff_token: Api,
    subtests: pytest.Subtests,
    method: str,
    path: str,
    owner: str,
    made: str,
    statuses: list[str],
) -> None:
    world = World(staff, staff_token)
    expected = dict(zip(CALLERS, map(int, statuses), strict=True))
    expected["staff by token"] = expected["staff"]

    def answer(name: str) -> Json:
        body = world.body(made, name) if made != "-" else None
        return answered(world.caller(name, owner)(method, path.format(**world.ids), body), expected[name])

    with nothing_written():
        for name in [name for name in expected if expected[name] >= 400]:
            with subtests.test(caller=name):
                assert answer(name)["code"] == CODES[expected[name]]
    for name in [name for name in expected if expected[name] < 300]:
        with subtests.test(caller=name):
            answer(name)
        if method == "DELETE" or path.count("/") == 3:  # what was allowed once is not possible again
            world = World(staff, staff_token)


def test_table_has_every_route_of_the_policy() -> None:
    ours = {f"{row[0]} {re.sub(r'{.*?}', '{id}', row[1].partition('?')[0])}" for row in ROWS}
    assert set(policy.ROUTES) - ours == {"GET /health/ready"}


def test_every_route_has_a_policy() -> None:
    public = {"schema", "docs", "redoc"}  # for anyone, by drf-spectacular's own setting
    served = {
        policy.route_name(method, path)
        for path, callback in routes(get_resolver())
        if path not in public and callback is not unknown_url
        for method in methods(callback)
    }
    assert served == set(policy.ROUTES)


def test_there_are_29_resource_routes() -> None:
    assert (
        len([name for name in policy.ROUTES if re.match(r"\w+ /(users|suppliers|products|orders|posts)", name)]) == 29
    )


@pytest.mark.parametrize("header", ["X-User-ID", "X-Supplier-ID"])
@pytest.mark.parametrize("value", [NOBODY, "", "x", "5f " * 8, '{"$ne": null}', "z" * 24])
def test_unknown_account_is_nobody(api: None, header: str, value: str) -> None:
    for path in ("/products", "/orders", "/users/" + NOBODY):
        response = ANYONE("GET", path, **{header: value})
        assert answered(response, 401)["code"] == "AUTHENTICATION_FAILED"
        assert response["WWW-Authenticate"] == "Bearer"


def test_one_identity_at_a_time(api: None) -> None:
    user, supplier = new_user(), new_supplier()
    both = {"X-User-ID": user.id, "X-Supplier-ID": supplier.id}
    assert answered(ANYONE("GET", "/products", **both), 401)["code"] == "AUTHENTICATION_FAILED"


def test_a_users_id_names_no_supplier(api: None) -> None:
    assert answered(ANYONE("POST", "/products", PRODUCT, X_Supplier_ID=new_user().id), 401)


def test_headers_count_only_where_they_are_trusted(api: None, settings: object) -> None:
    user = new_user()
    settings.TRUST_IDENTITY_HEADERS = False
    assert answered(user("GET", f"/users/{user.id}"), 401)
    assert answered(user("GET", "/products"), 200) == []


def test_deleted_account_is_told_so(api: None) -> None:
    user = new_user()
    user.delete(f"/users/{user.id}")
    assert answered(user("GET", "/posts"), 403)["code"] == "ACCOUNT_STATUS_ERROR"
    assert answered(user("POST", "/posts", POST), 403)["code"] == "ACCOUNT_STATUS_ERROR"


def test_a_session_without_staff_rights_is_nobody(staff: Api, django_user_model: object) -> None:
    client = type(staff.client)()
    client.force_login(django_user_model.objects.create_user("clerk"))
    assert answered(Api(client)("GET", "/users"), 401)


def test_staff_writes_need_a_csrf_token(staff: Api) -> None:
    user = new_user()
    strict = type(staff.client)(enforce_csrf_checks=True)
    strict.cookies = staff.client.cookies
    with nothing_written():
        assert answered(Api(strict)("DELETE", f"/users/{user.id}"), 403)["code"] == "FORBIDDEN"
    strict.cookies["csrftoken"] = "a" * 32
    answered(Api(strict)("DELETE", f"/users/{user.id}", X_CSRFToken="a" * 32), 204)


@pytest.mark.parametrize(
    "content_type", ["multipart/form-data", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"]
)
def test_forms_of_staff_are_refused(staff: Api, content_type: str) -> None:
    """Django's CSRF check reads forms before we refuse them."""
    strict = type(staff.client)(enforce_csrf_checks=True)
    strict.cookies = staff.client.cookies
    strict.cookies["csrftoken"] = "a" * 32
    for body in (b"a=b", b"\xff\x00", b"--x\r\n\r\n", b"&".join(b"a=1" for _ in range(2000))):
        response = Api(strict)("POST", "/users", body, content_type=content_type, X_CSRFToken="a" * 32)
        assert response.status_code in (400, 415), response.content
        answered(response, response.status_code)
