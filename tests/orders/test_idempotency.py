"""Idempotency-Key on POST /orders: one order, whatever is sent twice and wherever the process dies (SPEC section 2)."""

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pymongo
import pytest
from django.conf import settings
from django.http import HttpResponse

from marketplace import mongo
from marketplace.api import idempotency
from marketplace.callers import Caller
from orders import services
from tests.api import (
    ANYONE,
    NOBODY,
    PLAIN_PRODUCT,
    VARIANT,
    Api,
    Json,
    answered,
    events_of,
    new_product,
    new_supplier,
    new_user,
    nothing_written,
    order_body,
    refused_fields,
)
from tests.concurrency import at_once

pytestmark = pytest.mark.usefixtures("api")

KEY = "0d1e4f6c-order-of-ada"


class Shop:
    """A product with ten pieces, and a buyer."""

    def __init__(self) -> None:
        self.supplier, self.buyer = new_supplier(), new_user()
        product = new_product(self.supplier, of=PLAIN_PRODUCT, variants={"Red": VARIANT | {"quantity": 10}})
        self.id = product["id"]

    def body(self, quantity: int = 1) -> Json:
        return order_body({"product_id": self.id, "variant_name": "Red", "quantity": quantity})

    def buy(self, body: Json = None, *, by: Api | None = None, key: str = KEY) -> HttpResponse:
        return (by or self.buyer)("POST", "/orders", body or self.body(), Idempotency_Key=key)

    @property
    def left(self) -> int:
        return self.supplier.get(f"/products/{self.id}")["variants"]["Red"]["quantity"]

    @property
    def orders(self) -> list[Json]:
        return self.buyer.get("/orders")


@pytest.fixture
def shop(api: None) -> Shop:
    return Shop()


def keys() -> list[mongo.Stored]:
    return list(mongo.database()[idempotency.COLLECTION].find())


def headers(answer: HttpResponse) -> dict[str, str]:
    """Return the headers that belong to the answer itself, not to the request."""
    of_the_request = {"X-Request-ID", "RateLimit", "Idempotent-Replayed"}
    return {name: value for name, value in answer.items() if name not in of_the_request}


# --- the same key again ---


def test_the_same_request_again_answers_the_same(shop: Shop) -> None:
    first, second, third = (shop.buy() for _ in range(3))
    assert answered(first, 201)["items"][0]["quantity"] == 1
    assert "Idempotent-Replayed" not in first
    for again in (second, third):
        assert (again.status_code, again.content) == (201, first.content)
        assert headers(again) == headers(first)
        assert again["Location"] == f"/orders/{first.json()['id']}"
        assert again["ETag"] == '"1"'
        assert again["Idempotent-Replayed"] == "true"
    assert len(shop.orders) == 1
    assert shop.left == 9
    assert [event["event_type"] for event in events_of(first.json()["id"])] == ["order.created"]


def test_the_answer_stays_the_first_when_the_order_has_changed(shop: Shop) -> None:
    first = shop.buy()
    shop.buyer.post(f"/orders/{first.json()['id']}/cancel")
    again = shop.buy()
    assert (again.content, again["ETag"]) == (first.content, '"1"')


def test_a_body_that_is_written_differently_is_the_same(shop: Shop) -> None:
    first = shop.buy()
    written = json.dumps(dict(reversed(shop.body().items())), indent=2).encode()
    again = shop.buyer("POST", "/orders", written, Idempotency_Key=KEY)
    assert again.content == first.content


def test_the_key_with_another_body_is_refused(shop: Shop) -> None:
    shop.buy()
    with nothing_written():
        refused = refused_fields(answered(shop.buy(shop.body(2)), 422))
    assert list(refused) == ["Idempotency-Key"]


def test_another_key_is_another_order(shop: Shop) -> None:
    shop.buy()
    assert "Idempotent-Replayed" not in shop.buy(key="another")
    assert len(shop.orders) == 2


