"""Conditional reads (304), and what every answer tells caches: on all routes, for all kinds of callers."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.signals import request_finished
from django.db import close_old_connections
from django.http import HttpResponse
from django.test import Client
from django.urls import get_resolver

from tests.api import ANYONE, DOMAIN, NOBODY, POST, Api, Json, answered, new_post, new_product, new_supplier, new_user
from tests.marketplace.test_preconditions import NO_TAGS
from tests.world import METHODS, World, routes

pytestmark = pytest.mark.usefixtures("api")

PUBLIC, PRIVATE, FORBIDDEN = "public, no-cache", "private, no-cache", "no-store"
CONDITIONS = {"Accept", "Authorization", "Cookie"}
BEHIND_GATEWAY = CONDITIONS | {"X-User-ID", "X-Supplier-ID"}


def vary(response: HttpResponse) -> set[str]:
    """Return what an answer depends on, the origin aside, which CORS adds."""
    names = re.split(r",\s*", response["Vary"])
    assert len(names) == len({name.lower() for name in names}), names
    return set(names) - {"origin"}


@pytest.fixture
def world(staff: Api) -> World:
    return World(staff)


def callers(world: World) -> dict[str, Api]:
    """Return somebody of each kind, by token, by session and by header."""
    found = {"anonymous": ANYONE, "user": world.user, "other user": world.other_user, "supplier": world.supplier}
    return found | {"staff": world.staff, "by header": Api(**{"X-User-ID": world.user.id})}


def paths(world: World) -> Iterator[tuple[str, str]]:
    """Yield every route of the URL conf, and a path to it; all kinds of documents where it takes an id."""
    owned = {"users": ["user"], "suppliers": ["supplier"], "products": ["product", "draft"], "orders": ["order"]}
    owned |= {"posts": ["post", "draft_post"]}
    for route, _ in routes(get_resolver()):
        if route.startswith("^"):  # what nothing else serves
            yield "unknown", "/nothing/here"
            continue
        resource = route.partition("/")[0]
        for identifier in [world.ids[name] for name in owned.get(resource, ["user"])] if "<" in route else [""]:
            yield resource, "/" + re.sub("<.*?>", identifier, route)


def allowed(method: str, path: str, resource: str, caller: str, status: int) -> str:
    """Return what caches may do, as docs/api.md has it."""
    if method not in ("GET", "HEAD") or resource not in DOMAIN or status not in (200, 304):
        return FORBIDDEN
    if path.startswith(("/products/", "/suppliers/")) and caller in ("supplier", "staff"):  # with costs and bank
        return FORBIDDEN
    return PUBLIC if caller == "anonymous" else PRIVATE


@pytest.mark.parametrize("trusting", [True, False])
def test_every_answer_says_what_caches_may_do(world: World, settings: Any, kafka: str, trusting: bool) -> None:
    settings.TRUST_IDENTITY_HEADERS = trusting
    everybody, seen = callers(world), set()
    if not trusting:
        del everybody["by header"]
    for method in ("GET", "HEAD", *map(str.upper, METHODS[1:]), "OPTIONS"):
        for resource, path in paths(world):
            for name, caller in everybody.items():
                response = caller(method, path, None if method in ("GET", "HEAD") else {})
                expected = allowed(method, path, resource, name, response.status_code)
                where = (method, path, name, response.status_code)
                assert response["Cache-Control"] == expected, where
                assert vary(response) == (BEHIND_GATEWAY if trusting else CONDITIONS), where
                seen.add((expected, response.status_code))
    assert {(PUBLIC, 200), (PRIVATE, 200), (FORBIDDEN, 200), (FORBIDDEN, 204)} <= seen
    assert {(FORBIDDEN, status) for status in (401, 403, 404, 405, 422)} <= seen


def test_answers_that_reach_no_view_are_not_kept(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    for response, status in (
        (ANYONE("GET", "/products", Host="evil.example.com"), 400),
        (ANYONE("POST", "/users", b" " * ((1 << 20) + 1)), 413),
        (ANYONE("POST", "/users", Transfer_Encoding="chunked"), 411),
        (ANYONE("GET", "/nothing"), 404),
        (ANYONE("GET", "/products", Accept="image/png"), 406),
    ):
        assert (response.status_code, response["Cache-Control"]) == (status, FORBIDDEN)
        assert vary(response) == BEHIND_GATEWAY


def test_successful_writes_are_not_kept() -> None:
    user = new_user()
    for method, path, body in (("POST", "/posts", POST), ("PATCH", f"/users/{user.id}", {"bio": "x"})):
        response = user(method, path, body)
        assert answered(response, response.status_code)["id"]
        assert (response["Cache-Control"], response["ETag"][0]) == (FORBIDDEN, '"')


def test_pages_of_the_browsable_api_are_not_kept(staff: Api) -> None:
    """Their forms hold a CSRF token; and a cache must not take one for the JSON of the same version."""
    product = new_product(new_supplier())
    for caller in (ANYONE, staff):
        for path in ("/products", f"/products/{product['id']}"):
            response = caller("GET", path, Accept="text/html", If_None_Match="*")
            assert (response.status_code, response["Cache-Control"]) == (200, FORBIDDEN)
            assert vary(response) >= CONDITIONS


def test_the_admin_says_so_itself(staff: Api) -> None:
    response = staff("GET", "/admin/")
    assert response.status_code == 200
    assert "public" not in response["Cache-Control"]
    assert "Authorization" not in response["Vary"]


def test_static_files_say_so_themselves() -> None:
    response = ANYONE("GET", "/static/admin/css/base.css")
    assert response.status_code == 200
    assert "public" in response["Cache-Control"]
    assert "Authorization" not in response.get("Vary", "")
    # As Django's test client does: the end of a request closes connections to SQL, which other tests go on with.
    request_finished.disconnect(close_old_connections)
    response.close()
    request_finished.connect(close_old_connections)


def test_every_get_answers_head_alike(world: World, kafka: str) -> None:
    own = {"X-Request-ID", "RateLimit", "Content-Length"}
    for _, path in paths(world):
        for name, caller in callers(world).items():
            get, head = caller("GET", path), caller("HEAD", path)
            assert (head.status_code, head.content) == (get.status_code, b""), (path, name)
            shared = [{key: value for key, value in one.items() if key not in own} for one in (get, head)]
            assert shared[0] == shared[1], (path, name)


# --- If-None-Match ---


@pytest.fixture
def targets(world: World) -> dict[str, tuple[Api, str]]:
    """Who reads which single resource, at version 2 or more."""
    paths = {"users": (world.user, world.user.id), "products": (ANYONE, world.product["id"])}
    paths |= {"orders": (world.user, world.order["id"]), "posts": (ANYONE, world.post["id"])}
    paths |= {"drafts of posts": (world.user, world.draft_post["id"])}
    places = {"drafts of posts": "posts"}
    return {name: (caller, f"/{places.get(name, name)}/{one}") for name, (caller, one) in paths.items()}


KNOWN = ['"{}"', 'W/"{}"', "*", " * ", '"a", "{}"', 'W/"x,y",\tW/"{}" ,', ',,"{}"', '"0","{}","9"']
UNKNOWN = ['"0{}"', '"{}0"', '"*"', '""', 'W/""', '"-{}"', '"x", "y"', '"{}.0"', *NO_TAGS]


def test_who_has_the_version_gets_304_without_body(targets: Json) -> None:
    for name, (caller, path) in targets.items():
        full = caller("GET", path)
        version = full.json()["version"]
        for method in ("GET", "HEAD"):
            for tags in KNOWN:
                response = caller(method, path, If_None_Match=tags.format(version))
                assert (response.status_code, response.content) == (304, b""), (name, tags)
                for header in ("ETag", "Cache-Control", "Vary"):
                    assert response[header] == full[header]
            for tags in UNKNOWN:
                response = caller(method, path, If_None_Match=tags.format(version))
                assert response.status_code == 200, (name, tags)


def test_who_has_an_older_version_gets_the_new_one() -> None:
    user = new_user()
    post = new_post(user)
    path = f"/posts/{post['id']}"
    tag = ANYONE("GET", path)["ETag"]
    assert ANYONE("GET", path, If_None_Match=tag).status_code == 304
    user.patch(path, {"text_content": "changed"})
    response = ANYONE("GET", path, If_None_Match=tag)
    assert answered(response, 200)["text_content"] == "changed"
    assert ANYONE("GET", path, If_None_Match=response["ETag"]).status_code == 304
    user.delete(path)
    assert answered(ANYONE("GET", path, If_None_Match="*"), 404)


def test_304_tells_nobody_what_they_may_not_see(world: World) -> None:
    draft, post = f"/products/{world.draft['id']}", f"/posts/{world.draft_post['id']}"
    user, order = f"/users/{world.user.id}", f"/orders/{world.order['id']}"
    for tags in ('"1"', "*", '"1", "2"'):
        for path in (draft, post, user, order, f"/products/{NOBODY}"):
            assert answered(world.other_user("GET", path, If_None_Match=tags), 404)
        for path in (user, order):
            assert answered(ANYONE("GET", path, If_None_Match=tags), 401)


def test_what_only_the_owner_sees_is_kept_nowhere(world: World) -> None:
    """A browser asks for one answer with the ETag of another, which is the same, and shows the other after a 304."""
    path = f"/products/{world.product['id']}"
    tag = ANYONE("GET", path)["ETag"]
    for caller in (world.supplier, world.staff):
        for method in ("GET", "HEAD"):
            response = caller(method, path, If_None_Match=tag)
            assert (response.status_code, response["ETag"], response["Cache-Control"]) == (200, tag, FORBIDDEN)
    for caller in (ANYONE, world.user, world.other_supplier):
        assert caller("GET", path, If_None_Match=tag).status_code == 304


def test_a_supplier_is_always_shown() -> None:
    """Its product_ids change without its version."""
    supplier = new_supplier()
    path = f"/suppliers/{supplier.id}"
    tag = ANYONE("GET", path)["ETag"]
    product = new_product(supplier)
    for tags in (tag, "*", f"W/{tag}"):
        assert answered(ANYONE("GET", path, If_None_Match=tags), 200)["product_ids"] == [product["id"]]


def test_lists_and_writes_know_no_if_none_match() -> None:
    user = new_user()
    assert answered(ANYONE("GET", "/posts", If_None_Match="*"), 200) == []
    answered(user("PATCH", f"/users/{user.id}", {"bio": "x"}, If_None_Match='"1"'), 200)


@pytest.mark.usefixtures("api", "db")
def test_an_answer_that_ends_a_session_is_for_who_asked() -> None:
    """Django takes back a cookie whose session is over, on the way out."""
    answer = Api(Client(headers={"Cookie": f"{django_settings.SESSION_COOKIE_NAME}=over"}))("GET", "/products")
    assert answer.status_code == 200
    assert django_settings.SESSION_COOKIE_NAME in answer.cookies
    assert answer["Cache-Control"] == "no-store"
