"""Events of every write path: in the outbox with the write, or neither (SPEC section 4).

Writes are made to fail by the server itself: the outbox collection gets a validator that refuses every document.
"""

import hashlib
import json
import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from bson import ObjectId

from catalog import services as catalog
from content import services as content
from marketplace import mongo
from marketplace.callers import SYSTEM
from marketplace.events.catalogue import CATALOGUE
from marketplace.events.outbox import EVENT_IDS, OUTBOX, event_id, record
from tests.api import (
    ANYONE,
    PLAIN_PRODUCT,
    POST,
    PRODUCT,
    USER,
    Api,
    Json,
    answered,
    new_order,
    new_post,
    new_product,
    new_supplier,
    new_user,
    nothing_written,
    order_body,
    stored,
    supplier_body,
    unique_email,
)
from users import services as users
from users.documents import User
from users.events import USER_UPDATED

pytestmark = pytest.mark.usefixtures("api")

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
Request = tuple[Api, str, str, Json]


def product_write(method: str, action: str = "", status: str = "active") -> Callable[[], Request]:
    def request() -> Request:
        supplier = new_supplier()
        product = new_product(supplier, status=status)
        return supplier, method, f"/products/{product['id']}{action}", {}

    return request


def post_write(method: str, action: str = "") -> Callable[[], Request]:
    def request() -> Request:
        user = new_user()
        return user, method, f"/posts/{new_post(user, is_draft=True)['id']}{action}", {}

    return request


def account_write(method: str, make: Callable[[], Api], path: str) -> Callable[[], Request]:
    def request() -> Request:
        caller = make()
        return caller, method, f"/{path}/{caller.id}", {}

    return request


def supplier_with_products() -> Request:
    supplier = new_supplier()
    for _ in range(2):
        new_product(supplier)
    return supplier, "DELETE", f"/suppliers/{supplier.id}", {}


def new_order_request() -> Request:
    supplier = new_supplier()
    ids = [new_product(supplier)["id"], new_product(supplier, of=PLAIN_PRODUCT)["id"]]
    return new_user(), "POST", "/orders", order_body(*ids)


def cancel_request() -> Request:
    user, supplier = new_user(), new_supplier()
    order = new_order(user, new_product(supplier)["id"], new_product(supplier)["id"])
    return user, "POST", f"/orders/{order['id']}/cancel", {}


# Every write path, with the event types that it leaves in the outbox.
WRITES: dict[str, tuple[Callable[[], Request], list[str]]] = {
    "user create": (lambda: (ANYONE, "POST", "/users", USER | {"email": unique_email()}), ["user.created"]),
    "user update": (account_write("PATCH", new_user, "users"), ["user.updated"]),
    "user delete": (account_write("DELETE", new_user, "users"), ["user.deleted"]),
    "supplier create": (lambda: (ANYONE, "POST", "/suppliers", supplier_body()), ["supplier.created"]),
    "supplier update": (account_write("PATCH", new_supplier, "suppliers"), ["supplier.updated"]),
    "supplier delete": (supplier_with_products, ["product.deleted", "product.deleted", "supplier.deleted"]),
    "product create": (lambda: (new_supplier(), "POST", "/products", PRODUCT), ["product.created"]),
    "product update": (product_write("PATCH"), ["product.updated"]),
    "product delete": (product_write("DELETE"), ["product.deleted"]),
    "product publish": (product_write("POST", "/publish", "draft"), ["product.published"]),
    "product discontinue": (product_write("POST", "/discontinue"), ["product.discontinued"]),
    "product out of stock": (product_write("POST", "/mark-out-of-stock"), ["product.out_of_stock"]),
    "product restore": (product_write("POST", "/restore"), ["product.restored"]),
    "order create": (new_order_request, ["order.created", "product.updated", "product.updated"]),
    "order cancel": (cancel_request, ["order.cancelled", "product.updated", "product.updated"]),
    "post create": (lambda: (new_user(), "POST", "/posts", POST), ["post.created"]),
    "post update": (post_write("PATCH"), ["post.updated"]),
    "post publish": (post_write("POST", "/publish"), ["post.published"]),
    "post delete": (post_write("DELETE"), ["post.deleted"]),
}


