"""Which share of a day's orders was cancelled, and for what reasons."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date
from typing import Final

from analytics.daily import DailyCancellations
from analytics.reports.history import history
from analytics.reports.periods import Period
from analytics.reports.report import Column, Question, Report, Row

NO_REASON: Final = "none given"


def cancellation_rate(question: Question) -> Iterator[Row]:
    """Yield a row for each day of the range."""
    found, given = history(question.days), reasons(question.days)
    for day in question.days.days():
        totals = found.days[day]
        yield {
            "day": day,
            "orders": totals.placed,
            "cancelled": totals.cancelled,
            "cancellation_rate": totals.cancellation_rate,
            "reasons": dict(sorted(given[day].items())),
        }


def reasons(period: Period) -> defaultdict[date, Counter[str]]:
    """Return how many orders of each day were cancelled for which reason."""
    found: defaultdict[date, Counter[str]] = defaultdict(Counter)
    rows = DailyCancellations.objects.filter(day__gte=period.start, day__lt=period.end)
    for day, reason, orders in rows.values_list("day", "reason", "orders"):
        found[day][reason or NO_REASON] += orders
    return found


CANCELLATION_RATE = Report(
    "cancellation-rate",
    "Cancellation rate",
    "Orders by the day they were placed, and how many of them are cancelled by now, whenever that was.",
    (
        Column("day", "day", "The day (UTC) on which the orders were placed."),
        Column("orders", "count", "How many orders were placed on the day, whatever became of them."),
        Column("cancelled", "count", "How many of them are cancelled now."),
        Column(
            "cancellation_rate", "ratio", "Cancelled orders divided by orders; null without orders.", is_nullable=True
        ),
        Column("reasons", "counts", f"How many were cancelled for each reason; `{NO_REASON}` stands for none."),
    ),
    cancellation_rate,
)
