"""How people become customers, and whether they stay: sign-ups with a first order, and monthly cohorts."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Final, NamedTuple

from django.db.models import Count, F, OuterRef, Q, Subquery
from django.db.models.functions import TruncDate

from analytics.daily import Customer, DailyUsers, MonthlyCohorts
from analytics.models import User
from analytics.reports.arithmetic import ratio
from analytics.reports.periods import DAY, Period
from analytics.reports.report import Column, Question, Report, Row

FIRST_DAYS: Final = 7


def new_users(question: Question) -> Iterator[Row]:
    """Yield a row for each day of the range, out of one query on the users who signed up in it."""
    found = _sign_ups(question.days)
    for day in question.days.days():
        signed_up, ordered = found.get(day, (0, 0))
        yield {
            "day": day,
            "sign_ups": signed_up,
            "first_orders_within_7_days": ordered,
            "share": ratio(ordered, signed_up),
            "is_complete": question.today - day > FIRST_DAYS * DAY,
        }


def _sign_ups(days: Period) -> dict[date, tuple[int, int]]:
    """Return for each day with sign-ups how many there were, and how many of these had a first order in time."""
    since, until = days.moments
    first_day = Customer.objects.filter(pk=OuterRef("user_id")).values("first_day")
    users = User.objects.filter(created_at__gte=since, created_at__lt=until).annotate(
        day=TruncDate("created_at"), first_day=Subquery(first_day[:1])
    )
    in_time = Q(first_day__gte=F("day"), first_day__lte=TruncDate(F("created_at") + FIRST_DAYS * DAY))
    sums = users.values("day").annotate(all=Count("pk"), ordered=Count("pk", filter=in_time)).order_by()
    return {day: (signed_up, ordered) for day, signed_up, ordered in sums.values_list("day", "all", "ordered")}


class SignUps(NamedTuple):
    """How many users signed up: on each day of a period and of the equal one before, and in these two as a whole."""

    by_day: Mapping[date, int]
    sums: tuple[int, int]


def sign_ups(period: Period) -> SignUps:
    """Return the sign-ups of the period and of the equal one before, in one query."""
    previous = period.previous
    rows = DailyUsers.objects.filter(day__gte=previous.start, day__lt=period.end)
    by_day = Counter(dict(rows.values_list("day", "sign_ups")))
    current, before = (sum(by_day[day] for day in days.days()) for days in (period, previous))
    return SignUps(by_day, (current, before))


def cohorts(question: Question) -> Iterator[Row]:
    """Yield each cohort's months up to this one, oldest cohort first."""
    last = question.today.replace(day=1)
    found: defaultdict[date, dict[date, int]] = defaultdict(dict)
    oldest = _month(last, 1 - question.months)
    rows = MonthlyCohorts.objects.filter(cohort__gte=oldest, cohort__lte=last).order_by("cohort")
    for cohort, month, customers in rows.values_list("cohort", "month", "customers"):
        found[cohort][month] = customers
    for cohort, months in found.items():
        size = months.get(cohort, 0)
        for number in range(_months_between(cohort, last) + 1):
            month = _month(cohort, number)
            yield {
                "cohort": cohort,
                "month": month,
                "month_number": number,
                "size": size,
                "customers": months.get(month, 0),
                "retention": ratio(months.get(month, 0), size),
            }


def _month(first: date, later: int) -> date:
    """Return the first day of the month so many months later."""
    years, month = divmod(first.month - 1 + later, 12)
    return date(first.year + years, month + 1, 1)


def _months_between(first: date, last: date) -> int:
    return 12 * (last.year - first.year) + last.month - first.month


NEW_USERS = Report(
    "new-users",
    "New users",
    "Users by the day they signed up, and how many of them placed a first order within a week.",
    (
        Column("day", "day", "The day (UTC) of the sign-ups."),
        Column("sign_ups", "count", "How many users signed up on the day, those who are deleted since included."),
        Column(
            "first_orders_within_7_days",
            "count",
            "How many of them have a first counted order that was placed on that day or on one of the seven after it.",
        ),
        Column("share", "ratio", "These divided by the sign-ups; null without sign-ups.", is_nullable=True),
        Column("is_complete", "flag", "Whether the seven days are over; until then the share can still grow."),
    ),
    new_users,
)

COHORTS = Report(
    "cohorts",
    "Cohorts",
    "Customers by the month of their first counted order, and how many of them ordered again in each month since;"
    " the cohorts of the newest months (12 unless asked otherwise).",
    (
        Column("cohort", "month", "The month (UTC) of the customers' first counted order."),
        Column("month", "month", "The month in which they ordered."),
        Column("month_number", "count", "How many months that is after the first; 0 is the first itself."),
        Column("size", "count", "How many customers the cohort has."),
        Column("customers", "count", "How many of them have a counted order in the month."),
        Column("retention", "ratio", "These divided by the cohort's size."),
    ),
    cohorts,
    ("months",),
)
