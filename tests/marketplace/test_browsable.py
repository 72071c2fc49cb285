"""The browsable API for staff and everybody else."""

import html
import json
import re

import pytest

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