@pytest.fixture
def validated() -> Iterator[Callable[[Json], None]]:
    """Let the server refuse outbox documents that do not match a query."""

    def refuse(validator: Json) -> None:
        mongo.database().command("collMod", OUTBOX, validator=validator)

    yield refuse
    refuse({})


def outbox_ids() -> set[str]:
    return {one["_id"] for one in mongo.database()[OUTBOX].find({}, {"_id": 1})}


def test_all_19_event_types_are_written_here() -> None:
    assert {name for _, names in WRITES.values() for name in names} == set(CATALOGUE)
    assert len(CATALOGUE) == 19


@pytest.mark.parametrize("name", WRITES)
def test_a_write_leaves_its_events(name: str) -> None:
    make, expected = WRITES[name]
    caller, method, path, body = make()
    before = outbox_ids()
    response = caller(method, path, body)
    assert response.status_code < 300, response.content
    fresh = [one for one in stored()[OUTBOX] if one["_id"] not in before]
    assert sorted(one["event_type"] for one in fresh) == expected
    for one in fresh:
        check_event(one)
        if one["event_type"].split(".")[0] == path.split("/")[1].rstrip("s") and response.content:
            hidden = {"banking_info", "product_ids"}
            shown = {key: value for key, value in shown_to_owner(caller, response.json()).items() if key not in hidden}
            assert json.loads(one["payload"])["data"] == shown


def shown_to_owner(caller: Api, made: Json) -> Json:
    """Return the document as its owner sees it; a new account's owner is not the anonymous caller."""
    if caller is not ANYONE:
        return made
    return made | {"banking_info": None}


def check_event(outbox: mongo.Stored) -> None:
    """Check the envelope against SPEC, and the outbox's own fields against the envelope."""
    event = json.loads(outbox["payload"])
    entity = event["event_type"].split(".")[0]
    assert set(event) == {"event_type", "event_id", "timestamp", "entity_id", "version", "data"}
    assert event["event_id"] == outbox["_id"] == event_id(entity, event["entity_id"], event["version"])
    assert MOMENT.fullmatch(event["timestamp"])
    assert event["timestamp"] == outbox["timestamp"].isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert (outbox["topic"], outbox["key"]) == (entity, event["entity_id"])
    assert (outbox["event_type"], outbox["version"]) == (event["event_type"], event["version"])
    if event["event_type"].endswith(".deleted"):
        assert event["data"] == {f"{entity}_id": event["entity_id"], "deleted_at": event["timestamp"]}
        return
    data = event["data"]
    assert (data["id"], data["version"], data["updated_at"]) == (
        event["entity_id"],
        event["version"],
        event["timestamp"],
    )
    assert not {"password_hash", "banking_info", "product_ids", "stock_takes", "changed_at", "_id"} & set(data)


@pytest.mark.parametrize("name", WRITES)
def test_a_write_whose_event_is_refused_is_undone(name: str, validated: Callable[[Json], None]) -> None:
    caller, method, path, body = WRITES[name][0]()
    validated({"never": True})
    with nothing_written():
        assert answered(caller(method, path, body), 500)["code"] == "INTERNAL_ERROR"


@pytest.mark.parametrize("name", ["supplier delete", "order create", "order cancel"])
def test_one_refused_event_undoes_all_writes(name: str, validated: Callable[[Json], None]) -> None:
    caller, method, path, body = WRITES[name][0]()
    validated({"topic": {"$ne": "product"}})
    with nothing_written():
        assert answered(caller(method, path, body), 500)["code"] == "INTERNAL_ERROR"


@pytest.mark.parametrize("name", [name for name, (_, events) in WRITES.items() if events[0].split(".")[1] != "deleted"])
def test_an_event_that_is_too_large_is_refused(name: str, settings: object) -> None:
    caller, method, path, body = WRITES[name][0]()
    settings.MAX_EVENT_BYTES = 100
    with nothing_written():
        assert answered(caller(method, path, body), 422)["code"] == "VALIDATION_ERROR"


