"""The record of exports: every CSV that somebody takes out of the admin, as a row of Export and a line in the log."""

import logging
from collections.abc import Iterable, Iterator
from typing import TypeVar

from analytics.pipeline import Export

Row = TypeVar("Row")

log = logging.getLogger(__name__)


def recorded(rows: Iterable[Row], *, actor: str, what: str, filters: str) -> Iterator[Row]:
    """Record an export at once, and return its rows, for `csv_response`.

    `actor` is the account's name, `what` the table, report or chart, `filters` the query string that chose the rows.
    The number of rows is stored when the last has been taken. A client that goes away before leaves it null.
    """
    return _counted(Export.objects.create(actor=actor, what=what, filters=filters), rows)


def _counted(export: Export, rows: Iterable[Row]) -> Iterator[Row]:
    number = 0
    try:
        for number, row in enumerate(rows, 1):  # noqa: B007  # the last number counts
            yield row
        export.rows = number
        export.save(update_fields=["rows"])
    finally:
        outcome = "in full" if export.rows is not None else "cut off"
        log.info("%s exported %s?%s: %d rows, %s", export.actor, export.what, export.filters, number, outcome)
