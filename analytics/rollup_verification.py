"""Compares the roll-ups with the rows that they stand for, and makes them right; knows nothing of MongoDB.

A portion (a day, some customers, a cohort) is one short transaction that locks the topic's consumers out first, so rows
and roll-ups are of one moment. What orders, users and posts contribute is counted anew by the definition that the
writer uses. What follows from customers' days is counted by SQL over `customer_days`, which have been looked at before.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any, Final

from django.db import transaction
from django.db.models import Count, Min, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import TruncDate, TruncMonth

from analytics import offsets
from analytics.attempts import persist
from analytics.contributions import CONTRIBUTIONS, CUSTOMER_DAYS, Contribution
from analytics.daily import NEVER, Customer, CustomerDay
from analytics.decoding import EntityDecoder
from analytics.models import Order
from analytics.rollup_customers import BUYERS, COHORTS, CUSTOMERS
from analytics.rollups import SOURCES
from analytics.sums import Key, Sheet, Sums, Values, added, difference, in_order, write

# Entities that are read at once, and customers in a portion.
ENTITIES: Final = 1000
CUSTOMERS_AT_ONCE: Final = 500
NAMED: Final = 5

Portion = Callable[[], "list[Difference]"]


@dataclass(frozen=True, slots=True)
class Difference:
    """A key of a roll-up whose sums are not what the rows say."""

    table: str
    key: Key
    found: Values | date | None
    expected: Values | date | None

    def __str__(self) -> str:
        found = "is missing" if self.found is None else f"is {_told(self.found)}"
        expected = "must not be there" if self.expected is None else f"must be {_told(self.expected)}"
        return f"{self.table} {_told(self.key)} {found}, {expected}"


def _told(value: Any) -> str:
    return "/".join(map(str, value)) if isinstance(value, tuple) else str(value)


@dataclass
class Findings:
    """How many keys the roll-ups of an entity have, how many of each table are wrong, and the first of those."""

    keys: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    first: list[Difference] = field(default_factory=list)
    mended: int = 0

    @property
    def wrong(self) -> int:
        """How many keys are still wrong."""
        return self.counts.total() - self.mended

    def __str__(self) -> str:
        if not self.counts:
            return "all right"
        counts = ", ".join(f"{number:,} of {table} wrong" for table, number in sorted(self.counts.items()))
        first = "; ".join(map(str, self.first)) + ("; ..." if self.counts.total() > len(self.first) else "")
        return f"{counts} ({first})" + (f"; {self.mended:,} mended" if self.mended else "")

    def add(self, differences: list[Difference], *, mended: bool) -> None:
        """Count those of a portion."""
        self.counts.update(difference.table for difference in differences)
        self.first += differences[: max(0, NAMED - len(self.first))]
        self.mended += len(differences) if mended else 0


class RollUpVerification:
    """Goes through the roll-ups of one entity's rows, and makes them right if `repair` says so.

    `progress` hears of each portion. Raises django.db's exceptions; the portions before are done then.
    """

    def __init__(self, decoder: EntityDecoder, *, repair: bool, progress: Callable[[], object] = lambda: None) -> None:
        self._decoder = decoder
        self._daily = [one for one in CONTRIBUTIONS[decoder.projection.entity] if one is not CUSTOMER_DAYS]
        self._repair = repair
        self._progress = progress
        self._keys = 0

    def run(self) -> Findings:
        """Compare everything."""
        findings = Findings()
        for portion in self._portions():
            findings.add(persist(partial(self._locked, portion)), mended=self._repair)
            findings.keys += self._keys
            self._progress()
        return findings

    @transaction.atomic
    def _locked(self, portion: Portion) -> list[Difference]:
        self._keys = 0
        offsets.lock_topic(self._decoder.projection.entity)
        return portion()

    def _portions(self) -> Iterator[Portion]:
        day = self._next_day(date.min)
        while day:
            yield partial(self._day, day)
            day = self._next_day(day + timedelta(days=1)) if day < date.max else None
        if CUSTOMER_DAYS in CONTRIBUTIONS[self._decoder.projection.entity]:
            yield from self._customer_portions()

    def _customer_portions(self) -> Iterator[Portion]:
        last = ""
        while ids := _customers_after(last):
            yield partial(self._customers, last, ids[-1])
            last = ids[-1]
        for day in _days(BUYERS, "day", lambda day: day):
            yield partial(self._counted, BUYERS, Q(day=day), partial(_buyers, day))
        for day in _days(COHORTS, "cohort", _last_of):
            month = day.replace(day=1), _last_of(day)
            yield partial(self._counted, COHORTS, Q(cohort__range=month), partial(_cohorts, *month))

    def _day(self, day: date) -> list[Difference]:
        rows = self._decoder.projection.model._default_manager.filter(_of_day(self._decoder, day))
        expected = _contributed(self._decoder, self._daily, rows)
        return [
            wrong
            for contribution in self._daily
            for wrong in self._compared(contribution, contribution.stored(Q(day=day)), expected[contribution])
        ]

    def _customers(self, after: str, end: str) -> list[Difference]:
        scope = Q(customer_user_id__gt=after, customer_user_id__lte=end)
        expected = _contributed(self._decoder, [CUSTOMER_DAYS], Order.objects.filter(scope))[CUSTOMER_DAYS]
        wrong = self._compared(CUSTOMER_DAYS, CUSTOMER_DAYS.stored(scope), expected)
        return wrong + self._first_days(scope, expected)

    def _first_days(self, scope: Q, customer_days: Sums) -> list[Difference]:
        expected: dict[str, date] = {}
        for customer, day in customer_days:
            expected[customer] = min(day, expected.get(customer, day))
        rows = Customer.objects.filter(scope).exclude(first_day=None)
        found: dict[str, date | None] = dict(rows.values_list("customer_user_id", "first_day"))
        self._keys += len(found.keys() | expected.keys())
        wrong = sorted(one for one in found.keys() | expected.keys() if found.get(one) != expected.get(one))
        if self._repair:
            CUSTOMERS.upsert([[one, expected.get(one)] for one in wrong])
        table = Customer._meta.db_table
        return [Difference(table, (one,), found.get(one), expected.get(one)) for one in wrong]

    def _counted(self, sheet: Sheet, scope: Q, count: Callable[[], Sums]) -> list[Difference]:
        return self._compared(sheet, sheet.stored(scope), count())

    def _compared(self, sheet: Sheet, found: Sums, expected: Sums) -> list[Difference]:
        keys = found.keys() | expected.keys()
        self._keys += len(keys)
        wrong = in_order(key for key in keys if found.get(key) != expected.get(key))
        if self._repair:
            write(sheet, difference(found, expected))
            sheet.table.delete_zeros([list(key) for key in wrong if key not in expected])
        table = sheet.roll_up._meta.db_table
        return [Difference(table, key, found.get(key), expected.get(key)) for key in wrong]

    def _next_day(self, start: date) -> date | None:
        """Return the first day from `start` on that has rows, or roll-ups of them."""
        rows = self._decoder.projection.model._default_manager
        from_then = datetime.combine(start, time(), UTC)
        days = [
            rows.filter(**{f"{column}__gte": from_then})
            .order_by(column)
            .values_list(TruncDate(column, tzinfo=UTC), flat=True)
            .first()
            for column in _moments(self._decoder)
        ]
        days += [_first(contribution, "day", start) for contribution in self._daily]
        return min(filter(None, days), default=None)


def _moments(decoder: EntityDecoder) -> tuple[str, ...]:
    """Return the columns whose first one that is not null puts a row into its day."""
    return ("published_at", "created_at") if decoder.projection.entity == "post" else ("created_at",)


def _of_day(decoder: EntityDecoder, day: date) -> Q:
    found, nulls = Q(), Q()
    for column in _moments(decoder):
        found |= nulls & _within(column, day)
        nulls &= Q(**{column: None})
    return found


def _within(column: str, day: date) -> Q:
    start = datetime.combine(day, time(), UTC)
    until = Q() if day == date.max else Q(**{f"{column}__lt": start + timedelta(days=1)})
    return Q(**{f"{column}__gte": start}) & until


def _contributed(
    decoder: EntityDecoder, contributions: Iterable[Contribution], rows: "QuerySet[Any]"
) -> dict[Contribution, Sums]:
    """Return what the rows contribute to each. They are read in parts, so memory holds no more than their ids."""
    ids = list(rows.values_list("pk", flat=True))
    found: dict[Contribution, Sums] = {one: {} for one in contributions}
    for start in range(0, len(ids), ENTITIES):
        entries = SOURCES[decoder].stored(ids[start : start + ENTITIES])
        for contribution, sums in found.items():
            for key, values in contribution.of(entries).items():
                sums[key] = added(sums[key], values) if key in sums else values
    return found


def _customers_after(last: str) -> list[str]:
    """Return the next customers of orders and of roll-ups."""
    found: set[str] = set()
    for model in (Order, CustomerDay, Customer):
        rows = model._default_manager.filter(customer_user_id__gt=last).order_by("customer_user_id")
        found.update(rows.values_list("customer_user_id", flat=True).distinct()[:CUSTOMERS_AT_ONCE])
    return sorted(found)[:CUSTOMERS_AT_ONCE]


def _days(sheet: Sheet, column: str, end: Callable[[date], date]) -> Iterator[date]:
    """Yield the first day that has something to count, or has been counted; then the first one after its `end`, ..."""
    start = date.min
    while day := min(filter(None, [_first(CUSTOMER_DAYS, "day", start), _first(sheet, column, start)]), default=None):
        yield day
        if end(day) == date.max:
            return
        start = end(day) + timedelta(days=1)


def _first(sheet: Sheet, column: str, start: date) -> date | None:
    rows: QuerySet[Any] = sheet.roll_up._default_manager.filter(**{f"{column}__gte": start})
    found: date | None = rows.aggregate(first=Min(column))["first"]
    return found


def _last_of(month: date) -> date:
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1) if month < _LAST else date.max


_LAST: Final = date.max.replace(day=1)


def _buyers(day: date) -> Sums:
    """Count the customers of a day by their day before that."""
    before = CustomerDay.objects.filter(customer_user_id=OuterRef("customer_user_id"), day__lt=day)
    rows = CustomerDay.objects.filter(day=day).values(previous=Subquery(before.order_by("-day").values("day")[:1]))
    counts = rows.annotate(n=Count("*")).values_list("previous", "n")
    return {(day, known or NEVER): (n,) for known, n in counts}


def _cohorts(first: date, last: date) -> Sums:
    """Count the customers whose first month this is, by month."""
    customers = Customer.objects.filter(first_day__range=(first, last)).values("pk")
    rows = CustomerDay.objects.filter(customer_user_id__in=customers).values(month=TruncMonth("day"))
    counts = rows.annotate(n=Count("customer_user_id", distinct=True)).values_list("month", "n")
    return {(first, month): (n,) for month, n in counts}
