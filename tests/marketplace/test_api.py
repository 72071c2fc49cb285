"""HTTP conventions of SPEC section 2: paths, bodies, lists, headers, and errors that never are a 500."""

import itertools
import json
import re

import pytest
from django.test import Client

from marketplace.api.queries import MAX_LIMIT, MAX_SKIP
from tests.api import (
    ANYONE,
    DOMAIN,
    NOBODY,
    PLAIN_PRODUCT,
    POST,
    USER,
    Api,
    answered,
    new_order,
    new_post,
    new_product,
    new_supplier,
    new_user,
    nothing_written,
    order_body,
    refused_fields,
    stored,
    unique_email,
)

pytestmark = pytest.mark.usefixtures("api")

NOT_OBJECTS = [b"[]", b"[{}]", b"5", b"1e400", b'"text"', b"true", b"null", b"  null  "]
MALFORMED = [
    b"{",
    b"{'a': 1}",
    b'{"a": NaN}',
    b'{"a": Infinity}',
    b"\xff\xfe{}",
    b'\xef\xbb\xbf{"email": "a@example.com"}',
    b'{"display_name": "\\ud800"}',
    b'{"display_name": "\xed\xa0\x80"}',
    b'{"display_name": "\x01"}',
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b" ",
    b"email=a",
    json.dumps(USER).encode("utf-16"),
]
BAD_IDS = [
    "x",
    NOBODY[1:],
    NOBODY + "0",
    "z" * 24,
    "5f%20" * 8,
    "%00" * 24,
    "%ff",
    "..",
    "%F0%9F%98%80" * 6,
    "x" * 3000,
]


@pytest.fixture
def writes() -> list[tuple[Api, str, str]]:
    """Every write that takes a body: caller, method, path."""
    user, supplier = new_user(), new_supplier()
    product, post = new_product(supplier, of=PLAIN_PRODUCT), new_post(user)
    order = new_order(user, product["id"])
    changes = [(user, f"/users/{user.id}"), (supplier, f"/suppliers/{supplier.id}")]
    changes += [(supplier, f"/products/{product['id']}"), (user, f"/posts/{post['id']}")]
    creates = [(ANYONE, "/users"), (ANYONE, "/suppliers"), (supplier, "/products"), (user, "/orders"), (user, "/posts")]
    actions = [(supplier, f"/products/{product['id']}/{name}") for name in ("mark-out-of-stock", "discontinue")]
    actions += [(supplier, f"/products/{product['id']}/restore"), (user, f"/orders/{order['id']}/cancel")]
    return [
        *((caller, "PATCH", path) for caller, path in changes),
        *((caller, "POST", path) for caller, path in creates + actions),
        *((caller, "DELETE", path) for caller, path in changes),
    ]


@pytest.mark.parametrize("body", NOT_OBJECTS, ids=lambda body: body.decode())
def test_a_body_that_is_no_object_is_refused(writes: list[tuple[Api, str, str]], body: bytes) -> None:
    with nothing_written():
        for caller, method, path in writes:
            assert answered(caller(method, path, body), 422)["code"] == "VALIDATION_ERROR"


@pytest.mark.parametrize("body", MALFORMED, ids=lambda body: repr(body[:20]))
def test_malformed_json_is_refused(writes: list[tuple[Api, str, str]], body: bytes) -> None:
    with nothing_written():
        for caller, method, path in writes:
            assert answered(caller(method, path, body), 422)["code"] == "VALIDATION_ERROR"


def test_no_body_is_an_empty_object() -> None:
    fields = refused_fields(ANYONE.post("/users", None, status=422))
    assert set(fields) == {"email", "password", "display_name"}
    assert set(refused_fields(ANYONE.post("/users", {}, status=422))) == set(fields)


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/xml", "application/jsonx", "multipart/form-data", "", "x"]
)
def test_other_content_types_are_refused(writes: list[tuple[Api, str, str]], content_type: str) -> None:
    with nothing_written():
        for caller, method, path in writes:
            response = caller(method, path, {"display_name": "x"}, content_type=content_type)
            assert answered(response, 415)["code"] == "VALIDATION_ERROR"


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/json;x=y"]
)
def test_parameters_of_the_content_type_do_no_harm(content_type: str) -> None:
    answered(ANYONE("POST", "/users", USER | {"email": unique_email()}, content_type=content_type), 201)


def test_a_body_is_at_most_one_mebibyte() -> None:
    body = json.dumps(USER).encode()
    with nothing_written():
        assert answered(ANYONE("POST", "/users", body.ljust((1 << 20) + 1)), 413)["code"] == "VALIDATION_ERROR"
    answered(ANYONE("POST", "/users", body.ljust(1 << 20)), 201)


