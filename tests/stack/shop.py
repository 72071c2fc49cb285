"""The API as clients see it through a proxy that ends TLS, and a customer who never stops buying."""

import http.client
import json
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

from tests.stack.project import HOST

PASSWORD = "correct horse battery"  # noqa: S105
PROXIED = {"Host": HOST, "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}
ADDRESS = {"street_address_1": "1 Mill Road", "city": "Portland", "state": "OR", "zip_code": "97201", "country": "US"}
PAUSE = 0.2


class Shop:
    """One client of the API on a port of this host."""

    def __init__(self, port: int) -> None:
        self._port = port

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        """Return status and body of an answer; the body as it is when it is no JSON. Raises OSError, HTTPException."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        try:
            sent = None if body is None else json.dumps(body)
            json_type = {} if body is None else {"Content-Type": "application/json"}
            connection.request(method, path, sent, PROXIED | json_type | (headers or {}))
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        is_json = answer.getheader("Content-Type", "").startswith("application/json")
        return answer.status, json.loads(text) if is_json else text.decode(errors="replace")

    def get(self, what: str, path: str, body: Any = None, token: str = "", **headers: str) -> Any:
        """Return the body of an answer that has to be a good one; POST where there is a body. Raises RuntimeError."""
        bearer = {"Authorization": f"Bearer {token}"} if token else {}
        status, answer = self.ask("GET" if body is None else "POST", path, body, bearer | headers)
        if status >= 300:
            raise RuntimeError(f"{what}: {status} {answer}")
        return answer

    def log_in(self, email: str, account: str, password: str = PASSWORD) -> str:
        """Return an access token."""
        body = {"email": email, "password": password, "account": account}
        return str(self.get(f"log-in of {email}", "/auth/token", body)["access"])

    def order(self, token: str, product: str, key: str) -> Any:
        """Buy a piece. The same key buys it once."""
        ship_to = {"recipient_name": "Ada", **ADDRESS}
        body = {"items": [{"product_id": product, "quantity": 1}], "shipping_address": ship_to}
        return self.get("an order", "/orders", body, token, **{"Idempotency-Key": key})


class Customer(threading.Thread):
    """Buys a piece five times a second, and asks again with the same key for as long as no good answer comes.

    A token lasts for 15 minutes, longer than it has to.
    """

    def __init__(self, shop: Shop, token: str, product: str) -> None:
        super().__init__(daemon=True)
        self.orders: list[str] = []
        self.refusals = 0
        self._buy: Callable[[str], Any] = lambda key: shop.order(token, product, key)
        self._is_done = threading.Event()

    def run(self) -> None:
        while not self._is_done.is_set():
            self.orders.append(self._insist(uuid.uuid4().hex))
            self._is_done.wait(PAUSE)

    def finish(self) -> None:
        """Stop after the order that is under way. Raises RuntimeError when that one gets no answer."""
        self._is_done.set()
        self.join(60)
        if self.is_alive():
            raise RuntimeError("the API has taken no order for a minute")

    def wait_for(self, more: int, seconds: float = 60) -> None:
        """Wait until so many more orders have been taken. Raises RuntimeError."""
        wanted, deadline = len(self.orders) + more, time.monotonic() + seconds
        while len(self.orders) < wanted:
            if time.monotonic() > deadline or not self.is_alive():
                raise RuntimeError(f"{more} more orders were not taken within {seconds:g} s")
            time.sleep(0.05)  # a list has no event

    def _insist(self, key: str) -> str:
        while True:
            try:
                return str(self._buy(key)["id"])
            except (OSError, http.client.HTTPException, RuntimeError):
                self.refusals += 1
                time.sleep(PAUSE)
