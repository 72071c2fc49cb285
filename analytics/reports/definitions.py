"""What every number means, as the tables of docs/analytics.md, into which `make definitions` writes them."""

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Final

from analytics.reports.catalogue import REPORTS
from analytics.reports.report import Column, Report
from analytics.reports.shares import ENGAGEMENT_TIERS, ORDER_STATUS
from analytics.reports.tiles import TILES

BEGIN: Final = "<!-- Written by `make definitions`. -->\n"
END: Final = "<!-- The end of what `make definitions` writes. -->\n"


def definitions() -> str:
    """Return the Markdown of all key figures, reports and columns."""
    reports = (_report(report, f"`{name}`") for name, report in REPORTS.items())
    charts = (_report(chart, "chart only") for chart in (ORDER_STATUS, ENGAGEMENT_TIERS))
    return "\n".join(chain(_tiles(), *reports, *charts))


def write(document: Path) -> bool:
    """Put the definitions between the marks of a document; return whether that changed it.

    Raises ValueError when there are no such marks.
    """
    text = document.read_text()
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{document} has no place for the definitions")
    written = f"{before}{BEGIN}\n{definitions()}\n{END}{after}"
    document.write_text(written)
    return written != text


def _tiles() -> Iterator[str]:
    yield "### Key figures\n"
    yield "Of the range that the dashboard shows; beside each stands how it has changed against the previous period.\n"
    yield from _table("Figure", ((title, definition) for _, title, _, definition in TILES))


def _report(report: Report, where: str) -> Iterator[str]:
    yield f"### {report.title} ({where})\n"
    yield f"{report.definition}\n"
    yield from _table("Column", map(_column, report.columns))


def _column(column: Column) -> tuple[str, str]:
    return f"`{column.name}`", column.definition


def _table(heading: str, rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    yield f"| {heading} | What it is |\n|---|---|"
    yield from (f"| {name} | {definition} |" for name, definition in rows)
    yield ""
