"""Claims of an Idempotency-Key whose holder is late or dead: one order all the same."""

import json
import os
import subprocess
import sys
import time
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
from tests.api import NOBODY, answered
from tests.concurrency import at_once
from tests.orders.buying import KEY, Shop, keys, unlock


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


def test_mongodb_removes_keys_after_a_day(mongodb: str) -> None:
    claimed()
    (kept,) = keys()
    hours = (kept["expires_at"] - datetime.now(UTC)).total_seconds() / 3600
    assert 23.9 < hours <= 24
    indexes = mongo.database()[idempotency.COLLECTION].index_information()
    assert [one.get("expireAfterSeconds") for one in indexes.values() if one["key"] == [("expires_at", 1)]] == [0]
