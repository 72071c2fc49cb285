"""What suppliers can do, what of them is seen, and how they go with all their products (SPEC section 3)."""

from typing import Any

import pytest
from bson import ObjectId
from django.contrib.auth.hashers import check_password

from catalog import services
from marketplace import mongo
from marketplace.callers import SYSTEM
from tests.api import (
    ANYONE,
    PLAIN_PRODUCT,
    PRODUCT,
    Api,
    answered,
    events,
    events_of,
    new_product,
    new_supplier,
    new_user,
    nothing_written,
    stored,
    supplier_body,
)
from tests.concurrency import at_once

pytestmark = pytest.mark.usefixtures("api")


def test_only_the_supplier_and_staff_see_the_bank(staff: Api) -> None:
    body = supplier_body()
    body["contact_info"]["primary_email"] = "sales@example.com"
    supplier = new_supplier(body)
    path = f"/suppliers/{supplier.id}"
    for caller in (supplier, staff):
        assert caller.get(path)["banking_info"] == body["banking_info"]
        assert caller.get("/suppliers")[0]["banking_info"] == body["banking_info"]
    for caller in (ANYONE, new_user(), new_supplier()):
        assert caller.get(path)["banking_info"] is None
        assert caller.get("/suppliers")[0]["banking_info"] is None
    assert supplier.patch(path, {})["banking_info"] == body["banking_info"]


def test_bank_and_password_are_in_no_event() -> None:
    supplier = new_supplier()
    supplier.patch(f"/suppliers/{supplier.id}", {"banking_info": {"bank_name": "Other"}, "dba_name": "x"})
    supplier.delete(f"/suppliers/{supplier.id}")
    payloads = b"".join(event["payload"] for event in stored()["outbox"]).decode()
    for secret in ("banking_info", "account_holder_name", "last4", "password", "product_ids"):
        assert secret not in payloads


def test_the_password_is_hashed() -> None:
    new_supplier(supplier_body() | {"password": " pass word "})
    assert check_password(" pass word ", stored()["suppliers"][0]["password_hash"])


def test_users_and_suppliers_are_different_accounts() -> None:
    body = supplier_body()
    new_user(email=body["contact_info"]["primary_email"])
    new_supplier(body)
    with nothing_written():
        assert ANYONE.post("/suppliers", body, status=409)["code"] == "DUPLICATE_RESOURCE"


def test_of_two_sign_ups_at_once_one_wins() -> None:
    body = supplier_body()
    assert sorted(at_once(4, lambda _: Api()("POST", "/suppliers", body).status_code)) == [201, 409, 409, 409]
    assert len(stored()["outbox"]) == 1


def test_an_update_changes_nothing_else() -> None:
    supplier = new_supplier()
    path = f"/suppliers/{supplier.id}"
    before = supplier.get(path)
    after = supplier.patch(path, {"legal_name": "New Ltd", "contact_info": {"primary_email": "x@example.com"}})
    before["company_info"]["legal_name"] = "New Ltd"
    assert after == before | {"version": 2, "updated_at": after["updated_at"]}


def test_product_ids_are_the_newest_hundred(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "SHOWN_PRODUCT_IDS", 3)
    supplier, other = new_supplier(), new_supplier()
    ids = [
        new_product(supplier, status=status, of=PLAIN_PRODUCT)["id"] for status in ("draft", "active", "draft", "draft")
    ]
    new_product(other, of=PLAIN_PRODUCT)
    assert ANYONE.get(f"/suppliers/{supplier.id}")["product_ids"] == ids[:0:-1]
    supplier.delete(f"/products/{ids[3]}")
    for shown in (ANYONE.get(f"/suppliers/{supplier.id}"), ANYONE.get("/suppliers")[0]):
        assert shown["product_ids"] == ids[2::-1]


def test_a_hundred_product_ids_are_shown() -> None:
    assert services.SHOWN_PRODUCT_IDS == 100


def test_a_product_shows_in_no_event_of_its_supplier() -> None:
    supplier = new_supplier()
    new_product(supplier)
    assert [one["event_type"] for one in events_of(supplier.id)] == ["supplier.created"]


