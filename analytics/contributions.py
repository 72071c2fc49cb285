"""What rows contribute to the roll-ups (`daily.py`): one definition of each, restricted by ids or by days.

By ids the writer asks, which takes out what rows contributed before and puts in what they contribute after
(`rollups.py`); by days whoever goes through all of them (`rollup_verification.py`). What follows from the days of a
customer is in `rollup_customers.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Any, Final

from django.db import models
from django.db.models import Case, Count, F, Func, Q, Sum, Value, When
from django.db.models.functions import Coalesce, TruncDate
from django.db.models.lookups import GreaterThanOrEqual

from analytics.daily import (
    LOW,
    TIERS,
    UNCOUNTED,
    CustomerDay,
    DailyCancellations,
    DailyOrders,
    DailyPosts,
    DailySales,
    DailySupplierSales,
    DailyUsers,
    RollUp,
)
from analytics.fields import KeyField
from analytics.models import Order, OrderItem, Post, User
from analytics.sums import Sums
from analytics.tables import Table

Expressions = dict[str, Any]


class Exact(Func):
    """A text by its bytes: columns for people compare without regard to case, keys of roll-ups do not."""

    template = "%(expressions)s"

    def as_mysql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Name the collation of keys."""
        return self.as_sql(
            compiler, connection, template=f"%(expressions)s COLLATE {KeyField().collation(connection)}", **context
        )


@dataclass(frozen=True)
class Moment:
    """The column of the time that puts a row into a day, and the one that stands in where it is null."""

    column: str
    otherwise: str | None = None

    @property
    def day(self) -> TruncDate:
        """The day of the time, in UTC."""
        return TruncDate(Coalesce(self.column, self.otherwise) if self.otherwise else self.column, tzinfo=UTC)

    def within(self, first: date, last: date) -> Q:
        """Return the condition that a row belongs to the days from `first` to `last`; indexes serve it."""
        within = _between(self.column, first, last)
        if self.otherwise:
            within |= Q(**{self.column: None}) & _between(self.otherwise, first, last)
        return within


def _between(column: str, first: date, last: date) -> Q:
    between = Q(**{f"{column}__gte": datetime.combine(first, time(), UTC)})
    if last < date.max:
        between &= Q(**{f"{column}__lt": datetime.combine(last + timedelta(days=1), time(), UTC)})
    return between


@dataclass(frozen=True, eq=False)
class Contribution:
    """What rows of one table contribute to a roll-up: grouped by `keys`, they are summed up to `sums`.

    `ids` is the column of the entity's id, `moment` tells the day. Only rows count that fulfil `only` and not
    `without`, which may name `aliases`.
    """

    roll_up: type[RollUp]
    source: type[models.Model]
    ids: str
    moment: Moment
    keys: Expressions
    sums: Expressions
    aliases: Expressions = field(default_factory=dict)
    only: Q = Q()
    without: Q = Q(pk__in=[])

    @cached_property
    def table(self) -> Table:
        """The roll-up's table, with the keys before the sums."""
        return Table(self.roll_up, (*self.keys, *self.sums), key_columns=len(self.keys))

    def of(self, ids: Sequence[str]) -> Sums:
        """Return what the entities of these ids contribute."""
        return self.restricted(Q(**{f"{self.ids}__in": ids})) if ids else {}

    def within(self, first: date, last: date) -> Sums:
        """Return what the rows of these days contribute."""
        return self.restricted(self.moment.within(first, last))

    def restricted(self, scope: Q) -> Sums:
        """Return what the rows in the scope contribute. One whose time is none, as SQLite may hold it, has no day."""
        rows = self.source._default_manager.alias(**self.aliases).filter(scope, self.only).exclude(self.without)
        # Prefixed, lest they be taken for columns of the same name.
        keys, sums = _prefixed("key_", self.keys), _prefixed("sum_", self.sums)
        found = rows.values(**keys).annotate(**sums).values_list(*keys, *sums)
        size = len(keys)
        return {row[:size]: tuple(map(int, row[size:])) for row in found if None not in row}


