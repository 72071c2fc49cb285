"""Traded products, and orders of them: what many clients write at the same time."""

import random
import threading
import uuid
from collections.abc import Callable

from tests.system.faults.calls import Account, Answer, Body, UnknownOutcomeError
from tests.system.faults.oracle import Oracle

_SHIPPING = {
    "recipient_name": "Ada Lovelace",
    "phone": "+43 1 234",
    "street_address_1": "Ring 1",
    "street_address_2": "Door 4",
    "city": "Vienna",
    "state": "Vienna",
    "zip_code": "1010",
    "country": "AT",
}


class Market:
    """The products that everybody may buy."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._products: list[Body] = []

    def offer(self, product: Body) -> None:
        with self._lock:
            self._products.append(product)

    def lines(self, rng: random.Random) -> list[Body]:
        """Return one to three lines of an order, now and then two of one product."""
        with self._lock:
            chosen = rng.choices(self._products, k=rng.randint(1, 3))
        return [_line(rng, product) for product in chosen]


def _line(rng: random.Random, product: Body) -> Body:
    name = rng.choice([None, *product["variants"]]) if product["variants"] else None
    return {"product_id": product["id"], "quantity": rng.randint(1, 3)} | ({"variant_name": name} if name else {})


class Buyer:
    """A user who orders and cancels."""

    def __init__(self, account: Account, oracle: Oracle) -> None:
        self._account = account
        self._oracle = oracle

    def order(self, lines: list[Body]) -> Body | None:
        """Place an order, again with the same Idempotency-Key while its outcome is unknown. Return it if it stands."""
        key = str(uuid.uuid4())
        body = {"items": lines, "shipping_address": _SHIPPING}
        answer = self._account.client.session.until_known(lambda: self._attempt(body, key))
        if answer.status == 201:
            self._oracle.ordered(answer.body)
            return dict(answer.body)
        if answer.code not in ("INSUFFICIENT_STOCK", "VALIDATION_ERROR"):
            self._account.client.session.complain(f"order answered {answer.status}: {answer.body}")
        return None

    def _attempt(self, body: Body, key: str) -> Answer:
        answer = self._account.call("POST", "/orders", body, Idempotency_Key=key)
        if answer.code == "STATE_CONFLICT":
            raise UnknownOutcomeError("the first try with this key is still running")
        return answer

    def cancel(self, order: Body, reason: str | None) -> bool:
        """Cancel an order. Return whether it is cancelled."""
        path = f"/orders/{order['id']}"
        try:
            answer = self._account.call("POST", f"{path}/cancel", {"reason": reason}, If_Match='"1"')
        except UnknownOutcomeError:
            answer = self._account.ask("GET", path)
            if answer.body["status"] != "cancelled":
                return False
        if answer.status != 200:
            self._account.client.session.complain(f"cancel {order['id']} answered {answer.status}: {answer.body}")
            return False
        self._oracle.cancelled(answer.body)
        return True


class Trader:
    """The owner of a traded product, who changes what buyers do not: name, price, status."""

    def __init__(self, account: Account, oracle: Oracle, product: Body) -> None:
        self._account = account
        self._oracle = oracle
        self._product = product

    def change(self, changes: Body) -> None:
        """Change name or price; the name must be a new one, by which an unknown outcome is found out."""
        self._write("PATCH", "", changes, lambda body: body["name"] == changes["name"])

    def act(self, action: str, status: str) -> bool:
        """Move the product to a status by an action. Return whether it got there."""
        return self._write("POST", f"/{action}", {}, lambda body: body["status"] == status)

    @property
    def status(self) -> str:
        """The product's status, which nobody else changes."""
        return str(self._product["status"])

    def _write(self, method: str, suffix: str, changes: Body, is_done: Callable[[Body], bool]) -> bool:
        path = f"/products/{self._product['id']}"
        try:
            answer = self._account.call(method, path + suffix, changes)
        except UnknownOutcomeError:
            answer = self._account.ask("GET", path)
            if not is_done(answer.body):
                return False
        if answer.status != 200:
            self._account.client.session.complain(f"{method} {path}{suffix} answered {answer.status}: {answer.body}")
            return False
        self._product = answer.body
        self._oracle.owner_changed(answer.body)
        return True
