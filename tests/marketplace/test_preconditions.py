"""Optimistic versions: ETag, If-Match, `version` in the body, and two writers at once."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest

from marketplace import mongo
from marketplace.representation import timestamp
from tests.api import (
    PLAIN_PRODUCT,
    Api,
    Json,
    answered,
    events_of,
    new_order,
    new_post,
    new_product,
    new_supplier,
    new_user,
    nothing_written,
    refused_fields,
)
from tests.concurrency import at_once

pytestmark = pytest.mark.usefixtures("api")


@dataclass
class Target:
    """A document at version 2 or more, its owner, and a write that its state allows."""

    owner: Api
    path: str
    method: str
    action: str = ""

    @property
    def version(self) -> int:
        return self.owner.get(self.path)["version"]

    def write(self, body: Json = None, **headers: str) -> Json:
        return self.owner(self.method, self.path + self.action, body, **headers)


def a_user(method: str) -> Target:
    user = new_user()
    user.patch(f"/users/{user.id}", {})
    return Target(user, f"/users/{user.id}", method)


def a_supplier(method: str) -> Target:
    supplier = new_supplier()
    supplier.patch(f"/suppliers/{supplier.id}", {})
    return Target(supplier, f"/suppliers/{supplier.id}", method)


def a_product(method: str, action: str = "", status: str = "active") -> Target:
    supplier = new_supplier()
    product = new_product(supplier, status=status, of=PLAIN_PRODUCT)
    supplier.patch(f"/products/{product['id']}", {})
    return Target(supplier, f"/products/{product['id']}", method, action)


def a_post(method: str, action: str = "") -> Target:
    user = new_user()
    post = new_post(user, is_draft=True)
    user.patch(f"/posts/{post['id']}", {})
    return Target(user, f"/posts/{post['id']}", method, action)


def an_order(method: str, action: str) -> Target:
    user = new_user()
    order = new_order(user, new_product(new_supplier(), of=PLAIN_PRODUCT)["id"])
    mongo.database().orders.update_one(
        {}, {"$set": {"version": 2}}
    )  # nothing else writes an order before it is cancelled
    return Target(user, f"/orders/{order['id']}", method, action)


WRITES: dict[str, Callable[[], Target]] = {
    "PATCH user": lambda: a_user("PATCH"),
    "DELETE user": lambda: a_user("DELETE"),
    "PATCH supplier": lambda: a_supplier("PATCH"),
    "DELETE supplier": lambda: a_supplier("DELETE"),
    "PATCH product": lambda: a_product("PATCH"),
    "DELETE product": lambda: a_product("DELETE"),
    "publish product": lambda: a_product("POST", "/publish", "draft"),
    "discontinue product": lambda: a_product("POST", "/discontinue"),
    "mark product": lambda: a_product("POST", "/mark-out-of-stock"),
    "restore product": lambda: a_product("POST", "/restore"),
    "cancel order": lambda: an_order("POST", "/cancel"),
    "PATCH post": lambda: a_post("PATCH"),
    "DELETE post": lambda: a_post("DELETE"),
    "publish post": lambda: a_post("POST", "/publish"),
}


@pytest.fixture(params=WRITES)
def target(request: pytest.FixtureRequest, api: None) -> Target:
    return WRITES[request.param]()


def stale(version: int) -> list[tuple[Json, dict[str, str]]]:
    """Return bodies and headers that name another version than this one."""
    right, wrong = f'"{version}"', f'"{version - 1}"'
    headers = [
        wrong,
        f'"{version + 1}"',
        f"W/{right}",
        f'W/"x", {wrong}',
        '""',
        '"x"',
        '"*"',
        f'"0{version}"',
        f'"{version},"',
        f', "x",\t,W/"y"  , {wrong},',
    ]
    return [
        *((None, {"If_Match": one}) for one in headers),
        ({"version": version - 1}, {}),
        ({"version": version + 1}, {}),
        *(({"version": other}, {}) for other in (0, -1, 2**31, 2**63, -(2**63), 10**30, 0.0)),
        ({"version": version - 1}, {"If_Match": right}),
        ({"version": version}, {"If_Match": wrong}),
        ({"version": version - 1}, {"If_Match": wrong}),
        ({"version": version - 1}, {"If_Match": "*"}),
    ]


def test_another_version_is_a_conflict_and_nothing_is_written(target: Target) -> None:
    version = target.version
    with nothing_written():
        for body, headers in stale(version):
            error = answered(target.write(body, **headers), 409)
            assert (error["code"], error["details"]) == ("VERSION_CONFLICT", {"current_version": version}), (
                body,
                headers,
            )


@pytest.mark.parametrize(
    ("body", "header"),
    [
        (None, None),
        (None, '"{}"'),
        (None, "*"),
        (None, " * "),
        (None, '"7", "{}"'),
        (None, 'W/"9","{}"'),
        (None, ',"a,b"\t , "{}" ,,'),
        ({"version": 0}, None),
        ({"version": 0}, '"{}"'),
        ({"version": 0}, "*"),
        ({"version": 0}, '"9", "{}"'),
        ({"version": None}, None),
    ],
)
@pytest.mark.parametrize("make", ["PATCH user", "DELETE post", "publish product", "cancel order"])
def test_the_current_version_is_accepted(make: str, body: Json, header: str | None) -> None:
    target = WRITES[make]()
    version = target.version
    if body and body["version"] is not None:
        body = {"version": version}
    headers = {"If_Match": header.format(version)} if header else {}
    response = target.write(body, **headers)
    assert response.status_code in (200, 204), response.content
    if response.content:
        assert (response["ETag"], response.json()["version"]) == (f'"{version + 1}"', version + 1)


BAD_VERSIONS = ["1", "", True, 1.5, [], {}]


def test_a_version_that_is_none_is_refused(target: Target) -> None:
    with nothing_written():
        for bad in BAD_VERSIONS:
            assert set(refused_fields(answered(target.write({"version": bad}), 422))) == {"version"}, bad


NO_TAGS = [
    "3",
    "2",
    "",
    " ",
    ",",
    " , ,",
    "garbage",
    '"2',
    '2"',
    "'2'",
    '""2""',
    '"2""2"',
    '"2" "2"',
    '"2";',
    "*, *",
    '*, "2"',
    '"2", *',
    "**",
    'w/"2"',
    "W/2",
    'W/ "2"',
    'W/W/"2"',
    '" 2"',
    '"a b"',
    '"2\x7f"',
    '"2", x',
]


def test_a_header_that_is_no_list_of_tags_is_refused(target: Target) -> None:
    with nothing_written():
        for bad in NO_TAGS:
            assert set(refused_fields(answered(target.write(If_Match=bad), 422))) == {"If-Match"}, bad


def test_a_long_header_is_refused_as_quickly_as_it_is_read() -> None:
    user = new_user()
    for bad in ('"a" ' * 20_000, " \t" * 40_000 + "x", ", " * 40_000 + "x", '"' * 80_000, "W/" * 40_000):
        begun = time.perf_counter()
        answered(user("PATCH", f"/users/{user.id}", If_Match=bad), 422)
        assert answered(user("GET", f"/users/{user.id}", If_None_Match=bad), 200)
        assert time.perf_counter() - begun < 1


def test_a_body_without_a_length_is_refused_and_not_ignored() -> None:
    user = new_user()
    with nothing_written():
        response = user("PATCH", f"/users/{user.id}", Transfer_Encoding="chunked")
        assert answered(response, 411)["code"] == "VALIDATION_ERROR"


def test_every_write_raises_the_version_by_one_and_never_turns_back_the_time(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = target.owner.get(target.path)
    real = mongo.now
    monkeypatch.setattr(mongo, "now", lambda: real() - timedelta(hours=1))
    response = target.write()
    assert response.status_code in (200, 204), response.content
    written = mongo.database().outbox.find_one({"key": before["id"]}, sort=[("version", -1)])
    assert written["version"] == before["version"] + 1
    assert timestamp(written["timestamp"]) > before["updated_at"]
    if response.content:
        after = response.json()
        assert after["updated_at"] > before["updated_at"]
        assert after["created_at"] == before["created_at"]


def test_the_clock_of_another_host_does_not_reorder_events(monkeypatch: pytest.MonkeyPatch) -> None:
    user = new_user()
    real = mongo.now
    for hours in (2, -3, 1, 0):
        monkeypatch.setattr(mongo, "now", lambda hours=hours: real() + timedelta(hours=hours))
        user.patch(f"/users/{user.id}", {"bio": str(hours)})
    assert len(events_of(user.id)) == 5


def test_two_writers_with_one_version_one_wins() -> None:
    user = new_user()
    path = f"/users/{user.id}"

    def write(index: int) -> int:
        return user("PATCH", path, {"display_name": f"writer {index}"}, If_Match='"1"').status_code

    statuses = at_once(8, write)
    assert sorted(statuses) == [200] + [409] * 7
    shown = user.get(path)
    assert shown["version"] == 2
    assert shown["profile"]["display_name"] == f"writer {statuses.index(200)}"
    assert len(events_of(user.id)) == 2


def test_writers_without_a_version_lose_no_update() -> None:
    supplier = new_supplier()
    path = f"/suppliers/{supplier.id}"
    changes = [{"legal_name": "New Ltd"}, {"dba_name": "New"}, {"primary_phone": "1"}, {"support_phone": "2"}]
    for _ in range(3):
        answers = at_once(4, lambda index: supplier("PATCH", path, changes[index]).status_code)
        assert answers == [200] * 4
    shown = supplier.get(path)
    assert shown["version"] == 13
    assert (shown["company_info"]["legal_name"], shown["company_info"]["dba_name"]) == ("New Ltd", "New")
    assert (shown["contact_info"]["primary_phone"], shown["business_info"]["support_phone"]) == ("1", "2")
    assert len(events_of(supplier.id)) == 13


def test_a_transition_happens_once() -> None:
    supplier = new_supplier()
    product = new_product(supplier, status="draft")
    statuses = at_once(6, lambda _: supplier("POST", f"/products/{product['id']}/publish").status_code)
    assert sorted(statuses) == [200] + [409] * 5
    assert [event["event_type"] for event in events_of(product["id"])] == ["product.created", "product.published"]