def test_an_events_id_follows_from_what_it_announces() -> None:
    name = b"product/6b03067fb732d59a86eb8295/2"
    # RFC 9562, section 5.5: the first 16 bytes of the SHA-1, with version and variant set.
    digest = bytearray(hashlib.sha1(EVENT_IDS.bytes + name, usedforsecurity=False).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    assert event_id("product", "6b03067fb732d59a86eb8295", 2) == str(uuid.UUID(bytes=bytes(digest)))
    # What other teams have stored: these never change.
    assert event_id("product", "6b03067fb732d59a86eb8295", 2) == "ecf38a5b-95ef-5079-8a06-df70dec5bfcd"


@pytest.mark.parametrize(("path", "make"), [("users", new_user), ("posts", lambda: new_post(new_user()))])
def test_a_deleted_document_remembers_its_last_change(path: str, make: Callable[[], Any]) -> None:
    made = make()
    identifier = made["id"] if isinstance(made, dict) else made.id
    before = stored()[path][-1]["updated_at"]
    delete = users.user_delete if path == "users" else content.post_delete
    delete(caller=SYSTEM, identifier=identifier)
    found = next(one for one in stored()[path] if one["_id"] == ObjectId(identifier))
    assert found["changed_at"] == before < found["deleted_at"] == found["updated_at"]


def test_events_may_have_two_mebibytes(settings: object) -> None:
    assert settings.MAX_EVENT_BYTES == 2 * 1024 * 1024


def test_the_clients_trace_is_kept() -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    answered(ANYONE("POST", "/users", USER, traceparent=trace), 201)
    answered(ANYONE("POST", "/users", USER | {"email": "b@example.com"}, traceparent="nonsense"), 201)
    first, second = (one["traceparent"] for one in mongo.database()[OUTBOX].find(sort=[("timestamp", 1)]))
    assert first.split("-")[1] == trace.split("-")[1]
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", second)


# --- The guards of the hook itself ---


def a_stored_user() -> User:
    new_user()
    return User.from_stored(stored()["users"][0])


def test_an_error_after_the_write_leaves_neither_document_nor_event() -> None:
    user = a_stored_user()

    @mongo.transaction
    def write_and_fail() -> None:
        user.profile.bio = "lost"
        record(user, USER_UPDATED)
        raise LookupError("after the write")

    with nothing_written(), pytest.raises(LookupError):
        write_and_fail()


def test_a_write_without_its_event_is_refused() -> None:
    user = a_stored_user()

    @mongo.transaction
    def write_silently() -> None:
        user.stamp()
        user.write()

    with nothing_written(), pytest.raises(RuntimeError, match="without a domain event"):
        write_silently()


def test_a_write_outside_of_a_transaction_is_refused() -> None:
    user = a_stored_user()
    with nothing_written(), pytest.raises(RuntimeError, match=r"inside mongo\.transaction"):
        record(user, USER_UPDATED)


def test_a_failed_supplier_deletion_can_be_taken_up_again(
    monkeypatch: pytest.MonkeyPatch, validated: Callable[[Json], None]
) -> None:
    monkeypatch.setattr(catalog, "DELETE_BATCH", 1)
    supplier = new_supplier()
    for _ in range(2):
        new_product(supplier)
    validated({"topic": {"$ne": "supplier"}})
    answered(supplier("DELETE", f"/suppliers/{supplier.id}"), 500)
    assert {one["status"] for one in stored()["products"]} == {"deleted"}
    assert len(stored()["suppliers"]) == 1
    validated({})
    catalog.supplier_delete(caller=SYSTEM, identifier=supplier.id)
    assert mongo.database().suppliers.count_documents({"_id": ObjectId(supplier.id)}) == 0
    assert mongo.database()[OUTBOX].count_documents({"event_type": "product.deleted"}) == 2
