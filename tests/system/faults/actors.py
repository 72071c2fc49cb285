"""One client's work: a user and a supplier who do all that the API offers, by the dice of a seeded generator."""

import random
from collections.abc import Callable
from typing import Any

from pymongo.database import Database

from tests.system.faults import bodies
from tests.system.faults.calls import Body, Client
from tests.system.faults.market import Buyer, Market, Trader
from tests.system.faults.oracle import Oracle
from tests.system.faults.writing import Owner, sign_up

MOVES = {
    "draft": {"publish": "active"},
    "active": {"mark-out-of-stock": "out_of_stock", "discontinue": "discontinued", "restore": "draft"},
    "out_of_stock": {"discontinue": "discontinued", "restore": "draft"},
    "discontinued": {"restore": "draft"},
}
TRADED = 2
MOST = 12  # entities of a kind that are changed in turns; older ones rest


class Actor:
    """Does one thing at a time. `step` does the next."""

    def __init__(
        self, name: str, rng: random.Random, client: Client, oracle: Oracle, market: Market, mongodb: Database[Any]
    ) -> None:
        self._name = name
        self._rng = rng
        self._client = client
        self._oracle = oracle
        self._market = market
        self._mongodb = mongodb
        self._count = 0
        self._owned: dict[str, list[Body]] = {"product": [], "post": []}
        self._orders: list[Body] = []
        self._guests: dict[str, list[tuple[Owner, Body]]] = {"user": [], "supplier": []}

    def settle_in(self) -> None:
        """Sign up, and put the traded products on sale."""
        self._user, self._user_body = self._sign_up("user")
        self._supplier, self._supplier_body = self._sign_up("supplier")
        self._buyer = Buyer(self._user.account, self._oracle)
        self._traders = [trader for trader in (self._new_trader() for _ in range(TRADED)) if trader]

    def step(self) -> None:
        """Do one thing."""
        operations = list(_WEIGHTS)
        self._rng.choices(operations, list(_WEIGHTS.values()))[0](self)

    def _unique(self, what: str) -> str:
        self._count += 1
        return f"{what}-{self._name}-{self._count}"

    # --- accounts ---------------------------------------------------------------------------------------------------

    def _sign_up(self, kind: str) -> tuple[Owner, Body]:
        email = f"{self._unique(kind)}@example.com"
        account, body = sign_up(self._client, self._oracle, kind, email, bodies.ACCOUNTS[kind](self._rng, email))
        return Owner(account, self._oracle), body

    def welcome_guest(self) -> None:
        """Sign somebody up who will leave again; a supplier brings a product."""
        kind = self._rng.choice(["user", "supplier"])
        owner, body = self._sign_up(kind)
        if kind == "supplier":
            self._create_product(owner)
        self._guests[kind].append((owner, body))

    def part_with_guest(self) -> None:
        """Have a guest delete their account."""
        kind = self._rng.choice(["user", "supplier"])
        if self._guests[kind]:
            owner, body = self._guests[kind].pop(0)
            if not owner.delete(kind, body):
                self._guests[kind].append((owner, body))

    def change_account(self) -> None:
        """Change the user or the supplier."""
        if self._rng.random() < 0.5:
            self._user_body = self._user.change("user", self._user_body, bodies.user_changes(self._rng))
        else:
            changes = bodies.supplier_changes(self._rng)
            self._supplier_body = self._supplier.change("supplier", self._supplier_body, changes)

    # --- products that nobody buys ----------------------------------------------------------------------------------

    def create_product(self) -> None:
        """Add a draft."""
        body = self._create_product(self._supplier)
        if body:
            self._keep("product", body)

    def _create_product(self, owner: Owner, quantity: int | None = None) -> Body | None:
        sku = self._unique("sku")
        details = bodies.product(self._rng, sku, quantity)
        return owner.create("product", details, lambda: self._find_product(owner, sku))

    def _find_product(self, owner: Owner, sku: str) -> Body | None:
        found = owner.account.ask("GET", f"/products?supplier_id={owner.account.id}").body
        return next((body for body in found if body["metadata"]["base_sku"] == sku), None)

    def change_product(self) -> None:
        """Replace some of a product's data, mostly its variants."""
        self._replace("product", lambda body: self._supplier.change("product", body, bodies.product_changes(self._rng)))

    def move_product(self) -> None:
        """Send a product to another status."""
        self._replace(
            "product",
            lambda body: self._supplier.act("product", body, self._rng.choice(sorted(MOVES[body["status"]]))),
        )

    def delete_product(self) -> None:
        """Delete a product."""
        self._remove("product", self._supplier)

    # --- posts ------------------------------------------------------------------------------------------------------

    def create_post(self) -> None:
        """Write a post or a draft."""
        marker = self._unique("post")
        body = self._user.create("post", bodies.post(self._rng, marker), lambda: self._find_post(marker))
        if body:
            self._keep("post", body)

    def _find_post(self, marker: str) -> Body | None:
        found = self._mongodb.posts.find_one({"text_content": marker}, {"_id": 1})  # the API lists no drafts
        return self._user.read("post", str(found["_id"])) if found else None

    def change_post(self) -> None:
        """Change a post, or publish a draft."""
        self._replace("post", self._next_of_post)

    def _next_of_post(self, body: Body) -> Body:
        if body["published_at"] is None and self._rng.random() < 0.5:
            return self._user.act("post", body, "publish")
        return self._user.change("post", body, bodies.post_changes(self._rng, self._unique("post")))

    def delete_post(self) -> None:
        """Delete a post."""
        self._remove("post", self._user)

    # --- the market -------------------------------------------------------------------------------------------------

    def _new_trader(self) -> Trader | None:
        body = self._create_product(self._supplier, quantity=100_000)
        published = body and self._supplier.act("product", body, "publish")
        if not published or published["status"] != "active":
            return None
        self._oracle.trades(published)
        self._market.offer(published)
        return Trader(self._supplier.account, self._oracle, published)

    def trade(self) -> None:
        """Change a traded product's name and price, or take it off the shelf and put it back."""
        trader = self._rng.choice(self._traders)
        if trader.status == "active" and self._rng.random() < 0.7:
            changes = {"name": self._unique("Traded"), "base_price_cents": self._rng.randint(100, 9999)}
            trader.change(changes)
            return
        action, status = self._rng.choice(sorted(MOVES[trader.status].items()))
        if trader.act(action, status) and status != "draft":
            trader.act("restore", "draft")
        if trader.status == "draft":
            trader.act("publish", "active")

    def order(self) -> None:
        """Buy something."""
        body = self._buyer.order(self._market.lines(self._rng))
        if body:
            self._orders = [*self._orders[-MOST:], body]

    def cancel(self) -> None:
        """Cancel an order."""
        if self._orders:
            order = self._orders.pop(self._rng.randrange(len(self._orders)))
            self._buyer.cancel(order, self._rng.choice([None, "Changed my mind"]))

    # --- entities in turns ------------------------------------------------------------------------------------------

    def _keep(self, kind: str, body: Body) -> None:
        self._owned[kind] = [*self._owned[kind][-MOST:], body]

    def _replace(self, kind: str, write: Callable[[Body], Body]) -> None:
        owned = self._owned[kind]
        if owned:
            position = self._rng.randrange(len(owned))
            owned[position] = write(owned[position])

    def _remove(self, kind: str, owner: Owner) -> None:
        owned = self._owned[kind]
        if owned and owner.delete(kind, owned[-1]):
            owned.pop()


_WEIGHTS: dict[Callable[[Actor], None], int] = {
    Actor.order: 25,
    Actor.change_product: 15,
    Actor.change_post: 12,
    Actor.move_product: 12,
    Actor.create_product: 8,
    Actor.create_post: 8,
    Actor.trade: 6,
    Actor.cancel: 6,
    Actor.change_account: 6,
    Actor.welcome_guest: 4,
    Actor.part_with_guest: 3,
    Actor.delete_product: 3,
    Actor.delete_post: 3,
}
