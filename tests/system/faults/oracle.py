"""The oracle: what the tables must hold, folded from the answers of the API and nothing else.

Two kinds of products keep the fold simple. Of most, only their owner writes, so the last answer is the whole truth.
Traded ones are bought by everybody: of them, quantities, counts and the version are added up from all acknowledged
writes, so a lost or doubled one shows in the sums.
"""

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

Body = dict[str, Any]
Entity = tuple[str, str]

# What a deletion leaves: a marked row, or none.
MARKED = ("user", "post")


@dataclass
class State:
    """An entity after its last acknowledged write."""

    body: Body
    version: int
    is_deleted: bool = False
    # Whether `updated_at` of the body is that of the last write.
    is_newest: bool = True


@dataclass
class Trade:
    """The fold of a traded product: where it began, the newest body seen, and what has been bought since."""

    first: Body
    newest: Body
    version: int
    sold: Counter[str | None] = field(default_factory=Counter)

    def add(self, items: list[Body], direction: int) -> None:
        """Count one more write: the lines of an order that was placed (1) or cancelled (-1)."""
        self.version += 1
        for item in items:
            self.sold[item["product_snapshot"]["variant_name"]] += direction * item["quantity"]

    def state(self) -> State:
        """Return what all writes together come to."""
        variants = {
            key: variant | {"quantity": variant["quantity"] - self.sold[key]}
            for key, variant in self.first["variants"].items()
        }
        stats = self.first["stats"] | {"purchase_count": self.sold.total()}
        body = self.newest | {"variants": variants, "stats": stats}
        return State(body, self.version, is_newest=self.newest["version"] == self.version)


class Oracle:
    """All entities, as the driver's threads report them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._states: dict[Entity, State] = {}
        self._trades: dict[str, Trade] = {}
        self._log: list[Entity] = []

    def wrote(self, kind: str, body: Body) -> None:
        """Take the answer to a write of an entity that nobody else writes."""
        with self._lock:
            self._put((kind, body["id"]), State(body, body["version"]))

    def deleted(self, kind: str, identifier: str) -> None:
        """Take an acknowledged deletion. A supplier's takes its products along."""
        with self._lock:
            self._delete((kind, identifier))
            if kind == "supplier":
                for entity in self._products_of(identifier):
                    self._delete(entity)

    def trades(self, body: Body) -> None:
        """Let a product, just published, be bought from now on."""
        with self._lock:
            self._trades[body["id"]] = Trade(body, body, body["version"])

    def owner_changed(self, body: Body) -> None:
        """Take the answer to the owner's write of a traded product, or a later reading that shows that write."""
        with self._lock:
            trade = self._trades[body["id"]]
            trade.newest = max(trade.newest, body, key=lambda one: int(one["version"]))
            trade.version += 1
            self._log.append(("product", body["id"]))

    def ordered(self, body: Body) -> None:
        """Take a placed order, with what it took from the products."""
        self._order(body, 1)

    def cancelled(self, body: Body) -> None:
        """Take a cancelled order, with what it gave back."""
        self._order(body, -1)

    def state(self, entity: Entity) -> State | None:
        """Return what an entity must look like; None for one that must not exist."""
        with self._lock:
            trade = self._trades.get(entity[1])
            return trade.state() if trade else self._states.get(entity)

    def entities(self) -> set[Entity]:
        """Return all entities that there ever were."""
        with self._lock:
            return set(self._states)

    @property
    def writes(self) -> int:
        """How many versions of entities the API has acknowledged."""
        return len(self._log)

    def written(self, start: int) -> dict[Entity, int]:
        """Return the entities that were written after the first `start` writes, with their versions by now."""
        with self._lock:
            return {entity: self._version(entity) for entity in self._log[start:]}

    def _version(self, entity: Entity) -> int:
        trade = self._trades.get(entity[1])
        return trade.version if trade else self._states[entity].version

    def _order(self, body: Body, direction: int) -> None:
        with self._lock:
            self._put(("order", body["id"]), State(body, body["version"]))
            for product in {item["product_snapshot"]["product_id"] for item in body["items"]}:
                lines = [item for item in body["items"] if item["product_snapshot"]["product_id"] == product]
                self._trades[product].add(lines, direction)
                self._log.append(("product", product))

    def _put(self, entity: Entity, state: State) -> None:
        self._states[entity] = state
        self._log.append(entity)

    def _delete(self, entity: Entity) -> None:
        state = self._states[entity]
        state.version += 1
        state.is_deleted = True
        self._log.append(entity)

    def _products_of(self, supplier: str) -> list[Entity]:
        return [
            entity
            for entity, state in self._states.items()
            if entity[0] == "product" and state.body["supplier_id"] == supplier and not state.is_deleted
        ]
