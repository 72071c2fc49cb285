"""The record of exports: every CSV that somebody takes out of the admin, as a row of Export and a line in the log."""

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from analytics.pipeline import Export

Row = TypeVar("Row")
Chunk = TypeVar("Chunk", str, bytes)

log = logging.getLogger(__name__)


def recorded(
    rows: Iterable[Row], write: Callable[[Iterable[Row]], Iterable[Chunk]], *, actor: str, what: str, filters: str
) -> Iterator[Chunk]:
    """Record an export at once, and return what `write` makes of its rows, to be sent.

    `actor` is the account's name, `what` the table, report or chart, `filters` the query string that chose the rows.
    The number of rows is stored when the last chunk has been taken. A client that goes away leaves it null.
    """
    export = Export.objects.create(actor=actor, what=what, filters=filters)
    return _sent(export, rows, write)


def _sent(export: Export, rows: Iterable[Row], write: Callable[[Iterable[Row]], Iterable[Chunk]]) -> Iterator[Chunk]:
    number = 0

    def counted() -> Iterator[Row]:
        nonlocal number
        for number, row in enumerate(rows, 1):  # noqa: B007  # the last number counts
            yield row

    try:
        yield from write(counted())
        export.rows = number
        export.save(update_fields=["rows"])
    finally:
        outcome = "in full" if export.rows is not None else "cut off"
        log.info("%s exported %s?%s: %d rows, %s", export.actor, export.what, export.filters, number, outcome)
