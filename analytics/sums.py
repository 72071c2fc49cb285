"""Sums by key: how they differ, and how a difference is written into a roll-up."""

from typing import Any

from analytics.tables import Table

Key = tuple[Any, ...]
Values = tuple[int, ...]
Sums = dict[Key, Values]


def difference(before: Sums, after: Sums) -> Sums:
    """Return what has to be added to `before` to make it `after`, without zeros."""
    found = {key: tuple([-value for value in old]) for key, old in before.items()}
    for key, new in after.items():
        found[key] = added(found[key], new) if key in found else new
    return {key: values for key, values in found.items() if any(values)}


def added(one: Values, other: Values) -> Values:
    """Return the sum of two rows of sums."""
    return tuple([ours + theirs for ours, theirs in zip(one, other, strict=True)])


def in_order(sums: Sums) -> list[Key]:
    """Return the keys in the one order in which all writers lock them. By text: SQLite holds any type in any column."""
    return sorted(sums, key=repr)


def write(table: Table, changes: Sums) -> None:
    """Add changes to a roll-up, and delete what has become zero by them. Raises django.db's exceptions."""
    keys = in_order(changes)
    table.add([[*key, *changes[key]] for key in keys])
    table.delete_zeros([list(key) for key in keys if min(changes[key]) < 0])
