"""The browsable API for staff and everybody else, the OpenAPI document, and the pages that show it."""

import html
import json
import re
from typing import Any

import pytest
from drf_spectacular.validation import validate_schema

from marketplace import policy
from tests.api import (
    ANYONE,
    NOBODY,
    Api,
    new_order,
    new_post,
    new_product,
    new_supplier,
    new_user,
)

pytestmark = pytest.mark.usefixtures("api")

EVERYONES = ("suppliers", "products", "posts")


def page(caller: Api, path: str, status: int = 200, **headers: str) -> str:
    """Return the HTML page at a path."""
    response = caller("GET", path, Accept="text/html,application/xhtml+xml,*/*;q=0.8", **headers)
    assert response.status_code == status, response.content[:300]
    assert response["Content-Type"] == "text/html; charset=utf-8"
    text: str = response.content.decode()
    assert "<html" in text
    return text


@pytest.fixture
def paths() -> dict[str, str]:
    """The path of one document of each kind."""
    user, supplier = new_user(), new_supplier()
    product = new_product(supplier)["id"]
    return {
        "users": f"/users/{user.id}",
        "suppliers": f"/suppliers/{supplier.id}",
        "products": f"/products/{product}",
        "orders": f"/orders/{new_order(user, product)['id']}",
        "posts": f"/posts/{new_post(user)['id']}",
    }


def test_staff_browse_everything(staff: Api, paths: dict[str, str]) -> None:
    for name, path in paths.items():
        assert path.rpartition("/")[2] in page(staff, f"/{name}")
        assert path.rpartition("/")[2] in page(staff, path)


def test_others_browse_what_is_theirs_to_see(staff: Api, paths: dict[str, str]) -> None:
    for name, path in paths.items():
        for one in (f"/{name}", path):
            text = page(ANYONE, one, 200 if name in EVERYONES else 401)
            assert ('name="_content"' in text) == (one in ("/suppliers", "/users")), one  # sign-up is for anyone
    user = new_user()
    identity = {"X_User_ID": user.id}
    for path, status in ((f"/users/{user.id}", 200), ("/users", 403), (paths["users"], 404), ("/orders", 200)):
        page(ANYONE, path, status, **identity)


def test_staff_get_forms_for_what_they_may_do(staff: Api, paths: dict[str, str]) -> None:
    for name in ("users", "suppliers", "products"):
        text = page(staff, f"/{name}")
        assert 'name="_content"' in text, name
        assert 'data-method="POST"' in text or 'method="POST"' in text
    for name in ("orders", "posts"):  # users' own
        assert 'name="_content"' not in page(staff, f"/{name}"), name
    for name, path in paths.items():
        text = page(staff, path)
        assert ('data-method="PATCH"' in text) == (name != "orders"), name
        assert ('data-method="DELETE"' in text) == (name != "orders"), name


def test_what_the_form_of_staff_sends_is_taken(staff: Api, paths: dict[str, str]) -> None:
    """The PATCH form is filled with JSON that can be sent as it is."""
    for name in ("users", "suppliers", "products", "posts"):
        found = re.search(r'<textarea[^>]*name="_content"[^>]*>(.*?)</textarea>', page(staff, paths[name]), re.DOTALL)
        body = json.loads(html.unescape(found[1]))
        before = staff.get(paths[name])
        after = staff.patch(paths[name], body)
        assert after | {"version": 0, "updated_at": 0} == before | {"version": 0, "updated_at": 0}, name


def test_errors_have_pages_too(staff: Api) -> None:
    for caller in (ANYONE, staff):
        assert "RESOURCE_NOT_FOUND" in page(caller, f"/products/{NOBODY}", 404)
        assert "RESOURCE_NOT_FOUND" in page(caller, "/products/x", 404)
        assert "VALIDATION_ERROR" in page(caller, "/products?limit=0", 422)
        page(caller, f"/products/{NOBODY}/publish", 405)
    assert "FORBIDDEN" in page(new_user(), "/users", 403)
    assert "AUTHENTICATION_FAILED" in page(ANYONE, "/users", 401)


@pytest.mark.parametrize(
    "identity", [{"X_User_ID": NOBODY}, {"X_User_ID": NOBODY, "X_Supplier_ID": NOBODY}, {"X_Supplier_ID": "x"}]
)
def test_bad_credentials_have_a_page(identity: dict[str, str]) -> None:
    for path in ("/users", "/products", f"/orders/{NOBODY}"):
        assert "AUTHENTICATION_FAILED" in page(ANYONE, path, 401, **identity)


def test_a_deleted_account_has_a_page() -> None:
    user = new_user()
    user.delete(f"/users/{user.id}")
    assert "ACCOUNT_STATUS_ERROR" in page(user, "/products", 403)


def test_pages_escape_what_users_wrote(staff: Api) -> None:
    script = "<script>alert(1)</script>"
    user = new_user(display_name=script)
    post = new_post(user, text_content=script)
    for path in (f"/users/{user.id}", "/users", f"/posts/{post['id']}", "/posts"):
        assert script not in page(staff, path)


# --- The OpenAPI document ---


@pytest.fixture
def schema() -> Any:
    response = ANYONE("GET", "/schema", Accept="application/vnd.oai.openapi+json")
    assert response.status_code == 200
    return json.loads(response.content)


def test_the_openapi_document_describes_every_route(schema: Any) -> None:
    assert schema["openapi"].startswith("3.1")
    described = {f"{method.upper()} {path}" for path, methods in schema["paths"].items() for method in methods}
    assert set(policy.ROUTES) <= described


def test_the_openapi_document_is_valid(schema: Any) -> None:
    validate_schema(schema)


def test_every_reference_of_the_document_leads_somewhere(schema: Any) -> None:
    references = set(re.findall(r'"\$ref": ?"#/components/schemas/([^"]+)"', json.dumps(schema)))
    assert references
    assert references <= set(schema["components"]["schemas"])
    assert "nullable" not in json.dumps(schema)  # gone in 3.1


def test_operations_have_names_of_their_own(schema: Any) -> None:
    names = [operation["operationId"] for path in schema["paths"].values() for operation in path.values()]
    assert len(names) == len(set(names))


def test_no_secret_is_described(schema: Any) -> None:
    assert "password_hash" not in json.dumps(schema)
    assert "stock_takes" not in json.dumps(schema)


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_pages_of_the_document_need_no_other_host(db: None, path: str) -> None:
    text = page(ANYONE, path)
    hosts = re.findall(r'(?:src|href)=["\']((?:https?:)?//[^"\']+)', text)
    assert hosts == []
    own = re.findall(r'(?:src|href)=["\'](/static/[^"\']+)', text)
    assert own
    for asset in own:
        found = ANYONE.client.get(asset)
        assert found.status_code == 200, asset
        found.close()
