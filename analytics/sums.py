"""Sums by key: how they are read from a roll-up, how they differ, and how a difference is written."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db import DatabaseError, DataError
from django.db.models import Q

from analytics.daily import RollUp
from analytics.outages import is_bad_value
from analytics.tables import Table

Key = tuple[Any, ...]
Values = tuple[int, ...]
Sums = dict[Key, Values]


@dataclass(frozen=True, eq=False)
class Sheet:
    """The columns of a roll-up: those of its key, and its sums."""

    roll_up: type[RollUp]
    keys: tuple[str, ...]
    sums: tuple[str, ...]

    @cached_property
    def table(self) -> Table:
        """The roll-up's table, with the keys before the sums."""
        return Table(self.roll_up, (*self.keys, *self.sums), key_columns=len(self.keys))

    def stored(self, scope: Q) -> Sums:
        """Return the rows in a scope."""
        rows = self.roll_up._default_manager.filter(scope).values_list(*self.keys, *self.sums)
        size = len(self.keys)
        return {row[:size]: row[size:] for row in rows}


def difference(before: Sums, after: Sums) -> Sums:
    """Return what has to be added to `before` to make it `after`, without zeros."""
    found = {key: tuple([-value for value in old]) for key, old in before.items()}
    for key, new in after.items():
        found[key] = added(found[key], new) if key in found else new
    return {key: values for key, values in found.items() if any(values)}


def added(one: Values, other: Values) -> Values:
    """Return the sum of two rows of sums."""
    return tuple([ours + theirs for ours, theirs in zip(one, other, strict=True)])


def in_order(keys: Iterable[Key]) -> list[Key]:
    """Return keys in the one order in which all writers lock them. By text: SQLite holds any type in any column."""
    return sorted(keys, key=repr)


def write(sheet: Sheet, changes: Sums) -> None:
    """Add changes to a roll-up, and delete what has become zero by them.

    Raises django.db's exceptions: DataError when a sum does not fit into its column. SQLite's driver has an
    OverflowError for numbers that it cannot even pass on.
    """
    keys = in_order(changes)
    try:
        sheet.table.add([[*key, *changes[key]] for key in keys])
    except (DatabaseError, OverflowError) as error:
        if isinstance(error, DatabaseError) and not is_bad_value(error):
            raise
        raise DataError(f"a sum in {sheet.roll_up._meta.db_table} would go beyond 64 bits: {error}") from error
    sheet.table.delete_zeros([list(key) for key in keys if min(changes[key]) < 0])