def _prefixed(prefix: str, expressions: Expressions) -> Expressions:
    return {prefix + name: expression for name, expression in expressions.items()}


_CREATED: Final = Moment("created_at")
_PLACED: Final = Moment("order__created_at")
_PUBLISHED: Final = Moment("published_at", "created_at")


def _of_orders(roll_up: type[RollUp], keys: Expressions, sums: Expressions, **which: Q) -> Contribution:
    return Contribution(roll_up, Order, "pk", _CREATED, keys, sums, {"exact_status": Exact("status")}, **which)


def _of_lines(roll_up: type[RollUp], keys: Expressions, sums: Expressions) -> Contribution:
    status = {"exact_status": Exact("order__status")}
    return Contribution(roll_up, OrderItem, "order_id", _PLACED, keys, sums, status, without=_UNCOUNTED)


def _tier(views_per_like: int) -> Q:
    """Return the condition that there is a like for so many views. A float, because no product of it overflows."""
    return Q(GreaterThanOrEqual(F("like_count") * Value(float(views_per_like)), F("view_count")), view_count__gt=0)


_UNCOUNTED: Final = Q(exact_status__in=UNCOUNTED)

CUSTOMER_DAYS: Final = _of_orders(
    CustomerDay,
    {"customer_user_id": F("customer_user_id"), "day": _CREATED.day},
    {"orders": Count("*"), "revenue_cents": Sum("total_cents")},
    without=_UNCOUNTED,
)
_SALES: Final = _of_lines(
    DailySales,
    {
        "day": _PLACED.day,
        "product_id": F("product_id"),
        "variant_key": Exact(Coalesce("variant_name", Value(""))),
    },
    {"lines": Count("*"), "quantity": Sum("quantity"), "revenue_cents": Sum("total_cents")},
)
_SUPPLIER_SALES: Final = _of_lines(
    DailySupplierSales,
    {"day": _PLACED.day, "supplier_id": F("supplier_id")},
    {
        "orders": Count("order_id", distinct=True),
        "items_sold": Sum("quantity"),
        "revenue_cents": Sum("total_cents"),
    },
)
_CANCELLATIONS: Final = _of_orders(
    DailyCancellations,
    {"day": _CREATED.day, "reason": Exact(Coalesce("cancellation_reason", Value("")))},
    {"orders": Count("*")},
    only=Q(exact_status="cancelled"),
)
_ORDERS: Final = _of_orders(
    DailyOrders,
    {"day": _CREATED.day, "status": Exact("status")},
    {"orders": Count("*"), "units": Sum("item_count"), "total_cents": Sum("total_cents")},
)
_USERS: Final = Contribution(
    DailyUsers,
    User,
    "pk",
    _CREATED,
    {"day": _CREATED.day},
    {"sign_ups": Count("*"), "deleted": Count("deleted_at")},
)
_POSTS: Final = Contribution(
    DailyPosts,
    Post,
    "pk",
    _PUBLISHED,
    {
        "day": _PUBLISHED.day,
        "state": Case(
            When(deleted_at__isnull=False, then=Value(DailyPosts.DELETED)),
            When(published_at=None, then=Value(DailyPosts.DRAFT)),
            default=Value(DailyPosts.PUBLISHED),
        ),
        "tier": Case(
            When(Q(deleted_at__isnull=False) | Q(published_at=None), then=Value("")),
            *(When(_tier(views), then=Value(tier)) for tier, views in TIERS),
            default=Value(LOW),
        ),
    },
    {
        "posts": Count("*"),
        "views": Sum("view_count"),
        "likes": Sum("like_count"),
        "interactions": Sum("like_count") + Sum("comment_count") + Sum("share_count") + Sum("save_count"),
    },
)

# By entity, in the order in which they are written.
CONTRIBUTIONS: Final[dict[str, tuple[Contribution, ...]]] = {
    "user": (_USERS,),
    "order": (CUSTOMER_DAYS, _SALES, _SUPPLIER_SALES, _CANCELLATIONS, _ORDERS),
    "post": (_POSTS,),
}
