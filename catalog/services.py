"""What can be done with suppliers and products: rules and transactions."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from bson import ObjectId
from django.contrib.auth.hashers import make_password
from mongoengine import NotUniqueError

from catalog import events
from catalog.documents import SHOWN_PRODUCT_IDS, Product, Supplier, SupplierInfo
from marketplace import pages
from marketplace.callers import Caller
from marketplace.errors import DuplicateError, StateConflictError, ValidationError
from marketplace.events.catalogue import EventType
from marketplace.events.outbox import record, record_removal, record_stored
from marketplace.mongo import Stored, object_id, transaction
from marketplace.pages import Page, Window
from marketplace.policy import Expected, find_for_change

PUBLIC_STATUSES = ("active", "out_of_stock", "discontinued")
SHOWN_STATUSES = ("draft", *PUBLIC_STATUSES)
# A supplier's products are deleted in transactions of this size: MongoDB ends a transaction after 60 seconds.
DELETE_BATCH = 500
NEWEST_FIRST = {"created_at": -1, "_id": -1}

# --- Suppliers ------------------------------------------------------------------------------------------------------


def supplier_account(identifier: str) -> Stored | None:
    """Return what authentication asks of a supplier."""
    return _account({"_id": object_id(identifier)})


def supplier_account_by_email(email: str) -> Stored | None:
    """Return what authentication asks of the supplier with this email."""
    return _account({"contact_info.primary_email": email})


def _account(query: dict[str, Any]) -> Stored | None:
    return Supplier.collection().find_one(query, {"password_hash": 1})


def supplier_create(*, changes: dict[str, Any], password: str | None, at: datetime | None = None) -> Stored:
    """Sign a supplier up. Without a password nobody can log in. Raises DuplicateError when the email is taken."""
    # Hashing is slow on purpose and must not run again when the transaction is retried.
    return _supplier_create(changes=changes | {"password_hash": make_password(password)}, at=at)


@transaction
def _supplier_create(*, changes: dict[str, Any], at: datetime | None) -> Stored:
    supplier = Supplier()
    supplier.assign(changes)
    try:
        return record(supplier, events.SUPPLIER_CREATED, at=at)
    except NotUniqueError as error:
        raise DuplicateError("This email is taken", details={"field": "contact_info.primary_email"}) from error


def supplier_list(*, window: Window) -> Page:
    """Return suppliers, oldest first."""
    return pages.read(Supplier, {}, sort="created_at", window=window)


@transaction
def supplier_update(*, caller: Caller, identifier: str, expected: Expected = None, changes: dict[str, Any]) -> Stored:
    """Change a supplier's data. Raises NotFoundError, AuthorizationError, VersionConflictError."""
    supplier = find_for_change(Supplier, identifier, caller, expected)
    supplier.assign(changes)
    return record(supplier, events.SUPPLIER_UPDATED)


def supplier_delete(*, caller: Caller, identifier: str, expected: Expected = None) -> None:
    """Remove a supplier and delete their products. Raises as `supplier_update`.

    Stopped midway, it leaves a supplier with fewer products; the next call goes on.
    """
    while not _supplier_delete_step(caller=caller, identifier=identifier, expected=expected):
        continue
    # A product that was being created meanwhile did not conflict with the removal; `product_create` looks, too.
    _products_delete(ObjectId(identifier))


@transaction
def _supplier_delete_step(*, caller: Caller, identifier: str, expected: Expected) -> bool:
    supplier = find_for_change(Supplier, identifier, caller, expected)
    if _products_delete(supplier.pk) == DELETE_BATCH:
        return False
    record_removal(supplier, events.SUPPLIER_DELETED)
    return True


@transaction
def _products_delete(supplier_id: ObjectId) -> int:
    """Delete a batch of a supplier's products. Return how many."""
    query = {"supplier_id": supplier_id, "status": {"$ne": "deleted"}}
    batch = list(Product.collection().find(query, sort=list(NEWEST_FIRST.items()), limit=DELETE_BATCH))
    for stored in batch:
        stored["status"] = "deleted"
    record_stored(Product, batch, ["status"], events.PRODUCT_DELETED)
    return len(batch)


def product_ids(supplier_ids: Sequence[ObjectId]) -> dict[ObjectId, list[ObjectId]]:
    """Return the ids of each supplier's newest SHOWN_PRODUCT_IDS products that are not deleted, in one command."""
    newest = {
        "from": Product.collection().name,
        "localField": "_id",
        "foreignField": "supplier_id",
        # For each supplier along the index, which a $group over all of them would read to its end.
        "pipeline": [
            {"$match": {"status": {"$ne": "deleted"}}},
            {"$sort": NEWEST_FIRST},
            {"$limit": SHOWN_PRODUCT_IDS},
            {"$project": {"_id": 1}},
        ],
        "as": "products",
    }
    wanted: list[Stored] = [{"$match": {"_id": {"$in": supplier_ids}}}, {"$project": {"_id": 1}}, {"$lookup": newest}]
    found = Supplier.collection().aggregate(wanted)
    return {supplier["_id"]: [product["_id"] for product in supplier["products"]] for supplier in found}


# --- Products -------------------------------------------------------------------------------------------------------


def product_create(
    *,
    caller: Caller,
    supplier_id: ObjectId | None = None,
    changes: dict[str, Any],
    at: datetime | None = None,
    new_id: ObjectId | None = None,
) -> Stored:
    """Add a draft. It belongs to the calling supplier; staff name one. Raises ValidationError for an unknown one."""
    owner = ObjectId(caller.id) if caller.kind == "supplier" else supplier_id
    stored = _product_create(owner=owner, changes=changes, at=at, new_id=new_id)
    if Supplier.collection().find_one({"_id": owner}, {"_id": 1}) is None:  # removed at the same time
        _products_delete(stored["supplier_id"])
        raise _unknown_supplier()
    return stored


