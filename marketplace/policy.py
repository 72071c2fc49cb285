"""Who may do what: the one place of SPEC's permission table.

Two questions, in this order. May this kind of caller use the route at all (ROUTES, asked by the permission class)? May
this caller see or change this document (DOCUMENTS, asked by services when they load it)? What a caller may not see
answers 404, what they see but may not change 403; missing credentials where some are needed answer 401.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from marketplace.callers import Caller, Kind
from marketplace.errors import AuthorizationError, NotFoundError, VersionConflictError
from marketplace.mongo import Document, Readable, Stored, object_id
from marketplace.representation import Audience
from marketplace.routes import template

D = TypeVar("D", bound=Document)
# The versions that the client accepts, as in If-Match; None for any.
Expected = frozenset[str] | None

ANYONE: frozenset[Kind] = frozenset({"anonymous", "user", "supplier", "staff"})
KNOWN: frozenset[Kind] = ANYONE - {"anonymous"}
STAFF: frozenset[Kind] = frozenset({"staff"})
USER: frozenset[Kind] = frozenset({"user"})
USER_OR_STAFF = USER | STAFF
SUPPLIER_OR_STAFF: frozenset[Kind] = frozenset({"supplier", "staff"})

ROUTES: dict[str, frozenset[Kind]] = {
    "POST /auth/token": ANYONE,
    "POST /auth/refresh": ANYONE,
    "POST /auth/revoke": ANYONE,
    "POST /users": ANYONE,
    "GET /users": STAFF,
    "GET /users/{id}": KNOWN,
    "PATCH /users/{id}": KNOWN,
    "DELETE /users/{id}": KNOWN,
    "POST /suppliers": ANYONE,
    "GET /suppliers": ANYONE,
    "GET /suppliers/{id}": ANYONE,
    "PATCH /suppliers/{id}": KNOWN,
    "DELETE /suppliers/{id}": KNOWN,
    "POST /products": SUPPLIER_OR_STAFF,
    "GET /products": ANYONE,
    "GET /products/{id}": ANYONE,
    "PATCH /products/{id}": KNOWN,
    "DELETE /products/{id}": KNOWN,
    "POST /products/{id}/publish": KNOWN,
    "POST /products/{id}/discontinue": KNOWN,
    "POST /products/{id}/mark-out-of-stock": KNOWN,
    "POST /products/{id}/restore": KNOWN,
    "POST /orders": USER,
    "GET /orders": USER_OR_STAFF,
    "GET /orders/{id}": KNOWN,
    "POST /orders/{id}/cancel": KNOWN,
    "POST /posts": USER,
    "GET /posts": ANYONE,
    "GET /posts/{id}": ANYONE,
    "PATCH /posts/{id}": KNOWN,
    "DELETE /posts/{id}": KNOWN,
    "POST /posts/{id}/publish": KNOWN,
    "GET /reports/revenue-by-supplier": STAFF,
    "GET /reports/top-products": STAFF,
    "GET /reports/supplier-orders": STAFF,
    "GET /reports/post-engagement": STAFF,
    "GET /reports/price-distribution": STAFF,
    "GET /reports/daily-revenue": STAFF,
    "GET /reports/top-categories": STAFF,
    "GET /reports/dashboard": STAFF,
    "GET /reports/cancellation-rate": STAFF,
    "GET /reports/new-users": STAFF,
    "GET /reports/cohorts": STAFF,
    "GET /reports/low-stock": STAFF,
    "GET /reports/pipeline": STAFF,
    "GET /": ANYONE,
    "GET /health": ANYONE,
    "GET /health/ready": ANYONE,
}


@dataclass(frozen=True, slots=True)
class DocumentPolicy:
    """Whose a document is (`owner_path` in the stored document), whether others see it, and whether it is deleted."""

    title: str
    owner: Kind
    owner_path: str
    public: Callable[[Stored], bool]
    deleted: Callable[[Stored], bool]


DOCUMENTS: dict[str, DocumentPolicy] = {
    "users": DocumentPolicy("User", "user", "_id", lambda _: False, lambda d: d.get("deleted_at") is not None),
    "suppliers": DocumentPolicy("Supplier", "supplier", "_id", lambda _: True, lambda _: False),
    "products": DocumentPolicy(
        "Product", "supplier", "supplier_id", lambda d: d["status"] != "draft", lambda d: d["status"] == "deleted"
    ),
    "orders": DocumentPolicy("Order", "user", "customer.user_id", lambda _: False, lambda _: False),
    "posts": DocumentPolicy(
        "Post",
        "user",
        "author.user_id",
        lambda d: d.get("published_at") is not None,
        lambda d: d.get("deleted_at") is not None,
    ),
}


@functools.cache
def route_name(method: str, route: str) -> str:
    """Return the key of ROUTES for a method and a Django route: `GET`, `users/<str:id>` -> `GET /users/{id}`."""
    return f"{'GET' if method == 'HEAD' else method} {template(route)}"


def may_call(caller: Caller, method: str, route: str) -> bool:
    """Whether this kind of caller may use the route. Nobody may use a route without an entry."""
    return caller.kind in ROUTES.get(route_name(method, route), ())


def owns(caller: Caller, document: type[Document], stored: Readable) -> bool:
    """Whether the caller is staff or the account that the document belongs to."""
    if caller.kind == "staff":
        return True
    policy = DOCUMENTS[document._meta["collection"]]
    if caller.kind != policy.owner:
        return False
    owner = functools.reduce(lambda value, key: value[key], policy.owner_path.split("."), stored)
    return caller.id == str(owner)


def audience(caller: Caller, document: type[Document], stored: Readable) -> Audience:
    """Return which representation of the document the caller gets."""
    return "owner" if owns(caller, document, stored) else "public"


def find(document: type[Document], identifier: str, caller: Caller) -> Stored:
    """Return the stored document. Raises NotFoundError when it is unknown, deleted, or not to be seen by the caller."""
    policy = DOCUMENTS[document._meta["collection"]]
    key = object_id(identifier)
    stored = document.collection().find_one({"_id": key}) if key else None
    if stored is None or policy.deleted(stored) or not (policy.public(stored) or owns(caller, document, stored)):
        raise NotFoundError(f"{policy.title} not found")
    return stored


def find_for_change(document: type[D], identifier: str, caller: Caller, expected: Expected) -> D:
    """Return the document for a change, read inside the running transaction.

    Raises NotFoundError as `find`, AuthorizationError when the caller may only see it, VersionConflictError when its
    version is none of the expected ones.
    """
    stored = find(document, identifier, caller)
    if not owns(caller, document, stored):
        raise AuthorizationError
    if expected is not None and str(stored["version"]) not in expected:
        raise VersionConflictError(details={"current_version": stored["version"]})
    return document.from_stored(stored)
