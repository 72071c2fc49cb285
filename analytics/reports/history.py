"""Orders and buyers by day out of the roll-ups, read once for all that is said about a period.

"Counted" orders are those that revenue counts: not cancelled, failed or refunded.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Self

from django.db.models import Q, Sum

from analytics.daily import UNCOUNTED, DailyBuyers, DailyOrders
from analytics.reports.arithmetic import per, ratio
from analytics.reports.periods import DAY, Period

AVERAGED_DAYS = 7


@dataclass(slots=True)
class Totals:
    """Orders of a day or of several: all by status, and sums over the counted ones."""

    statuses: Counter[str] = field(default_factory=Counter)
    orders: int = 0
    units: int = 0
    revenue_cents: int = 0
    buyers: int = 0

    @property
    def placed(self) -> int:
        """Orders of any status."""
        return self.statuses.total()

    @property
    def cancelled(self) -> int:
        """Orders that are cancelled now."""
        return self.statuses["cancelled"]

    @property
    def average_order_cents(self) -> int | None:
        """Revenue for each counted order."""
        return per(self.revenue_cents, self.orders)

    @property
    def cancellation_rate(self) -> float | None:
        """Cancelled orders as a fraction of all."""
        return ratio(self.cancelled, self.placed)

    def count(self, status: str, orders: int, units: int, cents: int) -> None:
        """Add orders of one status."""
        self.statuses[status] += orders
        if status not in UNCOUNTED:
            self.orders += orders
            self.units += units
            self.revenue_cents += cents

    def add(self, other: Self) -> None:
        """Add what is not about people: a buyer of two days is one buyer."""
        self.statuses.update(other.statuses)
        self.orders += other.orders
        self.units += other.units
        self.revenue_cents += other.revenue_cents


@dataclass(frozen=True, slots=True)
class History:
    """A period, the equal one before it, and at least the six days before its first; days without orders are zero."""

    period: Period
    days: defaultdict[date, Totals]
    current: Totals
    previous: Totals

    def averages(self) -> Iterator[tuple[date, Totals, int]]:
        """Yield each day of the period with the average revenue of it and of the six days before."""
        for day in self.period.days():
            week = sum(self.days[day - number * DAY].revenue_cents for number in range(AVERAGED_DAYS))
            yield day, self.days[day], per(week, AVERAGED_DAYS) or 0


def history(period: Period) -> History:
    """Read a period and what it is compared with, in two queries."""
    read = Period(min(period.previous.start, period.start - (AVERAGED_DAYS - 1) * DAY), period.end)
    result = History(period, defaultdict(Totals), Totals(), Totals())
    _read_orders(result, read)
    _read_buyers(result, read)
    return result


def _read_orders(result: History, read: Period) -> None:
    rows = DailyOrders.objects.filter(day__gte=read.start, day__lt=read.end)
    for day, status, orders, units, cents in rows.values_list("day", "status", "orders", "units", "total_cents"):
        result.days[day].count(status, orders, units, cents)
    for period, totals in ((result.period, result.current), (result.period.previous, result.previous)):
        for day in period.days():
            totals.add(result.days[day])


def _read_buyers(result: History, read: Period) -> None:
    """A buyer of a period counts on the first day within it: the one whose day before lies before the period."""
    current, previous = result.period, result.period.previous
    rows = DailyBuyers.objects.filter(day__gte=read.start, day__lt=read.end).values("day")
    sums = rows.annotate(
        buyers=Sum("customers"),
        current=Sum("customers", filter=Q(day__gte=current.start, previous_day__lt=current.start), default=0),
        previous=Sum(
            "customers",
            filter=Q(day__gte=previous.start, day__lt=previous.end, previous_day__lt=previous.start),
            default=0,
        ),
    )
    for day, buyers, first, first_before in sums.values_list("day", "buyers", "current", "previous"):
        result.days[day].buyers = buyers
        result.current.buyers += first
        result.previous.buyers += first_before
