"""Roll-ups that follow from the days on which a customer has counted orders: the first one, buyers, cohorts.

What an order changes here depends on the customer's other orders, so it is read, changed and written. Who does that
locks the customers first, in the order of their ids, by an upsert: it takes the exclusive lock at once, on rows that
are there and on those that it adds. What is read after that, at READ COMMITTED, is what the writer before has
committed. A row of `customers` is never deleted, so the lock that others wait for stays.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from itertools import pairwise
from typing import Final

from analytics.contributions import CUSTOMER_DAYS, day_of
from analytics.daily import NEVER, Customer, DailyBuyers, MonthlyCohorts
from analytics.sums import Key, Sheet, Sums, Values, added, write
from analytics.tables import Table

CUSTOMERS: Final = Table(Customer, ("customer_user_id", "first_day"))
BUYERS: Final = Sheet(DailyBuyers, ("day", "previous_day"), ("customers",))
COHORTS: Final = Sheet(MonthlyCohorts, ("cohort", "month"), ("customers",))

# The days of one customer, in order.
Days = list[date]


def change(changes: Sums) -> None:
    """Change customers' days, and what follows from them. Runs in the transaction that wrote the orders."""
    first_days = _first_days(changes)
    customers = sorted(first_days, key=repr)
    CUSTOMERS.fill([[customer, first_days[customer]] for customer in customers])
    before = _stored(customers)
    after = _changed(before, changes)
    write(CUSTOMER_DAYS, changes)
    _follow({customer: (_days(before[customer]), _days(after[customer])) for customer in customers})


def _first_days(changes: Sums) -> dict[str, date | None]:
    """Return the first of the days that are added to each customer: it is the first at all of who has none so far."""
    found: dict[str, date | None] = dict.fromkeys(customer for customer, _ in changes)
    for (customer, day), (orders, _) in changes.items():
        if orders > 0:
            found[customer] = min(day, found[customer] or day)
    return found


Totals = dict[date, Values]


def _stored(customers: list[str]) -> dict[str, Totals]:
    """Return what there is of the customers by day."""
    found: dict[str, Totals] = {customer: {} for customer in customers}
    for customer, stored, *totals in CUSTOMER_DAYS.table.of(customers):
        if day := day_of(stored):
            found[customer][day] = tuple(totals)
    return found


def _changed(before: dict[str, Totals], changes: Sums) -> dict[str, Totals]:
    """Return the totals as they are after the changes."""
    after = {customer: dict(totals) for customer, totals in before.items()}
    for (customer, day), more in changes.items():
        totals = after[customer].get(day)
        after[customer][day] = added(totals, more) if totals else more
    return after


def _days(totals: Totals) -> Days:
    return sorted(day for day, values in totals.items() if any(values))


def _follow(customers: dict[str, tuple[Days, Days]]) -> None:
    """Write what follows from the days that customers had and have."""
    changed = {customer: days for customer, days in customers.items() if days[0] != days[1]}
    buyers: Counter[Key] = Counter()
    cohorts: Counter[Key] = Counter()
    for before, after in changed.values():
        buyers.subtract(_purchases(before))
        buyers.update(_purchases(after))
        cohorts.subtract(_months(before))
        cohorts.update(_months(after))
    CUSTOMERS.upsert(
        [
            [customer, after[0] if after else None]
            for customer, (before, after) in changed.items()
            if before and before[:1] != after[:1]
        ]
    )
    write(BUYERS, _without_zeros(buyers))
    write(COHORTS, _without_zeros(cohorts))


def _purchases(days: Days) -> Iterable[Key]:
    """Return the keys of DailyBuyers under which the customer counts: each day, with the one before."""
    return [(day, before) for before, day in pairwise([NEVER, *days])]


def _months(days: Days) -> Iterable[Key]:
    """Return the keys of MonthlyCohorts under which the customer counts."""
    return {(days[0].replace(day=1), day.replace(day=1)) for day in days}


def _without_zeros(counts: Counter[Key]) -> Sums:
    return {key: (count,) for key, count in counts.items() if count}
