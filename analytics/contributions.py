"""What rows contribute to the roll-ups (`daily.py`): the one definition, for rows that are being written and for all.

In Python and over rows, not as SQL that groups: so the writer need not read back what it has just written, and keys
compare by their bytes, which columns for people do not do on MySQL. What follows from the days of a customer, and not
from single orders, is in `rollup_customers.py`.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Final

from analytics.columns import Row
from analytics.daily import (
    UNCOUNTED,
    CustomerDay,
    DailyCancellations,
    DailyOrders,
    DailyPosts,
    DailySales,
    DailySupplierSales,
    DailyUsers,
    tier_of,
)
from analytics.sums import Key, Sheet, Sums, Values

# A row, by the columns that its source names, and its children.
Entry = tuple[Row, list[Row]]
Counted = Iterator[tuple[Key, Values]]


@dataclass(frozen=True, eq=False)
class Contribution(Sheet):
    """What entities contribute to a roll-up: `count` gives keys, also repeatedly, and what to add to their sums."""

    count: Callable[[Iterable[Entry]], Counted]

    def of(self, entries: Iterable[Entry]) -> Sums:
        """Return what the entities contribute together."""
        found: dict[Key, list[int]] = {}
        for key, values in self.count(entries):
            if sums := found.get(key):
                for position, value in enumerate(values):
                    sums[position] += value
            else:
                found[key] = list(values)
        return {key: tuple(values) for key, values in found.items()}


@lru_cache(maxsize=1024)  # the orders of a batch are mostly of one day, but each has a time of its own
def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def day_of(stored: Any) -> date | None:
    """Return the day of a time in UTC or a date: the text that is written, or what a driver gives. Else None."""
    if isinstance(stored, str):
        return _date(stored[:10])
    return stored.date() if isinstance(stored, datetime) else stored if isinstance(stored, date) else None


def _number(stored: Any) -> int:
    """Return a number as it is stored; SQLite holds any type in any column."""
    return stored if isinstance(stored, int) else 0


USER_COLUMNS: Final = ("created_at", "deleted_at")


def _users(entries: Iterable[Entry]) -> Counted:
    for (created_at, deleted_at), _ in entries:
        if day := day_of(created_at):
            yield (day,), (1, int(deleted_at is not None))


ORDER_COLUMNS: Final = (
    "created_at",
    "status",
    "customer_user_id",
    "item_count",
    "total_cents",
    "cancellation_reason",
)
LINE_COLUMNS: Final = ("product_id", "supplier_id", "variant_name", "quantity", "total_cents")


def _customer_days(entries: Iterable[Entry]) -> Counted:
    for (placed_at, status, customer, _, total, _), _ in entries:
        if status not in UNCOUNTED and (day := day_of(placed_at)):
            yield (customer, day), (1, _number(total))


def _sales(entries: Iterable[Entry]) -> Counted:
    for (placed_at, status, *_), lines in entries:
        if status not in UNCOUNTED and (day := day_of(placed_at)):
            for product, _, variant, quantity, total in lines:
                yield (day, product, variant or ""), (1, _number(quantity), _number(total))


def _supplier_sales(entries: Iterable[Entry]) -> Counted:
    for (placed_at, status, *_), lines in entries:
        if status not in UNCOUNTED and (day := day_of(placed_at)):
            seen = set()
            for _, supplier, _, quantity, total in lines:
                yield (day, supplier), (int(supplier not in seen), _number(quantity), _number(total))
                seen.add(supplier)


def _cancellations(entries: Iterable[Entry]) -> Counted:
    for (placed_at, status, *_, reason), _ in entries:
        if status == "cancelled" and (day := day_of(placed_at)):
            yield (day, reason or ""), (1,)


def _orders(entries: Iterable[Entry]) -> Counted:
    for (placed_at, status, _, units, total, _), _ in entries:
        if day := day_of(placed_at):
            yield (day, status), (1, _number(units), _number(total))


POST_COLUMNS: Final = (
    "created_at",
    "published_at",
    "deleted_at",
    "view_count",
    "like_count",
    "comment_count",
    "share_count",
    "save_count",
)


def _posts(entries: Iterable[Entry]) -> Counted:
    for (created_at, published_at, deleted_at, *counts), _ in entries:
        if day := day_of(published_at or created_at):
            views, likes, *others = map(_number, counts)
            key = day, *_state(published_at, deleted_at, views, likes)
            yield key, (1, views, likes, likes + sum(others))


def _state(published_at: Any, deleted_at: Any, views: int, likes: int) -> tuple[str, str]:
    """Return a post's state and tier."""
    if deleted_at is not None:
        return DailyPosts.DELETED, ""
    if published_at is None:
        return DailyPosts.DRAFT, ""
    return DailyPosts.PUBLISHED, tier_of(views, likes)


CUSTOMER_DAYS: Final = Contribution(
    CustomerDay, ("customer_user_id", "day"), ("orders", "revenue_cents"), _customer_days
)

# By entity, in the order in which they are written.
CONTRIBUTIONS: Final[dict[str, tuple[Contribution, ...]]] = {
    "user": (Contribution(DailyUsers, ("day",), ("sign_ups", "deleted"), _users),),
    "order": (
        CUSTOMER_DAYS,
        Contribution(DailySales, ("day", "product_id", "variant_key"), ("lines", "quantity", "revenue_cents"), _sales),
        Contribution(
            DailySupplierSales, ("day", "supplier_id"), ("orders", "items_sold", "revenue_cents"), _supplier_sales
        ),
        Contribution(DailyCancellations, ("day", "reason"), ("orders",), _cancellations),
        Contribution(DailyOrders, ("day", "status"), ("orders", "units", "total_cents"), _orders),
    ),
    "post": (Contribution(DailyPosts, ("day", "state", "tier"), ("posts", "views", "likes", "interactions"), _posts),),
}
