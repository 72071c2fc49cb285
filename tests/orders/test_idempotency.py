"""Idempotency-Key on POST /orders: what is sent twice is one order, and one answer (SPEC section 2)."""

import json
import threading
from collections import Counter
from typing import Any

import pytest
from django.http import HttpResponse

from orders import services
from tests.api import (
    ANYONE,
    VARIANT,
    answered,
    events_of,
    new_user,
    nothing_written,
    refused_fields,
)
from tests.concurrency import at_once
from tests.orders.buying import KEY, Shop, keys

pytestmark = pytest.mark.usefixtures("api")


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


# --- what is stored ---


def test_nothing_of_the_key_is_readable(shop: Shop) -> None:
    shop.buy()
    (kept,) = keys()
    assert KEY not in str(kept)
    assert shop.buyer.id not in kept["_id"]
