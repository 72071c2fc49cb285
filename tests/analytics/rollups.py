"""The roll-ups as they are stored, and as they must be: counted here in plain Python, row by row of the tables."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

from django.db import models

from analytics.daily import (
    NEVER,
    UNCOUNTED,
    Customer,
    CustomerDay,
    DailyBuyers,
    DailyCancellations,
    DailyOrders,
    DailyPosts,
    DailySales,
    DailySupplierSales,
    DailyUsers,
    MonthlyCohorts,
)
from analytics.models import Order, OrderItem, Post, User

Sums = dict[tuple[Any, ...], tuple[int, ...]]
# By table, with the number of columns in the key.
TABLES: dict[type[models.Model], int] = {
    DailyUsers: 1,
    CustomerDay: 2,
    DailySales: 3,
    DailySupplierSales: 2,
    DailyCancellations: 2,
    DailyOrders: 2,
    DailyBuyers: 2,
    MonthlyCohorts: 2,
    DailyPosts: 3,
}


def stored() -> dict[str, Any]:
    """Return all roll-ups: sums by key, and the first days of customers who have one."""
    found: dict[str, Any] = {}
    for model, size in TABLES.items():
        columns = [field.attname for field in model._meta.concrete_fields if field.column]
        rows = model._default_manager.values_list(*columns)
        found[model._meta.db_table] = {row[:size]: row[size:] for row in rows}
    first_days = Customer.objects.exclude(first_day=None)
    return found | {"customers": dict(first_days.values_list("customer_user_id", "first_day"))}


def recounted() -> dict[str, Any]:
    """Return the roll-ups that the rows stand for."""
    days = _days()
    buyers: Counter[Any] = Counter()
    cohorts: Counter[Any] = Counter()
    for ordered in days.values():
        buyers.update(zip(ordered, [NEVER, *ordered[:-1]], strict=True))
        cohorts.update({(month(ordered[0]), month(day)) for day in ordered})
    return {model._meta.db_table: _summed(rows()) for model, rows in _CONTRIBUTIONS.items()} | {
        "daily_buyers": {key: (count,) for key, count in buyers.items()},
        "monthly_cohorts": {key: (count,) for key, count in cohorts.items()},
        "customers": {customer: ordered[0] for customer, ordered in days.items()},
    }


def month(day: date) -> date:
    return day.replace(day=1)


def utc(moment: datetime) -> date:
    return moment.astimezone(UTC).date()


def _summed(contributions: Iterator[tuple[tuple[Any, ...], tuple[int, ...]]]) -> Sums:
    found: Sums = {}
    for key, values in contributions:
        found[key] = tuple(map(sum, zip(found[key], values, strict=True))) if key in found else values
    return {key: values for key, values in found.items() if any(values)}


def _counted() -> Iterator[Order]:
    return (order for order in Order.objects.all() if order.status not in UNCOUNTED)


def _days() -> dict[str, list[date]]:
    """Return the days with counted orders of each customer, in order."""
    found: dict[str, set[date]] = {}
    for order in _counted():
        found.setdefault(order.customer_user_id, set()).add(utc(order.created_at))
    return {customer: sorted(days) for customer, days in found.items()}


def _users() -> Iterator[Any]:
    for user in User.objects.all():
        yield (utc(user.created_at),), (1, int(user.deleted_at is not None))


def _customer_days() -> Iterator[Any]:
    for order in _counted():
        yield (order.customer_user_id, utc(order.created_at)), (1, order.total_cents)


def _lines() -> Iterator[tuple[Order, OrderItem]]:
    for order in _counted():
        for line in OrderItem.objects.filter(order=order):
            yield order, line


def _sales() -> Iterator[Any]:
    for order, line in _lines():
        key = utc(order.created_at), line.product_id, line.variant_name or ""
        yield key, (1, line.quantity, line.total_cents)


def _supplier_sales() -> Iterator[Any]:
    seen = set()
    for order, line in _lines():
        is_new = (order.pk, line.supplier_id) not in seen
        seen.add((order.pk, line.supplier_id))
        yield (utc(order.created_at), line.supplier_id), (int(is_new), line.quantity, line.total_cents)


def _cancellations() -> Iterator[Any]:
    for order in Order.objects.all():
        if order.status == "cancelled":
            yield (utc(order.created_at), order.cancellation_reason or ""), (1,)


def _orders() -> Iterator[Any]:
    for order in Order.objects.all():
        yield (utc(order.created_at), order.status), (1, order.item_count, order.total_cents)


def _posts() -> Iterator[Any]:
    for post in Post.objects.all():
        interactions = post.like_count + post.comment_count + post.share_count + post.save_count
        key = utc(post.published_at or post.created_at), *_state(post)
        yield key, (1, post.view_count, post.like_count, interactions)


def _state(post: Post) -> tuple[str, str]:
    if post.deleted_at:
        return "deleted", ""
    if not post.published_at:
        return "draft", ""
    percent = 100 * post.like_count / post.view_count if post.view_count else 0
    return "published", "viral" if percent >= 10 else "high" if percent >= 5 else "medium" if percent >= 2 else "low"


_CONTRIBUTIONS: dict[type[models.Model], Callable[[], Iterator[Any]]] = {
    DailyUsers: _users,
    CustomerDay: _customer_days,
    DailySales: _sales,
    DailySupplierSales: _supplier_sales,
    DailyCancellations: _cancellations,
    DailyOrders: _orders,
    DailyPosts: _posts,
}