@pytest.mark.parametrize("bad", BAD_IDS)
def test_ids_that_are_none_are_not_found(staff: Api, bad: str) -> None:
    for name in DOMAIN:
        methods = ["GET"] if name == "orders" else ["GET", "PATCH", "DELETE"]
        for method in methods:
            assert answered(staff(method, f"/{name}/{bad}", {}), 404)["code"] == "RESOURCE_NOT_FOUND"
    for path in ("products/{}/publish", "products/{}/restore", "orders/{}/cancel", "posts/{}/publish"):
        assert answered(staff("POST", f"/{path.format(bad)}", {}), 404)["code"] == "RESOURCE_NOT_FOUND"


@pytest.mark.parametrize("name", DOMAIN)
def test_unknown_ids_are_not_found(staff: Api, name: str) -> None:
    error = answered(staff("GET", f"/{name}/{NOBODY}"), 404)
    assert error["code"] == "RESOURCE_NOT_FOUND"
    assert error["message"] == f"{name[:-1].title()} not found"


# --- Lists ---


BAD_PAGES = {
    "limit": ["0", "-1", "101", "", "x", "1.5", "1e1", "%00", "9" * 30, "9" * 5000, "true", "null", "10;", "%ff"],
    "skip": ["-1", str(MAX_SKIP + 1), "", "x", "0.5", "9" * 30, "9" * 5000, str(2**63), "%00"],
}


@pytest.mark.parametrize("name", DOMAIN)
@pytest.mark.parametrize("parameter", BAD_PAGES)
def test_page_bounds(staff: Api, name: str, parameter: str) -> None:
    for value in BAD_PAGES[parameter]:
        assert set(refused_fields(answered(staff("GET", f"/{name}?{parameter}={value}"), 422))) == {parameter}
    for limit, skip in itertools.product((1, MAX_LIMIT), (0, MAX_SKIP)):
        assert staff.get(f"/{name}?limit={limit}&skip={skip}") == []


@pytest.mark.parametrize("name", DOMAIN)
def test_unknown_parameters_are_ignored(staff: Api, name: str) -> None:
    query = "name=x&status[$ne]=draft&limit[$gt]=0&$where=1&__raw__=1&name__ne=x&_id=1&page=7&created_at__gt=0"
    assert staff.get(f"/{name}?{query}") == []


FILTERS = {
    "/products": {"status": ["nope", "", ",", "active,", "active,nope", "ACTIVE", "%00", '{"$ne":1}'],
                  "category": ["nope", "", "beauty,other", '{"$ne":1}'],
                  "supplier_id": ["x", "", '{"$ne":1}', "z" * 24, "5f%20" * 8]},
    "/orders": {"status": ["nope", "", "pending,", "active", "$ne"], "user_id": ["x", "", '{"$ne":1}', "[]"]},
    "/posts": {"author_id": ["x", "", '{"$ne":1}', "null"]},
}  # fmt: skip


@pytest.mark.parametrize(("path", "parameter"), [(path, name) for path, names in FILTERS.items() for name in names])
def test_unknown_filter_values_are_refused(staff: Api, path: str, parameter: str) -> None:
    for value in FILTERS[path][parameter]:
        assert set(refused_fields(answered(staff("GET", f"{path}?{parameter}={value}"), 422))) == {parameter}, value


def test_pages_are_bare_arrays_of_twenty_in_order(staff: Api) -> None:
    ids = [new_user().id for _ in range(23)]
    assert [one["id"] for one in staff.get("/users")] == ids[:20]
    assert [one["id"] for one in staff.get("/users?skip=20")] == ids[20:]
    assert [one["id"] for one in staff.get("/users?limit=2&skip=3")] == ids[3:5]
    assert staff.get("/users?skip=23") == []


# --- Paths and headers ---


@pytest.mark.parametrize("path", ["/users", "/suppliers", "/products", "/orders", "/posts", "/", "/health", "/schema"])
def test_a_trailing_slash_changes_nothing(staff: Api, path: str) -> None:
    plain, slashed = staff("GET", path), staff("GET", path.rstrip("/") + "/")
    assert (slashed.status_code, slashed.content) == (plain.status_code, plain.content)
    assert plain.status_code == 200


def test_a_post_with_a_trailing_slash_keeps_its_body() -> None:
    made = answered(response := ANYONE("POST", "/users/", USER), 201)
    assert response["Location"] == f"/users/{made['id']}"
    supplier = new_supplier()
    product = new_product(supplier, status="draft")
    assert answered(supplier("POST", f"/products/{product['id']}/publish/", {"version": 1}), 200)["status"] == "active"
    assert answered(supplier("POST", f"/products/{product['id']}/restore/", {"version": 1}), 409)
    assert answered(supplier("PATCH", f"/products/{product['id']}/", {"name": "Saw"}), 200)["name"] == "Saw"


