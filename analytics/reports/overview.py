"""The `dashboard` report: totals, statuses and the newest of each of the five entities, in one answer.

JSON has it as one object (`overview`), CSV as rows of the same values (`rows`).
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from django.db.models import Case, Count, Exists, Model, OuterRef, Q, QuerySet, Sum, Value, When

from analytics.daily import DailyOrders, DailyPosts, DailyUsers
from analytics.models import Order, Post, Product, Supplier, User
from analytics.reports.history import Totals
from analytics.reports.periods import Period
from analytics.reports.report import Column, Question, Report, Row

RECENT: Final = 5

_DELETED_USER = Case(When(deleted_at=None, then=Value("active")), default=Value("deleted"))
_STATE = Case(
    When(deleted_at__isnull=False, then=Value(DailyPosts.DELETED)),
    When(published_at=None, then=Value(DailyPosts.DRAFT)),
    default=Value(DailyPosts.PUBLISHED),
)
_SELLING = Case(
    When(Exists(Product.objects.filter(supplier_id=OuterRef("pk"), status="active")), then=Value("selling")),
    default=Value("not_selling"),
)


def overview(question: Question) -> dict[str, dict[str, Any]]:
    """Return the whole answer as one object, in eleven queries."""
    days = question.days
    return {
        "users": _users(days) | _recent(User.objects.annotate(status=_DELETED_USER), "display_name"),
        "suppliers": _rows(Supplier.objects.annotate(status=_SELLING), days)
        | _recent(Supplier.objects.annotate(status=_SELLING), "legal_name", "country"),
        "products": _rows(Product.objects.all(), days) | _recent(Product.objects.all(), "name", "base_price_cents"),
        "orders": _orders(days) | _recent(Order.objects.all(), "order_number", "customer_display_name", "total_cents"),
        "posts": _posts(days) | _recent(Post.objects.annotate(status=_STATE), "post_type", "author_display_name"),
    }


def _part(total: int, in_range: int, by_status: Mapping[str, int]) -> dict[str, Any]:
    there = {status: count for status, count in sorted(by_status.items()) if count}
    return {"total": total, "in_range": in_range, "by_status": there}


def _users(days: Period) -> dict[str, Any]:
    within = Q(day__gte=days.start, day__lt=days.end)
    sums = DailyUsers.objects.aggregate(
        total=Sum("sign_ups", default=0),
        gone=Sum("deleted", default=0),
        in_range=Sum("sign_ups", filter=within, default=0),
    )
    statuses = {"active": sums["total"] - sums["gone"], "deleted": sums["gone"]}
    return _part(sums["total"], sums["in_range"], statuses)


def _rows(rows: QuerySet[Any], days: Period) -> dict[str, Any]:
    """Count the rows of a table that has no roll-up: suppliers and products are few."""
    since, until = days.moments
    within = Q(created_at__gte=since, created_at__lt=until)
    counts = rows.values("status").annotate(total=Count("pk"), in_range=Count("pk", filter=within)).order_by()
    found = list(counts.values_list("status", "total", "in_range"))
    return _part(
        sum(total for _, total, _ in found),
        sum(in_range for *_, in_range in found),
        {status: total for status, total, _ in found},
    )


def _orders(days: Period) -> dict[str, Any]:
    within = Q(day__gte=days.start, day__lt=days.end)
    ever, in_range = Totals(), Totals()
    for totals, groups in ((ever, DailyOrders.objects.all()), (in_range, DailyOrders.objects.filter(within))):
        sums = groups.values_list("status").annotate(Sum("orders"), Sum("units"), Sum("total_cents")).order_by()
        for status, orders, units, cents in sums:
            totals.count(status, orders, units, cents)
    revenue = {"revenue_cents": ever.revenue_cents, "revenue_cents_in_range": in_range.revenue_cents}
    return _part(ever.placed, in_range.placed, ever.statuses) | revenue


def _posts(days: Period) -> dict[str, Any]:
    within = Q(day__gte=days.start, day__lt=days.end)
    sums = DailyPosts.objects.values("state").annotate(
        total=Sum("posts"), in_range=Sum("posts", filter=within, default=0)
    )
    statuses, in_range = Counter[str](), 0
    for state, total, of_range in sums.order_by().values_list("state", "total", "in_range"):
        statuses[state] += total
        in_range += of_range
    return _part(statuses.total(), in_range, statuses)


def _recent(rows: QuerySet[Any], *columns: str) -> dict[str, list[dict[str, Any]]]:
    model: type[Model] = rows.model
    key = model._meta.pk.name
    newest = rows.order_by("-created_at", "-pk").values(key, *columns, "status", "created_at")
    return {"recent": list(newest[:RECENT])}


def rows(question: Question) -> Iterator[Row]:
    """Yield the values of the object one by one."""
    for entity, part in overview(question).items():
        for measure, value in part.items():
            for name, single in _flat(value):
                yield {"entity": entity, "measure": measure, "name": name, "value": single}


def _flat(value: Any) -> Iterator[tuple[str | None, Any]]:
    """Yield named values: those of a map by their names, those of the newest rows by id and column."""
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        for row in value:
            (_, entity_id), *columns = row.items()
            yield from ((f"{entity_id}.{column}", single) for column, single in columns)
    else:
        yield None, value


DASHBOARD = Report(
    "dashboard",
    "Overview",
    "Users, suppliers, products, orders and posts: how many there are, how many are new in the range, what they are"
    " now, and the newest five of each.",
    (
        Column("entity", "text", "users, suppliers, products, orders or posts."),
        Column(
            "measure",
            "text",
            "total: how many there are now, of all time; deleted users and posts count, deleted suppliers and products"
            " are gone. in_range: those that were made in the range (posts: published, or made for drafts)."
            " by_status: how many are in each status now (suppliers: selling with an active product, else not_selling)."
            " revenue_cents, revenue_cents_in_range: the sum of the totals of orders that are not cancelled, failed or"
            " refunded. recent: the five that were made last.",
        ),
        Column(
            "name", "text", "The status, or the id and the column of a recent one; null for a sum.", is_nullable=True
        ),
        Column(
            "value", "text", "The value: a count, cents, or of recent ones what the column holds.", is_nullable=True
        ),
    ),
    rows,
)