def test_another_user_with_the_same_key_is_independent(shop: Shop) -> None:
    bob = new_user()
    first, of_bob = shop.buy(), shop.buy(by=bob)
    assert "Idempotent-Replayed" not in of_bob
    assert of_bob.json()["customer"]["user_id"] == bob.id
    assert shop.buy(by=bob).content == of_bob.content
    assert shop.buy().content == first.content
    assert shop.left == 8


def test_without_a_key_nothing_is_kept(shop: Shop) -> None:
    shop.buyer.post("/orders", shop.body(), status=201)
    shop.buyer.post("/orders", shop.body(), status=201)
    assert len(shop.orders) == 2
    assert keys() == []


@pytest.mark.parametrize("key", ["k", "k" * 128, 'with blanks and ~ "quotes"'])
def test_keys_that_are_taken(shop: Shop, key: str) -> None:
    first = shop.buy(key=key)
    assert answered(first, 201)
    assert shop.buy(key=key).content == first.content


@pytest.mark.parametrize("key", ["", "k" * 129, "tab\there", "schl\u00fcssel", "\x7f"])
def test_keys_that_are_refused(shop: Shop, key: str) -> None:
    with nothing_written():
        assert list(refused_fields(answered(shop.buy(key=key), 422))) == ["Idempotency-Key"]
    assert keys() == []


# --- refusals ---


def test_a_refused_body_is_an_answer_that_is_kept(shop: Shop) -> None:
    first = shop.buy({"items": []})
    assert "items" in refused_fields(answered(first, 422))
    again = shop.buy({"items": []})
    assert (again.status_code, again.content, again["Idempotent-Replayed"]) == (422, first.content, "true")
    assert "ETag" not in again


def test_a_lack_of_stock_is_an_answer_that_is_kept(shop: Shop) -> None:
    first = shop.buy(shop.body(11))
    assert answered(first, 409)["code"] == "INSUFFICIENT_STOCK"
    shop.supplier.patch(f"/products/{shop.id}", {"variants": {"Red": VARIANT | {"quantity": 20}}})
    again = shop.buy(shop.body(11))
    assert (again.status_code, again.content, again["Idempotent-Replayed"]) == (409, first.content, "true")
    assert shop.left == 20


def test_what_never_claims_a_key(shop: Shop, settings: Any) -> None:
    assert shop.buyer("POST", "/orders", b"{", Idempotency_Key=KEY).status_code == 422
    assert ANYONE("POST", "/orders", shop.body(), Idempotency_Key=KEY).status_code == 401
    assert shop.supplier("POST", "/orders", shop.body(), Idempotency_Key=KEY).status_code == 403
    assert shop.buyer("POST", "/orders", b"x", content_type="text/plain", Idempotency_Key=KEY).status_code == 415
    settings.MAX_BODY_BYTES = 10
    assert shop.buy().status_code == 413
    assert keys() == []


