"""What bulk-loaded rows contribute to the roll-ups: the product's definition, loaded instead of added row by row."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from operator import itemgetter
from typing import Any

from analytics import contributions, rollup_customers
from analytics.contributions import CONTRIBUTIONS, CUSTOMER_DAYS
from analytics.daily import Customer, DailyBuyers, MonthlyCohorts
from benchmarks.bulk_rows import COLUMNS, Row

Load = Callable[[str, Sequence[str], Iterable[Sequence[Any]]], None]
Pick = Callable[[Row], Row]


def _picker(table: str, columns: Sequence[str]) -> Pick:
    return itemgetter(*(COLUMNS[table].index(column) for column in columns))


_LINE = _picker("order_items", contributions.LINE_COLUMNS)
_ROWS = {
    "user": _picker("users", contributions.USER_COLUMNS),
    "post": _picker("posts", contributions.POST_COLUMNS),
    "order": _picker("orders", contributions.ORDER_COLUMNS),
}


class RollUps:
    """Takes rows, whole days at a time, and loads what they contribute."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._days: defaultdict[str, list[date]] = defaultdict(list)

    def add(self, entity: str, rows: Iterable[tuple[Row, list[Row]]]) -> None:
        """Load what rows of an entity contribute. Their days must not come again."""
        entries = [(_ROWS[entity](row), [_LINE(line) for line in lines]) for row, lines in rows]
        for contribution in CONTRIBUTIONS[entity]:
            sums = contribution.of(entries)
            self._load(
                contribution.roll_up._meta.db_table,
                (*contribution.keys, *contribution.sums),
                ((*key, *values) for key, values in sums.items()),
            )
            if contribution is CUSTOMER_DAYS:
                for customer, day in sums:
                    self._days[customer].append(day)

    def add_customers(self) -> None:
        """Load what follows from the customers' days."""
        buyers, cohorts = Counter[Any](), Counter[Any]()
        for days in self._days.values():
            days.sort()
            buyers.update(rollup_customers._purchases(days))
            cohorts.update(rollup_customers._months(days))
        first_days = ((customer, days[0]) for customer, days in self._days.items())
        self._load(Customer._meta.db_table, ("customer_user_id", "first_day"), first_days)
        for model, counts in ((DailyBuyers, buyers), (MonthlyCohorts, cohorts)):
            columns = [field.column for field in model._meta.concrete_fields if field.column]
            self._load(model._meta.db_table, columns, ((*key, count) for key, count in counts.items()))
