"""Several writers of the same customers and days at once: no deadlock that is not tried anew, and exact sums."""

import random
import threading
from typing import Any

import pytest
from django.db import connection, transaction

from analytics import writer
from analytics.attempts import persist
from analytics.daily import DailyOrders
from analytics.decoding import Event, decode
from analytics.models import Order
from tests.analytics.events import new_id, raw
from tests.analytics.rollups import recounted, stored
from tests.analytics.test_rollups import order

pytestmark = pytest.mark.django_db(transaction=True)

WRITERS, BATCHES, ORDERS = 4, 8, 12
DAYS = ("2026-01-31T23:00:00.000Z", "2026-02-01T01:00:00.000Z", "2026-02-02T12:00:00.000Z", "2026-03-05T12:00:00.000Z")
CUSTOMERS = [f"{number:024x}" for number in range(4)]


def orders_of(dice: random.Random) -> list[list[Event]]:
    """Return the batches of one writer: new orders, and cancellations of earlier ones among them."""
    placed: list[Any] = []
    batches = []
    for _ in range(BATCHES):
        batch = []
        for _ in range(ORDERS):
            if placed and dice.random() < 0.4:
                order_id, day, customer, lines = placed.pop(dice.randrange(len(placed)))
                batch.append(order(order_id, 2, day, customer, "cancelled", dice.choice([None, "Too late"]), lines))
                continue
            lines = [(dice.choice("ab") * 24, dice.choice("xy") * 24, None, 1 + dice.randrange(3)) for _ in range(3)]
            one = new_id(), dice.choice(DAYS), dice.choice(CUSTOMERS), lines
            placed.append(one)
            batch.append(order(one[0], 1, *one[1:3], "pending", None, lines))
        batches.append([decode("order", made["entity_id"].encode(), raw(made)) for made in batch])
    return batches


def write(batches: list[list[Event]], start: threading.Barrier, failures: list[BaseException]) -> None:
    """Write the batches as a consumer does, a transaction each."""
    try:
        start.wait()
        for batch in batches:
            persist(transaction.atomic(lambda batch=batch: writer.apply(batch)))
    except BaseException as error:
        failures.append(error)
        raise
    finally:
        connection.close()


@pytest.mark.parametrize("seed", range(3))
def test_writers_of_the_same_customers_and_days(seed: int, caplog: pytest.LogCaptureFixture) -> None:
    failures: list[BaseException] = []
    start = threading.Barrier(WRITERS)
    sides = [
        threading.Thread(target=write, args=(orders_of(random.Random(f"{seed} {number}")), start, failures))
        for number in range(WRITERS)
    ]
    for side in sides:
        side.start()
    for side in sides:
        side.join()
    assert failures == []
    assert Order.objects.count() > WRITERS * BATCHES * ORDERS / 2
    assert DailyOrders.objects.filter(status="cancelled").exists()
    assert stored() == recounted()
    assert not [record for record in caplog.records if "1213" in record.getMessage()]  # a deadlock