def test_a_failure_of_ours_frees_the_key(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch, nothing_written():
        patch.setattr(services, "CROCKFORD", "")  # a defect
        assert shop.buy().status_code == 500
    assert keys() == []
    assert "Idempotent-Replayed" not in shop.buy()
    assert shop.left == 9


# --- at once ---


def test_simultaneous_requests_make_one_order(shop: Shop) -> None:
    found = at_once(20, lambda _: shop.buy())
    (order,) = shop.orders
    assert shop.left == 9
    assert Counter(one.status_code for one in found).keys() <= {201, 409}
    made = [one for one in found if one.status_code == 201]
    assert {one.json()["id"] for one in made} == {order["id"]}
    assert sum("Idempotent-Replayed" not in one for one in made) == 1
    for refused in found:
        if refused.status_code == 409:
            assert answered(refused, 409)["code"] == "STATE_CONFLICT"
            assert refused["Retry-After"] == "1"


def test_the_first_still_running_is_a_conflict(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first stands still in its transaction while the others come."""
    entered, go_on = threading.Event(), threading.Event()
    record = services.record

    def record_slowly(*args: Any, **kwargs: Any) -> Any:
        entered.set()
        assert go_on.wait(10)
        return record(*args, **kwargs)

    monkeypatch.setattr(services, "record", record_slowly)
    answers: list[HttpResponse] = []
    first = threading.Thread(target=lambda: answers.append(shop.buy()))
    first.start()
    assert entered.wait(10)
    conflict = shop.buy()
    assert answered(conflict, 409)["code"] == "STATE_CONFLICT"
    assert "Idempotent-Replayed" not in conflict
    assert answered(shop.buy(shop.body(2)), 422)["code"] == "VALIDATION_ERROR"
    go_on.set()
    first.join()
    assert shop.buy().content == answers[0].content


def test_a_slow_request_whose_key_was_taken_over_leaves_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    order_create = services.order_create
    taken_over: list[HttpResponse] = []

    def order_create_late(**order: Any) -> mongo.Stored:
        monkeypatch.setattr(services, "order_create", order_create)
        unlock()
        taken_over.extend(at_once(1, lambda _: shop.buy()))
        return order_create(**order)

    monkeypatch.setattr(services, "order_create", order_create_late)
    slow = shop.buy()
    assert answered(slow, 409)["code"] == "STATE_CONFLICT"
    (order,) = shop.orders
    assert order == answered(taken_over[0], 201)
    assert shop.left == 9
    assert shop.buy().content == taken_over[0].content


def test_of_several_only_one_takes_a_dead_key_over(shop: Shop) -> None:
    buy_and_die(shop, "reserved")
    unlock()
    found = at_once(8, lambda _: shop.buy())
    assert sum(one.status_code == 201 and "Idempotent-Replayed" not in one for one in found) == 1
    assert len(shop.orders) == 1
    assert shop.left == 9


# --- processes that die ---

DEATHS = {
    "reserved": "services.order_create = lambda **order: os._exit(9)",
    "before the commit": "Claim.keep = lambda claim, answer: (keep(claim, answer), os._exit(9))",
    "before the answer": "services.order_create = lambda **order: (order_create(**order), os._exit(9))",
}
PROCESS = """
import os, sys
import django
django.setup()
from marketplace.api.idempotency import Claim
from orders import services
from tests.api import Api
order_create, keep = services.order_create, Claim.keep
{death}
_, user, key, body = sys.argv
Api(**{{"X-User-ID": user}})("POST", "/orders", body.encode(), Idempotency_Key=key)
"""


def buy_and_die(shop: Shop, death: str) -> None:
    """Send the order in a process that dies on the way, without any cleaning up."""
    environment = {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "ALLOWED_HOSTS": "testserver",
        "TRUST_IDENTITY_HEADERS": "true",
        "MONGODB_URL": settings.MONGODB_URL,
        "DATABASE_NAME": settings.DATABASE_NAME,
    }
    script = PROCESS.format(death=DEATHS[death])
    command = [sys.executable, "-c", script, shop.buyer.id, KEY, json.dumps(shop.body())]
    done = subprocess.run(command, cwd=settings.BASE_DIR, env=os.environ | environment, capture_output=True, text=True)
    assert done.returncode == 9, done.stderr


def unlock() -> None:
    """Let the locks of all keys end."""
    past = datetime.now(UTC) - timedelta(seconds=1)
    mongo.database()[idempotency.COLLECTION].update_many({"state": "running"}, {"$set": {"locked_until": past}})


@pytest.fixture
def impatient_mongod(mongodb: str) -> Iterator[None]:
    """A MongoDB that gives transactions up whose process is gone after a second instead of a minute."""
    parameter = "transactionLifetimeLimitSeconds"
    admin = mongo.client().admin
    before = admin.command("getParameter", **{parameter: 1})[parameter]
    admin.command("setParameter", **{parameter: 1})
    yield
    admin.command("setParameter", **{parameter: before})


def test_a_process_that_dies_with_the_key(shop: Shop) -> None:
    buy_and_die(shop, "reserved")
    assert shop.orders == []
    locked = shop.buy()
    assert answered(locked, 409)["code"] == "STATE_CONFLICT"
    assert locked["Retry-After"] == "1"
    unlock()
    again = shop.buy()
    assert answered(again, 201)
    assert "Idempotent-Replayed" not in again
    assert shop.buy().content == again.content
    assert shop.left == 9


@pytest.mark.usefixtures("impatient_mongod")
def test_a_process_that_dies_before_the_commit(shop: Shop) -> None:
    buy_and_die(shop, "before the commit")
    (kept,) = keys()
    assert (kept["state"], shop.orders) == ("running", [])
    unlock()
    deadline = time.monotonic() + 30
    while (again := shop.buy()).status_code == 503:  # what the dead transaction has locked
        assert time.monotonic() < deadline
    assert answered(again, 201)
    assert "Idempotent-Replayed" not in again
    assert len(shop.orders) == 1
    assert shop.left == 9


def test_a_process_that_dies_before_the_answer(shop: Shop) -> None:
    buy_and_die(shop, "before the answer")
    (order,) = shop.orders
    again = shop.buy()
    assert answered(again, 201) == order
    assert again["Idempotent-Replayed"] == "true"
    assert again["Location"] == f"/orders/{order['id']}"
    assert len(shop.orders) == 1
    assert shop.left == 9


# --- the stored key ---


def claimed(key: str = KEY) -> idempotency.Claim:
    claim = idempotency.reserve(Caller("user", NOBODY), key, {})
    assert isinstance(claim, idempotency.Claim)
    return claim


ANSWER = idempotency.KeptAnswer(201, {}, b"{}")


def test_a_key_is_freed_after_the_deadline_too(mongodb: str) -> None:
    claim = claimed()
    with pymongo.timeout(1e-9):
        with pytest.raises(pymongo.errors.PyMongoError):
            keys()
        claim.release()
    assert keys() == []


def test_only_the_own_claim_is_freed_and_only_while_it_runs(mongodb: str) -> None:
    first = claimed()
    unlock()
    second = claimed()
    first.release()
    assert [one["owner"] for one in keys()] == [second.owner]
    with pytest.raises(idempotency.StillRunningError):
        first.keep(ANSWER)
    second.keep(ANSWER)
    second.release()
    assert [one["state"] for one in keys()] == ["done"]


def test_a_key_is_taken_over_from_the_holder_that_was_seen(mongodb: str) -> None:
    first = claimed()
    unlock()
    second = claimed()
    past = datetime.now(UTC) - timedelta(seconds=1)
    late = idempotency.Claim(first.id, "somebody")
    with pytest.raises(idempotency.StillRunningError):
        late.take_over(first.owner, past)
    second.keep(ANSWER)
    with pytest.raises(idempotency.StillRunningError):
        late.take_over(second.owner, past)
    assert [one["owner"] for one in keys()] == [second.owner]


def test_a_claim_is_locked_for_as_long_as_a_request_may_work(mongodb: str, settings: Any) -> None:
    settings.MONGODB_TIMEOUT_MS = 60_000
    claimed()
    (kept,) = keys()
    assert 60 < (kept["locked_until"] - datetime.now(UTC)).total_seconds() <= 61


def test_nothing_of_the_key_is_readable(shop: Shop) -> None:
    shop.buy()
    (kept,) = keys()
    assert KEY not in str(kept)
    assert shop.buyer.id not in kept["_id"]


def test_mongodb_removes_keys_after_a_day(mongodb: str) -> None:
    claimed()
    (kept,) = keys()
    hours = (kept["expires_at"] - datetime.now(UTC)).total_seconds() / 3600
    assert 23.9 < hours <= 24
    indexes = mongo.database()[idempotency.COLLECTION].index_information()
    assert [one.get("expireAfterSeconds") for one in indexes.values() if one["key"] == [("expires_at", 1)]] == [0]
