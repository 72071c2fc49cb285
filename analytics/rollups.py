"""Keeps the roll-ups right while rows are written: out with what the touched rows contributed before, in with what they
contribute after, in the same transaction. The rest of their day is not looked at, however long it is.

Locks. The touched rows are locked before their contribution is read, so nobody else takes it out as well. Sums are
changed by `x = x + y` in one statement: two writers of other orders of a day need not know of each other, the second
waits for the first and adds to what it finds. What follows from a customer's days is read, changed and written, so its
writers take turns on the rows of `customers` (`rollup_customers.py`).

No two transactions wait for each other: each takes these locks after those of its entity's rows, in the order of
CONTRIBUTIONS and of the sorted keys, and entities have an order, too. The few rows of a day that all writers share come
last, to be held shortly. Every one of these statements finds its rows by the primary key, so at READ COMMITTED it locks
just them, exclusively from the start, and no gap. (INSERT IGNORE takes a shared lock on what it finds: two that have it
and want to write then wait for each other for ever.) A row that a deletion has removed meanwhile is inserted again.
"""

from collections.abc import Sequence

from analytics import rollup_customers
from analytics.contributions import CONTRIBUTIONS, CUSTOMER_DAYS
from analytics.sums import Sums, difference, write

Contributed = list[Sums]


def contributed(entity: str, ids: Sequence[str]) -> Contributed:
    """Return what the rows of these entities contribute to each roll-up. Nothing is asked where there is none."""
    return [contribution.of(ids) for contribution in CONTRIBUTIONS.get(entity, ())]


def replace(entity: str, before: Contributed, after: Contributed) -> None:
    """Change the roll-ups by what the contributions of rows differ in. Runs in the transaction that wrote these."""
    for contribution, old, new in zip(CONTRIBUTIONS.get(entity, ()), before, after, strict=True):
        if changes := difference(old, new):
            if contribution is CUSTOMER_DAYS:
                rollup_customers.change(changes)
            else:
                write(contribution.table, changes)
