"""What can be done with products: transitions, visibility, lists, events (SPEC section 3)."""

import pytest

from marketplace import mongo
from tests.api import (
    ANYONE,
    NOBODY,
    PLAIN_PRODUCT,
    PRODUCT,
    Api,
    Json,
    answered,
    events_of,
    new_order,
    new_product,
    new_supplier,
    new_user,
    nothing_written,
    refused_fields,
    stored,
)
from tests.dotted import at

pytestmark = pytest.mark.usefixtures("api")

STATUSES = ("draft", "active", "out_of_stock", "discontinued")
# Action: where it leads, from where, and the event.
TRANSITIONS = {
    "publish": ("active", {"draft"}, "product.published"),
    "mark-out-of-stock": ("out_of_stock", {"active"}, "product.out_of_stock"),
    "discontinue": ("discontinued", {"active", "out_of_stock"}, "product.discontinued"),
    "restore": ("draft", {"active", "out_of_stock", "discontinued"}, "product.restored"),
}


def test_a_new_product_is_a_draft_with_defaults() -> None:
    supplier = new_supplier()
    made = supplier.post("/products", PLAIN_PRODUCT, status=201)
    fixed = {name: made.pop(name) for name in ("id", "created_at", "updated_at")}
    assert fixed["created_at"] == fixed["updated_at"]
    assert made == {
        "supplier_id": supplier.id,
        "supplier_info": {"name": "Tools Ltd"},
        "name": "Advice",
        "short_description": None,
        "topic_descriptions": [],
        "category": "other",
        "unit_type": "piece",
        "metadata": {"base_sku": "A-1", "brand": None},
        "images": [],
        "stock_locations": [],
        "variants": {},
        "base_price_cents": 100,
        "stats": {"view_count": 0, "favorite_count": 0, "purchase_count": 0, "total_reviews": 0},
        "status": "draft",
        "published_at": None,
        "version": 1,
    }


def test_everything_that_was_sent_is_shown() -> None:
    made = new_product(new_supplier(), status="draft")
    flat = {"base_sku": "metadata.base_sku", "brand": "metadata.brand"}
    assert {name: at(made, flat.get(name, name)) for name in PRODUCT} == PRODUCT


@pytest.mark.parametrize("action", TRANSITIONS)
@pytest.mark.parametrize("status", STATUSES)
def test_transitions(status: str, action: str) -> None:
    supplier = new_supplier()
    product = new_product(supplier, status=status, of=PLAIN_PRODUCT)
    to, allowed, event = TRANSITIONS[action]
    path = f"/products/{product['id']}/{action}"
    if status in allowed:
        after = supplier.post(path)
        assert (after["status"], after["version"]) == (to, product["version"] + 1)
        last = events_of(product["id"])[-1]
        assert (last["event_type"], last["data"]) == (event, after)
        return
    with nothing_written():
        error = supplier.post(path, status=409)
    assert error["code"] == "STATE_CONFLICT"
    assert status in error["message"]
    assert error["details"]["status"] == status


@pytest.mark.parametrize("status", STATUSES)
def test_deletion_from_any_status_is_final(staff: Api, status: str) -> None:
    supplier = new_supplier()
    product = new_product(supplier, status=status, of=PLAIN_PRODUCT)
    path = f"/products/{product['id']}"
    supplier.delete(path)
    last = events_of(product["id"])[-1]
    assert (last["event_type"], last["version"]) == ("product.deleted", product["version"] + 1)
    assert last["data"] == {"product_id": product["id"], "deleted_at": last["timestamp"]}
    with nothing_written():
        for caller in (supplier, staff):
            assert answered(caller("GET", path), 404)
            assert answered(caller("PATCH", path, {"name": "x"}), 404)
            assert answered(caller("DELETE", path), 404)
            for action in TRANSITIONS:
                assert answered(caller("POST", f"{path}/{action}"), 404)


