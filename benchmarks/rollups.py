"""What the roll-ups cost a batch of new orders: beside writing none, and beside counting the touched day anew.

The other way is SQL at its best: only the tables by day, without customers, buyers and cohorts. Batches are rolled
back, so that a day keeps its length.
"""

import importlib
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

from bson import ObjectId
from django.db import connection, transaction

from analytics import rollups, writer
from analytics.decoding import Event, decode
from analytics.models import (
    Customer,
    CustomerDay,
    DailyBuyers,
    DailyOrders,
    DailySales,
    DailySupplierSales,
    MonthlyCohorts,
)
from benchmarks.consumer import BATCH, empty_tables
from benchmarks.events import order_events, stored_order
from benchmarks.report import OURS, Row, Speed, compare, interleaved, show

LENGTHS: Final = (1_000, 10_000, 100_000)  # orders of the day before the batch
NONE: Final = "no roll-ups"
ANEW: Final = "the day counted anew"
PRODUCTS: Final = [(str(ObjectId()), str(ObjectId())) for _ in range(1_000)]
CUSTOMERS: Final = [str(ObjectId()) for _ in range(20_000)]
_TABLES: Final = (Customer, CustomerDay, DailyBuyers, DailyOrders, DailySales, DailySupplierSales, MonthlyCohorts)
# The statements that fill these tables for a range of days.
_FILLING: Final = importlib.import_module("analytics.migrations.0008_fill_daily_tables")
_BY_DAY: Final = (DailyOrders, DailySales, DailySupplierSales)
_COUNTING: Final = [
    statement
    for _, _, statement in _FILLING.BY_MONTH
    if statement.split()[2] in [one._meta.db_table for one in _BY_DAY]
]


def roll_ups(rounds: int) -> list[Row]:
    """Compare the three at each length of a day."""
    rows = []
    for length in LENGTHS:
        _empty()
        for _ in range(0, length, BATCH):
            with transaction.atomic():
                writer.apply(_batch())
        sides = {OURS: lambda: _timed(_ours), NONE: lambda: _timed(_none), ANEW: lambda: _timed(_anew)}
        speeds = interleaved(sides, rounds)
        what = f"{BATCH} orders on a day of {length:,}, {connection.display_name}"
        show(what, speeds)
        rows += [compare(what, speeds, NONE, at_least=None), compare(what, speeds, ANEW, at_least=None)]
    _empty()
    return rows


def _empty() -> None:
    empty_tables()
    for model in _TABLES:
        model._default_manager.all().delete()


def _batch() -> list[Event]:
    """Return new orders of today: customers by chance, few products sold often and many seldom."""
    now = datetime.now(UTC)
    made = order_events(stored_order() | {"updated_at": now.replace(hour=12)}, BATCH)
    return [_varied(decode("order", one["key"].encode(), one["payload"])) for one in made]


def _varied(event: Event) -> Event:
    child = event.decoder.child
    if event.row is None or child is None:
        raise RuntimeError("an order has a row and lines")
    event.row[event.decoder.columns.index("customer_user_id")] = random.choice(CUSTOMERS)
    for line in event.children:
        product, supplier = PRODUCTS[min(int(random.paretovariate(1)), len(PRODUCTS)) - 1]
        line[child.columns.index("product_id")] = product
        line[child.columns.index("supplier_id")] = supplier
    return event


def _timed(write: Callable[[list[Event]], None]) -> Speed:
    batch = _batch()
    begun = time.perf_counter()
    with transaction.atomic():
        write(batch)
        seconds = time.perf_counter() - begun
        transaction.set_rollback(True)
    return Speed(BATCH / seconds)


def _ours(batch: list[Event]) -> None:
    writer.apply(batch)


def _none(batch: list[Event]) -> None:
    with _without_roll_ups():
        writer.apply(batch)


def _anew(batch: list[Event]) -> None:
    _none(batch)
    today = datetime.now(UTC).date()
    with connection.cursor() as cursor:
        for model in _BY_DAY:
            cursor.execute(f"DELETE FROM {model._meta.db_table} WHERE day = %s", [today])  # noqa: S608  # our names
    for statement in _COUNTING:
        _FILLING.execute(connection, statement, {"first": str(today), "last": f"{today} 23:59:59.999999"})


@contextmanager
def _without_roll_ups() -> Iterator[None]:
    sources = dict(rollups.SOURCES)
    rollups.SOURCES.clear()
    yield
    rollups.SOURCES.update(sources)
