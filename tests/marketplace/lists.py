"""Every list with every filter and kind of caller, over documents of which many have the same millisecond.

Documents are copies of ones made through the API, put straight into MongoDB. What a list should answer is worked out
here in Python, from SPEC.
"""

import copy
import functools
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bson import ObjectId

from marketplace import mongo
from marketplace.mongo import Stored
from tests.api import (
    DOMAIN,
    Api,
    new_order,
    new_post,
    new_product,
    new_supplier,
    new_user,
    unique_email,
    unique_number,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
# Documents in the same millisecond: more than a small page, so that pages begin and end between them.
TIED = 30
PUBLIC = ("active", "out_of_stock", "discontinued")


class Shop:
    """Callers, and a number of documents in each collection that differ in all that lists filter by."""

    def __init__(self, staff: Api, count: int) -> None:
        self.random = random.Random(1)
        self.users, self.suppliers = [new_user(), new_user()], [new_supplier(), new_supplier()]
        product = new_product(self.suppliers[0], variants={})
        new_order(self.users[0], product["id"])
        new_post(self.users[0])
        self.models: dict[str, Any] = {name: mongo.database()[name].find_one() for name in DOMAIN}
        self.callers = {"anonymous": Api(), "staff": staff, "user": self.users[0], "other user": self.users[1]}
        self.callers |= {"supplier": self.suppliers[0], "other supplier": self.suppliers[1]}
        self.count = count
        for name in self.models:
            self.add(name, range(count))

    def add(self, name: str, numbers: range) -> list[ObjectId]:
        """Insert documents of one kind, one per number, TIED of them in a millisecond. Return their ids."""
        made = [self._document(name, number) for number in numbers]
        self.random.shuffle(made)
        return list(mongo.database()[name].insert_many(made).inserted_ids)

    def _document(self, name: str, number: int) -> Stored:
        moment = START + timedelta(milliseconds=number // TIED)
        identifier = ObjectId(self.random.randbytes(12))
        made: Stored = copy.deepcopy(self.models[name])
        differences = {"_id": identifier, "created_at": moment, "updated_at": moment} | self._differences(name, moment)
        for path, value in differences.items():
            *parents, last = path.split(".")
            functools.reduce(dict.__getitem__, parents, made)[last] = value
        return made

    def _differences(self, name: str, moment: datetime) -> Stored:
        pick, later = self.random.choice, self.random.choice([None, None, None, START])
        user, supplier = ObjectId(pick(self.users).id), ObjectId(pick(self.suppliers).id)
        match name:
            case "users":
                return {"contact_info.primary_email": unique_email()} | ({"deleted_at": later} if later else {})
            case "suppliers":
                return {"contact_info.primary_email": unique_email()}
            case "products":
                status = pick(["active", "active", "out_of_stock", "discontinued", "draft", "draft", "deleted"])
                return {"status": status, "category": pick(["beauty", "other"]), "supplier_id": supplier}
            case "orders":
                status, number = pick(["pending", "cancelled", "failed"]), f"ORD-20260101-{unique_number():08}"
                return {"status": status, "order_number": number, "customer.user_id": user}
            case "posts":
                published = pick([None, moment, moment, moment])
                return {"published_at": published, "author.user_id": user} | ({"deleted_at": later} if later else {})
        return {}

    def expected(self, case: "Case") -> list[str]:
        """Return the ids that the list should answer, in order."""
        found = [one for one in mongo.database()[case.name].find() if case.shows(self, one)]
        found.sort(key=lambda one: (one[case.sort], one["_id"]), reverse=case.newest_first)
        return [str(one["_id"]) for one in found]


@dataclass(frozen=True)
class Case:
    """A list as a caller asks for it, and which documents it shows."""

    name: str
    caller: str
    filters: str
    shows: Callable[[Shop, Stored], bool]

    @property
    def sort(self) -> str:
        return "published_at" if self.name == "posts" else "created_at"

    @property
    def newest_first(self) -> bool:
        return self.name not in ("users", "suppliers")

    def path(self, shop: Shop) -> str:
        """Return path and query, which always has a parameter."""
        filters = self.filters.format(supplier=shop.suppliers[0].id, user=shop.users[0].id)
        return f"/{self.name}?{filters or 'unknown=1'}"

    def __str__(self) -> str:
        return f"{self.name}-{self.caller}-{self.filters}"


def _product(caller: str, filters: str, **wanted: Any) -> Case:
    statuses = wanted.get("status", (*PUBLIC, "draft"))

    def shows(shop: Shop, one: Stored) -> bool:
        owner = caller == "staff" or shop.callers[caller].id == str(one["supplier_id"])
        return (
            one["status"] in statuses
            and (one["status"] in PUBLIC or owner)
            and one["category"] == wanted.get("category", one["category"])
            and ("supplier" not in wanted or str(one["supplier_id"]) == shop.suppliers[0].id)
        )

    return Case("products", caller, filters, shows)


def _order(caller: str, filters: str, statuses: tuple[str, ...] = (), owner: bool = False) -> Case:
    def shows(shop: Shop, one: Stored) -> bool:
        customer = shop.users[0].id if owner else shop.callers[caller].id
        everyones = caller == "staff" and not owner
        return (everyones or str(one["customer"]["user_id"]) == customer) and one["status"] in (
            statuses or [one["status"]]
        )

    return Case("orders", caller, filters, shows)


def _post(caller: str, filters: str, author: bool = False) -> Case:
    def shows(shop: Shop, one: Stored) -> bool:
        public = one["published_at"] is not None and one.get("deleted_at") is None
        return public and (not author or str(one["author"]["user_id"]) == shop.users[0].id)

    return Case("posts", caller, filters, shows)


CASES = [
    Case("users", "staff", "", lambda _, one: one.get("deleted_at") is None),
    *(Case("suppliers", caller, "", lambda *_: True) for caller in ("anonymous", "supplier")),
    *(_product(caller, "") for caller in ("anonymous", "user", "supplier", "other supplier", "staff")),
    *(_product(caller, "status=draft", status=("draft",)) for caller in ("supplier", "staff")),
    *(_product(caller, "status=draft,active", status=("draft", "active")) for caller in ("anonymous", "supplier")),
    _product("staff", "status=deleted,discontinued", status=("discontinued",)),
    _product("anonymous", "category=beauty", category="beauty"),
    *(_product(caller, "supplier_id={supplier}", supplier=1) for caller in ("anonymous", "supplier", "other supplier")),
    _product(
        "supplier",
        "status=draft,out_of_stock&supplier_id={supplier}&category=other",
        status=("draft", "out_of_stock"),
        category="other",
        supplier=1,
    ),
    *(_order(caller, "") for caller in ("user", "other user", "staff")),
    *(_order(caller, "status=failed", ("failed",)) for caller in ("user", "staff")),
    *(_order(caller, "status=pending,failed", ("pending", "failed")) for caller in ("user", "staff")),
    _order("staff", "user_id={user}", owner=True),
    _order("staff", "user_id={user}&status=cancelled,failed", ("cancelled", "failed"), owner=True),
    *(_post(caller, "") for caller in ("anonymous", "user", "staff")),
    *(_post(caller, "author_id={user}", author=True) for caller in ("anonymous", "user")),
]