def test_published_at_is_set_the_first_time_only() -> None:
    supplier = new_supplier()
    product = new_product(supplier)
    assert product["published_at"] == product["updated_at"]
    supplier.post(f"/products/{product['id']}/restore")
    again = supplier.post(f"/products/{product['id']}/publish")
    assert again["published_at"] == product["published_at"] < again["updated_at"]


def test_costs_are_for_the_owner_and_staff(staff: Api) -> None:
    supplier = new_supplier()
    product = new_product(supplier)
    path = f"/products/{product['id']}"
    for caller in (supplier, staff):
        for shown in (caller.get(path), caller.get("/products")[0], caller.patch(path, {})):
            assert at(shown, "variants.Red.cost_cents") == 700
    for caller in (ANYONE, new_user(), new_supplier()):
        for shown in (caller.get(path), caller.get("/products")[0]):
            assert at(shown, "variants.Red.cost_cents") is None
            assert at(shown, "variants.Red.price_cents") == 1500
        assert b"700" not in caller("GET", path).content
    assert at(events_of(product["id"])[-1], "data.variants.Red.cost_cents") == 700


def listed(caller: Api, query: str = "") -> list[str]:
    return [one["id"] for one in caller.get(f"/products{query}")]


def test_lists_show_what_the_caller_may_see_newest_first(staff: Api) -> None:
    supplier, other = new_supplier(), new_supplier()
    mine = [new_product(supplier, status=status, of=PLAIN_PRODUCT)["id"] for status in STATUSES]
    theirs = new_product(other, status="draft", of=PLAIN_PRODUCT)["id"]
    gone = new_product(supplier, of=PLAIN_PRODUCT)["id"]
    supplier.delete(f"/products/{gone}")
    public = mine[:0:-1]
    for caller in (ANYONE, new_user(), new_supplier()):
        assert listed(caller) == public
        assert listed(caller, "?status=draft") == []
        assert listed(caller, f"?supplier_id={supplier.id}") == public
    assert listed(supplier) == [*public, mine[0]]
    assert listed(other) == [theirs, *public]
    assert listed(staff) == [theirs, *public, mine[0]]
    assert listed(staff, "?status=draft") == [theirs, mine[0]]
    for caller in (ANYONE, supplier, staff):
        assert listed(caller, "?status=deleted") == []
        assert listed(caller, "?status=deleted,active") == [mine[1]]


def test_filters_join() -> None:
    supplier, other = new_supplier(), new_supplier()
    beauty = new_product(supplier, of=PLAIN_PRODUCT | {"category": "beauty"})["id"]
    food = new_product(supplier, status="out_of_stock", of=PLAIN_PRODUCT | {"category": "food_beverage"})["id"]
    theirs = new_product(other, of=PLAIN_PRODUCT | {"category": "beauty"})["id"]
    assert listed(ANYONE, "?category=beauty") == [theirs, beauty]
    assert listed(ANYONE, f"?category=beauty&supplier_id={supplier.id}") == [beauty]
    assert listed(ANYONE, "?status=out_of_stock") == [food]
    assert listed(ANYONE, "?status=out_of_stock,%20active") == [theirs, food, beauty]
    assert listed(ANYONE, "?status=active,active&limit=1&skip=1") == [beauty]
    assert listed(ANYONE, f"?supplier_id={NOBODY}") == []


def test_a_given_list_or_map_replaces_the_old_one_whole() -> None:
    supplier = new_supplier()
    path = f"/products/{new_product(supplier)['id']}"
    blue = {"Blue": PRODUCT["variants"]["Red"] | {"variant_name": "Blue", "image_url": None, "attributes": []}}
    images = [{"url": "https://img.example.com/2.jpg"}]
    supplier.patch(path, {"variants": blue, "images": images, "stock_locations": [], "topic_descriptions": None})
    shown = supplier.get(path)
    assert shown["variants"] == blue
    assert shown["images"] == [
        {"url": "https://img.example.com/2.jpg", "alt_text": None, "order": 0, "is_primary": False}
    ]
    assert (shown["stock_locations"], shown["topic_descriptions"]) == ([], [])
    supplier.patch(path, {"variants": {}})
    assert supplier.get(path)["variants"] == {}
    assert events_of(shown["id"])[-1]["data"] == supplier.get(path)