def test_a_deleted_supplier_is_gone_with_all_products() -> None:
    supplier, other = new_supplier(), new_supplier()
    products = [new_product(supplier, status=status) for status in ("draft", "active", "out_of_stock", "discontinued")]
    kept = new_product(other)
    supplier.delete(f"/suppliers/{supplier.id}")
    assert mongo.database().suppliers.count_documents({"_id": ObjectId(supplier.id)}) == 0
    assert answered(ANYONE("GET", f"/suppliers/{supplier.id}"), 404)
    assert answered(supplier("GET", "/products"), 401)
    assert [one["id"] for one in ANYONE.get("/products")] == [kept["id"]]
    for product in products:
        assert answered(ANYONE("GET", f"/products/{product['id']}"), 404)
        last = events_of(product["id"])[-1]
        assert last["event_type"] == "product.deleted"
        assert last["version"] == product["version"] + 1
        assert last["data"] == {"product_id": product["id"], "deleted_at": last["timestamp"]}
    last = events_of(supplier.id)[-1]
    assert (last["event_type"], last["version"]) == ("supplier.deleted", 2)
    assert last["data"] == {"supplier_id": supplier.id, "deleted_at": last["timestamp"]}


@pytest.mark.parametrize("count", [3, 4, 5])
def test_more_products_than_fit_a_transaction(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(services, "DELETE_BATCH", 2)
    supplier = new_supplier()
    ids = [new_product(supplier, of=PLAIN_PRODUCT)["id"] for _ in range(count)]
    supplier.delete(f"/suppliers/{supplier.id}", If_Match='"1"')
    assert {one["status"] for one in stored()["products"]} == {"deleted"}
    assert sorted(one["entity_id"] for one in events(event_type="product.deleted")) == sorted(ids)
    assert len(events(event_type="supplier.deleted")) == 1


def test_a_deletion_with_a_stale_version_leaves_all_products() -> None:
    supplier = new_supplier()
    new_product(supplier)
    with nothing_written():
        supplier.delete(f"/suppliers/{supplier.id}", status=409, If_Match='"9"')


def test_a_product_made_while_its_supplier_goes_is_deleted_too() -> None:
    for _ in range(5):
        supplier = new_supplier()
        delete = lambda supplier=supplier: Api()("DELETE", f"/suppliers/{supplier.id}", X_Supplier_ID=supplier.id)  # noqa: E731
        create = lambda supplier=supplier: Api()("POST", "/products", PRODUCT, X_Supplier_ID=supplier.id)  # noqa: E731
        statuses = at_once(4, lambda index, delete=delete, create=create: (create if index else delete)().status_code)
        assert statuses[0] == 204
        assert set(statuses[1:]) <= {201, 401, 422}
    assert stored()["suppliers"] == []
    assert {one["status"] for one in stored()["products"]} <= {"deleted"}
    for product in stored()["products"]:
        assert events_of(str(product["_id"]))[-1]["event_type"] == "product.deleted"


def test_a_supplier_that_goes_right_after_the_product_was_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    """The deletion's last look finds the product first: the creator hears that there is no such supplier."""
    supplier = new_supplier()
    create = services._product_create

    def create_and_lose_the_supplier(**kwargs: Any) -> mongo.Stored:
        made = create(**kwargs)
        services.supplier_delete(caller=SYSTEM, identifier=supplier.id)
        return made

    monkeypatch.setattr(services, "_product_create", create_and_lose_the_supplier)
    error = supplier.post("/products", PRODUCT, status=422)
    assert set(error["details"]["fields"]) == {"supplier_id"}
    [product] = stored()["products"]
    assert [one["event_type"] for one in events_of(str(product["_id"]))] == ["product.created", "product.deleted"]


def test_what_happens_to_a_supplier_is_announced() -> None:
    supplier = new_supplier()
    path = f"/suppliers/{supplier.id}"
    seen = [supplier.get(path), supplier.patch(path, {"support_phone": "1"})]
    hidden = {"banking_info", "product_ids"}
    expected = [{name: value for name, value in one.items() if name not in hidden} for one in seen]
    found = events_of(supplier.id)
    assert [one["event_type"] for one in found] == ["supplier.created", "supplier.updated"]
    assert [one["data"] for one in found] == expected
