"""Keeps the roll-ups right while rows are written: out with what the touched rows contributed before, in with what they
contribute after, in the same transaction. The rest of their day is not looked at, however long it is.

Locks. The touched rows are locked before they are read here, so nobody else takes their contribution out as well. Sums
are changed by `x = x + y` in one statement: two writers of other orders of a day need not know of each other, the
second waits for the first and adds to what it finds. What follows from a customer's days is read, changed and written,
so its writers take turns on the rows of `customers` (`rollup_customers.py`).

No two transactions wait for each other: each takes these locks after those of its entity's rows, in the order of
CONTRIBUTIONS and of the sorted keys, and entities have an order, too. The few rows of a day that all writers share come
last, to be held shortly. Every one of these statements finds its rows by the primary key, so at READ COMMITTED it locks
just them, exclusively from the start, and no gap. (INSERT IGNORE takes a shared lock on what it finds: two that have it
and want to write then wait for each other for ever.) A row that a deletion has removed meanwhile is inserted again.
"""

from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Any, Final

from analytics import rollup_customers
from analytics.contributions import (
    CONTRIBUTIONS,
    CUSTOMER_DAYS,
    LINE_COLUMNS,
    ORDER_COLUMNS,
    POST_COLUMNS,
    USER_COLUMNS,
    Entry,
)
from analytics.decoding import DECODERS, EntityDecoder, Event
from analytics.sums import difference, write
from analytics.tables import Table


class Source:
    """An entity's rows and their children as far as they contribute to roll-ups."""

    def __init__(self, decoder: EntityDecoder, columns: Sequence[str], child_columns: Sequence[str] = ()) -> None:
        self._rows = Table(decoder.projection.model, (decoder.columns[0], *columns))
        self._pick = _picker(decoder.columns, columns)
        self._children: Table | None = None
        if decoder.child and child_columns:
            self._children = Table(decoder.child.model, (decoder.child.columns[0], *child_columns))
            self._pick_child = _picker(decoder.child.columns, child_columns)

    def stored(self, ids: Sequence[str]) -> list[Entry]:
        """Return what is in the tables. Children without a row contribute nothing."""
        found: dict[str, Entry] = {key: (row, []) for key, *row in self._rows.of(ids)}
        if self._children and found:
            for key, *child in self._children.of(ids):
                if key in found:
                    found[key][1].append(child)
        return list(found.values())

    def written(self, events: Iterable[Event]) -> list[Entry]:
        """Return what events that carry state have made of their rows."""
        child = self._pick_child if self._children else None
        return [
            (self._pick(event.row), [child(one) for one in event.children] if child else [])
            for event in events
            if event.row is not None
        ]


def _picker(columns: Sequence[str], wanted: Sequence[str]) -> Callable[[Any], Any]:
    return itemgetter(*(columns.index(column) for column in wanted))


_COLUMNS: Final[dict[str, tuple[Sequence[str], ...]]] = {
    "user": (USER_COLUMNS,),
    "order": (ORDER_COLUMNS, LINE_COLUMNS),
    "post": (POST_COLUMNS,),
}
SOURCES: Final = {
    decoder: Source(decoder, *_COLUMNS[decoder.projection.entity])
    for decoder in DECODERS
    if decoder.projection.entity in _COLUMNS
}


def replace(decoder: EntityDecoder, before: list[Entry], after: list[Entry]) -> None:
    """Change the roll-ups by what entities contribute. Runs in the transaction that wrote them."""
    for contribution in CONTRIBUTIONS[decoder.projection.entity]:
        if changes := difference(contribution.of(before), contribution.of(after)):
            if contribution is CUSTOMER_DAYS:
                rollup_customers.change(changes)
            else:
                write(contribution, changes)