def test_supplier_of_a_product_is_the_caller() -> None:
    supplier, other = new_supplier(), new_supplier()
    assert supplier.post("/products", PRODUCT | {"supplier_id": other.id}, status=201)["supplier_id"] == supplier.id


@pytest.mark.parametrize("bad", [None, NOBODY, "x", 5, [], {}, "z" * 24])
def test_staff_name_a_supplier_that_exists(staff: Api, bad: Json) -> None:
    new_supplier()
    with nothing_written():
        error = staff.post("/products", PRODUCT | {"supplier_id": bad}, status=422)
        assert set(refused_fields(error)) == {"supplier_id"}


def test_the_suppliers_name_is_a_copy() -> None:
    supplier = new_supplier()
    old = new_product(supplier)
    supplier.patch(f"/suppliers/{supplier.id}", {"legal_name": "New Ltd"})
    assert supplier.get(f"/products/{old['id']}")["supplier_info"] == {"name": "Tools Ltd"}
    assert new_product(supplier)["supplier_info"] == {"name": "New Ltd"}


def test_an_update_keeps_what_orders_changed() -> None:
    supplier = new_supplier()
    product = new_product(supplier)
    new_order(new_user(), product["id"])
    after = supplier.patch(f"/products/{product['id']}", {"name": "Saw", "stats": {"purchase_count": 0}})
    assert (after["stats"]["purchase_count"], after["stock_locations"][0]["quantity"]) == (1, 4)


def test_what_happens_to_a_product_is_announced_as_its_owner_sees_it() -> None:
    supplier = new_supplier()
    product = new_product(supplier, status="draft")
    path = f"/products/{product['id']}"
    seen = [product, supplier.patch(path, {"name": "Saw"})]
    seen += [supplier.post(f"{path}/{action}") for action in ("publish", "mark-out-of-stock", "discontinue", "restore")]
    names = ["created", "updated", "published", "out_of_stock", "discontinued", "restored"]
    found = events_of(product["id"])
    assert [one["event_type"] for one in found] == [f"product.{name}" for name in names]
    assert [one["data"] for one in found] == seen


def test_keys_of_variants_are_kept_exactly() -> None:
    supplier = new_supplier()
    red = PRODUCT["variants"]["Red"]
    keys = ["Red", "red", "Réd", "red ", " red", "RED", "Re\u0301d"]
    made = new_product(supplier, variants=dict.fromkeys(keys, red))
    assert list(made["variants"]) == keys
    assert list(supplier.get(f"/products/{made['id']}")["variants"]) == keys


def test_nothing_but_declared_fields_is_stored() -> None:
    new_product(new_supplier(), of=PLAIN_PRODUCT | {"nonsense": 1})
    [kept] = stored()["products"]
    assert "nonsense" not in kept
    assert mongo.database().products.count_documents({"nonsense": {"$exists": True}}) == 0


@pytest.mark.parametrize("description", ["short", "long " * 900])
def test_a_list_shows_each_caller_what_a_read_would(description: str) -> None:
    """Lists keep answers ready; they must be those of the document as it is now, and of this caller."""
    supplier = new_supplier()
    topics = [{"topic": "More", "description": description}] * 4
    made = new_product(supplier, topic_descriptions=topics)
    for name in ("Before", "After"):
        supplier.patch(f"/products/{made['id']}", {"name": name})
        for caller in (ANYONE, supplier, ANYONE):
            listed = caller.get("/products")
            assert listed == [caller.get(f"/products/{made['id']}")]
            assert listed[0]["name"] == name