ALLOWED = {
    "/users": "GET, POST, HEAD",
    f"/users/{NOBODY}": "GET, PATCH, DELETE, HEAD",
    f"/orders/{NOBODY}": "GET, HEAD",
    f"/orders/{NOBODY}/cancel": "POST",
    f"/products/{NOBODY}/publish": "POST",
    "/": "GET, HEAD",
    "/health": "GET, HEAD",
    "/health/ready": "GET, HEAD",
}


METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "NONSENSE")


@pytest.mark.parametrize("path", ALLOWED)
def test_other_methods_are_refused_with_those_that_are_not(path: str) -> None:
    allowed = ALLOWED[path].split(", ")
    for caller in (ANYONE, new_user()):
        for method in set(METHODS) - set(allowed):
            response = caller(method, path)
            assert answered(response, 405)["code"] == "VALIDATION_ERROR"
            assert sorted(response["Allow"].split(", ")) == sorted(allowed)


UNKNOWN = ("/nothing", "/users/a/b/c", "/users.json", "/userss", "/%00", "/%ff", "/admin", "/.env")


@pytest.mark.parametrize("path", UNKNOWN)
def test_unknown_urls_answer_in_the_envelope(path: str) -> None:
    for method in METHODS:
        assert answered(ANYONE(method, path), 404)["code"] == "RESOURCE_NOT_FOUND"
        assert answered(ANYONE(method, path, b"{", Accept="text/html"), 404)["code"] == "RESOURCE_NOT_FOUND"


def test_head_is_a_get_without_body() -> None:
    supplier = new_supplier()
    response = ANYONE("HEAD", f"/suppliers/{supplier.id}")
    assert (response.status_code, response.content, response["ETag"]) == (200, b"", '"1"')


@pytest.mark.parametrize("given", ["abc", "A-b_c.9", "x" * 128])
def test_a_sane_request_id_is_echoed(given: str) -> None:
    for path in ("/health", "/nothing", "/users", "/products"):
        assert ANYONE("GET", path, X_Request_ID=given)["X-Request-ID"] == given


@pytest.mark.parametrize("given", ["", "x" * 129, "a b", "a;b", "ä", "a\tb"])
def test_other_request_ids_are_replaced(given: str) -> None:
    answers = [ANYONE("GET", "/health", X_Request_ID=given)["X-Request-ID"] for _ in range(2)]
    assert all(re.fullmatch(r"[0-9a-f-]{36}", one) for one in answers)
    assert answers[0] != answers[1]
    assert "X-Request-ID" in ANYONE("POST", "/users", b" " * ((1 << 20) + 1))


def test_answers_carry_location_and_etag() -> None:
    user, supplier = new_user(), new_supplier()
    product = new_product(supplier, status="draft", of=PLAIN_PRODUCT)
    publish = supplier("POST", f"/products/{product['id']}/publish")
    assert (publish["ETag"], "Location" in publish) == ('"2"', False)
    for caller, path, body in ((user, "/posts", POST), (user, "/orders", order_body(product["id"]))):
        response = caller("POST", path, body)
        made = answered(response, 201)
        assert (response["Location"], response["ETag"]) == (f"{path}/{made['id']}", '"1"')
        assert caller("GET", response["Location"])["ETag"] == '"1"'
        assert "ETag" not in caller("GET", path)


def test_timestamps_have_milliseconds_and_z() -> None:
    user = new_user()
    shown = user.get(f"/users/{user.id}")
    for name in ("created_at", "updated_at"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", shown[name])
    [kept] = stored()["users"]
    assert kept["created_at"].isoformat(timespec="milliseconds").replace("+00:00", "Z") == shown["created_at"]


def test_only_json_and_html_are_on_offer() -> None:
    for accept in ("application/xml", "text/csv", "image/png"):
        assert answered(ANYONE("GET", "/products", Accept=accept), 406)["code"] == "VALIDATION_ERROR"
    for accept in ("*/*", "application/*", "application/json;q=0.5", ""):
        assert answered(ANYONE("GET", "/products", Accept=accept), 200) == []


def test_index_and_health(kafka: str, db: None) -> None:
    assert set(ANYONE.get("/")) == {"status", "message", "version"}
    assert ANYONE.get("/health") == {"status": "ok"}
    ready = ANYONE.get("/health/ready")
    assert ready == {"status": "ok", "dependencies": dict.fromkeys(("mongodb", "kafka", "sql"), "ok")}


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_writing_to_an_unknown_url(api: None, method: str) -> None:
    """A client with real CSRF checks, as a browser would be: the envelope all the same."""
    response = Client(enforce_csrf_checks=True).generic(method, "/products//publish", "{}", "application/json")
    assert (response.status_code, response.json()["error"]["code"]) == (404, "RESOURCE_NOT_FOUND")