@transaction
def _product_create(
    *, owner: ObjectId | None, changes: dict[str, Any], at: datetime | None, new_id: ObjectId | None
) -> Stored:
    supplier = Supplier.collection().find_one({"_id": owner}, {"company_info.legal_name": 1})
    if supplier is None:
        raise _unknown_supplier()
    name = SupplierInfo(name=supplier["company_info"]["legal_name"])
    product = Product(id=new_id, supplier_id=owner, supplier_info=name)
    product.assign(changes)
    return record(product, events.PRODUCT_CREATED, at=at)


def _unknown_supplier() -> ValidationError:
    return ValidationError.of("supplier_id", "No such supplier.")


def product_list(
    *,
    caller: Caller,
    window: Window,
    status: list[str] | None = None,
    category: str | None = None,
    supplier_id: ObjectId | None = None,
) -> Page:
    """Return products that the caller may see, newest first, drafts only their own; deleted ones never."""
    query = _visible_to(caller, status or SHOWN_STATUSES)
    asked = {"category": category, "supplier_id": supplier_id}
    query = {"$and": [query, {name: value for name, value in asked.items() if value is not None}]}
    return pages.read(Product, query, sort="-created_at", window=window, raw=True)


def _visible_to(caller: Caller, asked: Sequence[str]) -> dict[str, Any]:
    """Return the condition for products in one of the asked statuses that the caller may see."""
    statuses = set(asked) & set(PUBLIC_STATUSES if caller.kind in ("anonymous", "user") else SHOWN_STATUSES)
    query: dict[str, Any] = {"status": {"$in": sorted(statuses)}}
    if caller.kind == "supplier" and "draft" in statuses:
        own = {"supplier_id": ObjectId(caller.id)}
        # Not at the root of the query: MongoDB would plan each side by itself, and may then sort all that it finds.
        query |= own if statuses == {"draft"} else {"$or": [{"status": {"$in": PUBLIC_STATUSES}}, own]}
    return query


@transaction
def product_update(
    *,
    caller: Caller,
    identifier: str,
    expected: Expected = None,
    changes: dict[str, Any],
    at: datetime | None = None,
) -> Stored:
    """Change a product's data. Raises NotFoundError, AuthorizationError, VersionConflictError."""
    product = find_for_change(Product, identifier, caller, expected)
    product.assign(changes)
    return record(product, events.PRODUCT_UPDATED, at=at)


@transaction
def product_publish(
    *, caller: Caller, identifier: str, expected: Expected = None, at: datetime | None = None
) -> Stored:
    """Make a draft active. Raises StateConflictError for any other status, and as `product_update`."""
    product = _in_status(caller, identifier, expected, "draft")
    moment = product.next_moment(at)
    product.published_at = product.published_at or moment
    return _set_status(product, "active", events.PRODUCT_PUBLISHED, moment)


@transaction
def product_mark_out_of_stock(
    *, caller: Caller, identifier: str, expected: Expected = None, at: datetime | None = None
) -> Stored:
    """Mark an active product as out of stock. Raises as `product_publish`."""
    product = _in_status(caller, identifier, expected, "active")
    return _set_status(product, "out_of_stock", events.PRODUCT_OUT_OF_STOCK, at)


@transaction
def product_discontinue(
    *, caller: Caller, identifier: str, expected: Expected = None, at: datetime | None = None
) -> Stored:
    """Take a product out of sale. Raises as `product_publish`."""
    product = _in_status(caller, identifier, expected, "active", "out_of_stock")
    return _set_status(product, "discontinued", events.PRODUCT_DISCONTINUED, at)


@transaction
def product_restore(
    *, caller: Caller, identifier: str, expected: Expected = None, at: datetime | None = None
) -> Stored:
    """Take a product back to draft. Raises as `product_publish`."""
    product = _in_status(caller, identifier, expected, *PUBLIC_STATUSES)
    return _set_status(product, "draft", events.PRODUCT_RESTORED, at)


@transaction
def product_delete(*, caller: Caller, identifier: str, expected: Expected = None) -> None:
    """Delete a product for good, in whatever status. Raises as `product_update`."""
    product = find_for_change(Product, identifier, caller, expected)
    _set_status(product, "deleted", events.PRODUCT_DELETED, None)


def _in_status(caller: Caller, identifier: str, expected: Expected, *statuses: str) -> Product:
    product = find_for_change(Product, identifier, caller, expected)
    if product.status not in statuses:
        raise StateConflictError(f"The product is {product.status}", details={"status": product.status})
    return product


def _set_status(product: Product, status: str, event_type: EventType, at: datetime | None) -> Stored:
    product.status = status
    return record(product, event_type, at=at)


# --- Stock, for orders ----------------------------------------------------------------------------------------------


def products_by_id(ids: Iterable[ObjectId]) -> dict[ObjectId, Stored]:
    """Return the stored products that exist and are not deleted, in one read."""
    query = {"_id": {"$in": sorted(set(ids))}, "status": {"$ne": "deleted"}}
    return {stored["_id"]: stored for stored in Product.collection().find(query)}


def products_write_stock(products: Sequence[Stored], *, at: datetime | None = None) -> None:
    """Write quantities and purchase counts that an order changed, inside its transaction."""
    record_stored(Product, products, ["variants", "stock_locations", "stats"], events.PRODUCT_UPDATED, at=at)
