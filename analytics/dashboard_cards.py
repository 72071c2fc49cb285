"""What a card of the dashboard is: rows of a report as a table, what of them is drawn, and where each row leads.

The table is the only source of the numbers: the chart is drawn from it, in the browser (`static/analytics/charts.js`).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from analytics.dashboard_values import heading, text
from analytics.reports.report import Column, Report, Row

# How a chart is drawn: over days, as lying bars with a label each, as standing bars, as a ring; or not at all.
Chart = Literal["days", "bars", "bands", "ring", ""]
# How a column is drawn: as bars, or as a line over them.
Drawn = Literal["bar", "line"]
_NUMBERS: Final = ("count", "cents", "ratio", "number")


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands over a column, and how the chart draws it, if it does."""

    text: str
    definition: str
    kind: str
    drawn: Drawn | None
    is_number: bool


@dataclass(frozen=True, slots=True)
class Cell:
    """A value of the table, for people and for the chart."""

    text: str
    value: Any
    is_number: bool


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A row of the table. Its label leads to `url`, unless that is empty."""

    label: str
    url: str
    cells: list[Cell]


@dataclass(frozen=True, slots=True)
class Card:
    """A card of a report. `label` and `url` tell what a row is called and where it leads; `empty` why there is none."""

    report: Report
    rows: Sequence[Row]
    label_heading: str
    label: Callable[[Row], str]
    columns: tuple[Column, ...]
    chart: Chart = ""
    drawn: Mapping[str, Drawn] = field(default_factory=dict)
    url: Callable[[Row], str] = lambda _: ""
    title: str = ""
    size: Literal["wide", "half", "third", "narrow"] = "half"
    empty: str = ""

    @property
    def headings(self) -> Iterator[Heading]:
        """What stands over the columns."""
        for column in self.columns:
            drawn = self.drawn.get(column.name)
            yield Heading(heading(column), column.definition, column.kind, drawn, column.kind in _NUMBERS)

    @property
    def shown_rows(self) -> Iterator[ShownRow]:
        """The table's rows."""
        for row in self.rows:
            cells = [_cell(column, row[column.name]) for column in self.columns]
            yield ShownRow(self.label(row), self.url(row), cells)


def _cell(column: Column, value: Any) -> Cell:
    return Cell(text(column.kind, value), "" if value is None else value, column.kind in _NUMBERS)


def named(report: Report, *names: str) -> tuple[Column, ...]:
    """Return columns of a report, in this order."""
    by_name = {column.name: column for column in report.columns}
    return tuple(by_name[name] for name in names)
