"""Who is there in the tests of rights, by bearer token, and what belongs to them; all routes of the URL conf."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.urls import URLPattern, URLResolver

from tests.api import (
    ANYONE,
    POST,
    PRODUCT,
    USER,
    Api,
    Json,
    new_order,
    new_post,
    new_product,
    new_supplier,
    new_user,
    order_body,
    supplier_body,
    unique_email,
)

METHODS = ("get", "post", "put", "patch", "delete")
CALLERS = ("anonymous", "owner", "other user", "other supplier", "staff")


def with_token(caller: Api, account: str, email: str) -> Api:
    """Return the caller as who they are by their access token."""
    tokens = ANYONE.post("/auth/token", {"email": email, "password": USER["password"], "account": account})
    return Api(id=caller.id, **{"Authorization": f"Bearer {tokens['access']}"})


def user_with_token() -> Api:
    """Sign a user up and log them in."""
    email = unique_email()
    return with_token(new_user(email=email), "user", email)


def supplier_with_token() -> Api:
    """Sign a supplier up and log them in."""
    body = supplier_body()
    return with_token(new_supplier(body), "supplier", body["contact_info"]["primary_email"])


@dataclass
class World:
    """Who is there and what belongs to them."""

    staff: Api
    staff_token: Api | None = None
    user: Api = field(default_factory=user_with_token)
    supplier: Api = field(default_factory=supplier_with_token)
    other_user: Api = field(default_factory=user_with_token)
    other_supplier: Api = field(default_factory=supplier_with_token)

    def __post_init__(self) -> None:
        self.product = new_product(self.supplier)
        self.draft = new_product(self.supplier, status="draft")
        self.order = new_order(self.user, self.product["id"])
        self.post = new_post(self.user)
        self.draft_post = new_post(self.user, is_draft=True)
        self.ids = {name: getattr(self, name)["id"] for name in ("product", "draft", "order", "post", "draft_post")}
        self.ids |= {"user": self.user.id, "supplier": self.supplier.id}
        self.email = unique_email()
        new_user(email=self.email)

    def caller(self, name: str, owner: str) -> Api:
        """Return the caller of this name, for a resource that belongs to a user or a supplier."""
        match name:
            case "anonymous":
                return ANYONE
            case "owner":
                return self.user if owner == "user" else self.supplier
            case "other user":
                return self.other_user
            case "other supplier":
                return self.other_supplier
            case "staff by token":
                assert self.staff_token
                return self.staff_token
        return self.staff

    def body(self, name: str, caller: str) -> Json:
        """Return a valid body of a create."""
        match name:
            case "user":
                return USER | {"email": unique_email()}
            case "supplier":
                return supplier_body()
            case "product":
                return PRODUCT | ({"supplier_id": self.supplier.id} if caller.startswith("staff") else {})
            case "order":
                return order_body(self.product["id"])
            case "post":
                return POST
            case "log-in":
                return {"email": self.email, "password": USER["password"]}
            case "refresh":
                return {"refresh": ANYONE.post("/auth/token", self.body("log-in", caller))["refresh"]}
        return {}


def routes(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Return every path and the view that answers it."""
    for entry in resolver.url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield path, entry.callback
        elif not path.startswith("admin"):
            yield from routes(entry, path)


def methods(callback: Any) -> set[str]:
    """Return the methods that a view answers, HEAD aside."""
    names = getattr(callback, "actions", None) or [name for name in METHODS if hasattr(callback.cls, name)]
    return {name.upper() for name in names} - {"HEAD"}
