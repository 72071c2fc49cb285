"""What browsers may do with answers: other origins (CORS), scripts and frames (CSP), plain HTTP."""

import re
from typing import Any

import pytest
from django.test import Client

from tests.api import ANYONE, Api, answered, new_product, new_supplier, new_user

pytestmark = pytest.mark.usefixtures("api")

SHOP = "https://shop.example.com"
READABLE = (
    *("ETag", "Idempotent-Replayed", "Link", "Location", "RateLimit", "RateLimit-Policy", "Retry-After"),
    *("WWW-Authenticate", "X-Request-ID"),
)
SENT = (
    *("authorization", "content-type", "idempotency-key", "if-match", "if-none-match", "traceparent"),
    "x-request-id",
)


@pytest.fixture(autouse=True)
def shop(settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = [SHOP]


def listed(response: Any, name: str) -> set[str]:
    return set(re.split(r",\s*", response.headers.get(name, "")))


@pytest.mark.parametrize("path", ["/products", "/orders", "/auth/token", "/nothing"])
def test_a_preflight_names_what_may_be_sent_and_is_kept(path: str) -> None:
    asked = {"Origin": SHOP, "Access_Control_Request_Method": "POST", "Access_Control_Request_Headers": ", ".join(SENT)}
    response = ANYONE("OPTIONS", path, **asked)
    assert response.status_code == 200
    assert response["Access-Control-Allow-Origin"] == SHOP
    assert listed(response, "Access-Control-Allow-Headers") >= set(SENT)
    assert listed(response, "Access-Control-Allow-Methods") == {"GET", "POST", "PATCH", "DELETE"}
    assert int(response["Access-Control-Max-Age"]) >= 600
    assert "Access-Control-Allow-Credentials" not in response
    assert "X-Request-ID" in response


def broken_answers() -> list[tuple[int, Any]]:
    """Return an answer of each kind that no view gives, and some that views give."""
    user = new_user()
    big = b'"' + b"x" * (1 << 20) + b'"'
    return [
        (404, ANYONE("GET", "/nothing", Origin=SHOP)),
        (413, ANYONE("POST", "/users", big, Origin=SHOP)),
        (400, ANYONE("GET", "/users", Host="evil.example.com", Origin=SHOP)),
        (414, ANYONE("GET", "/products?x=" + "x" * 9000, Origin=SHOP)),
        (415, ANYONE("POST", "/users", b"{}", Content_Encoding="gzip", Origin=SHOP)),
        (401, ANYONE("GET", "/users", Origin=SHOP)),
        (403, user("GET", "/users", Origin=SHOP)),
        (405, ANYONE("PUT", "/users", {}, Origin=SHOP)),
        (422, ANYONE("POST", "/users", b"[", Origin=SHOP)),
    ]


def test_a_page_of_an_allowed_origin_can_read_every_answer() -> None:
    for status, response in [*broken_answers(), (200, ANYONE("GET", "/products", Origin=SHOP))]:
        assert response.status_code == status
        assert response["Access-Control-Allow-Origin"] == SHOP, status
        assert listed(response, "Access-Control-Expose-Headers") == set(READABLE)
        assert "origin" in {name.lower() for name in listed(response, "Vary")}


def test_an_unforeseen_error_can_be_read_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalog.services.product_list", lambda **_: 1 / 0)
    assert ANYONE("GET", "/products", Origin=SHOP)["Access-Control-Allow-Origin"] == SHOP
    # Around the views, where nothing of the API's own handles it.
    monkeypatch.setattr("marketplace.api.middleware._refusal", lambda _: 1 / 0)
    response = Client(raise_request_exception=False, headers={"Origin": SHOP}).get("/products")
    assert answered(response, 500)["code"] == "INTERNAL_ERROR"
    assert response["Access-Control-Allow-Origin"] == SHOP
    assert "X-Request-ID" in response


@pytest.mark.parametrize(
    "origin", ["https://evil.example.com", "http://shop.example.com", f"{SHOP}.evil.example.com", "null"]
)
def test_other_origins_can_read_nothing(origin: str) -> None:
    for response in (
        ANYONE("GET", "/products", Origin=origin),
        ANYONE("OPTIONS", "/products", Origin=origin, Access_Control_Request_Method="GET"),
    ):
        assert "Access-Control-Allow-Origin" not in response


def test_the_admin_is_open_to_no_other_origin(db: None) -> None:
    for path in ("/admin/login/", "/admin/", "/admin"):
        assert "Access-Control-Allow-Origin" not in ANYONE("GET", path, Origin=SHOP)
    preflight = ANYONE("OPTIONS", "/admin/login/", Origin=SHOP, Access_Control_Request_Method="POST")
    assert not [name for name in preflight.headers if name.startswith("Access-Control")]


# --- Policies ---


def directives(response: Any) -> dict[str, list[str]]:
    parts = [part.split() for part in response["Content-Security-Policy"].split(";")]
    return {name: sources for name, *sources in parts}


def test_json_may_do_nothing_in_a_browser() -> None:
    supplier = new_supplier()
    product = new_product(supplier)
    fine = [ANYONE("GET", "/products"), ANYONE("GET", f"/products/{product['id']}"), ANYONE("GET", "/schema")]
    for response in [*fine, *(response for _, response in broken_answers())]:
        assert directives(response) == {"default-src": ["'none'"], "frame-ancestors": ["'none'"]}
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["Referrer-Policy"] == "same-origin"
        assert response["Cross-Origin-Resource-Policy"] == "same-origin"


def pages(staff: Api) -> dict[str, Any]:
    """Return the answers with pages, by path."""
    wants = {"Accept": "text/html"}
    paths = ["/docs", "/redoc", "/products", "/users", "/admin/", "/admin/analytics/order/", "/admin/auth/user/"]
    found = {path: staff("GET", path, **wants) for path in paths}
    return found | {"/admin/login/": ANYONE("GET", "/admin/login/", **wants), "401": ANYONE("GET", "/users", **wants)}


def test_pages_run_scripts_of_this_origin_only(staff: Api) -> None:
    for path, response in pages(staff).items():
        policy = directives(response)
        assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == ["'none'"], path
        assert policy["script-src"] == policy["connect-src"] == policy["form-action"] == ["'self'"], path
        assert ("'unsafe-inline'" in policy["style-src"]) == (path == "/redoc")
        assert not [source for sources in policy.values() for source in sources if ":" in source[:-1] or "*" in source]
        assert response["X-Frame-Options"] == "DENY"
        assert response["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "camera=()" in response["Permissions-Policy"]


def test_pages_have_no_inline_code_and_no_other_host(staff: Api) -> None:
    for path, response in pages(staff).items():
        text = response.content.decode()
        scripts = re.findall(r"<script(?![^>]*\bsrc=)(?![^>]*type=.application/json)[^>]*>", text)
        handlers = re.findall(r"<[^>]+\son[a-z]+\s*=", text)
        loaded = re.findall(r'<(?:script|link|img|iframe)[^>]+(?:src|href)=["\']((?:https?:)?//[^"\']+)', text)
        assert (scripts, handlers, loaded, re.findall("<style", text)) == ([], [], [], []), path


# --- HTTPS ---


@pytest.fixture
def https_only(settings: Any) -> Api:
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_HSTS_SECONDS = 300
    return Api(Client())  # Django reads these settings when it is made


def test_reads_over_http_are_redirected_and_writes_refused(https_only: Api) -> None:
    response = https_only.client.get("/products?limit=1")
    assert (response.status_code, response["Location"]) == (301, "https://testserver/products?limit=1")
    for method in ("POST", "PATCH", "DELETE", "TRACE"):
        assert answered(https_only(method, "/users", {}), 403)["code"] == "FORBIDDEN"


def test_health_is_answered_over_http(https_only: Api, db: None) -> None:
    assert https_only("GET", "/health").status_code == 200
    assert https_only("GET", "/health/ready").status_code == 200
    assert https_only("GET", "/healthy").status_code == 301


def test_https_is_asked_for_on_this_host_only(https_only: Api) -> None:
    response = https_only.client.get("/products", secure=True)
    assert response["Strict-Transport-Security"] == "max-age=300"
