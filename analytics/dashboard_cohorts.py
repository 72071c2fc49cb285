"""The dashboard's heat map: a row for each cohort, a column for each month since, a shade for each retention."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from typing import Final

from analytics.dashboard_values import text
from analytics.reports.report import Row

SHADES: Final = 10
# From this share of returning customers on, the shade is the strongest.
STRONGEST: Final = 0.5


@dataclass(frozen=True, slots=True)
class Heat:
    """A cell: how many of the cohort ordered in the month, as a share and a shade: 0 to SHADES, or `first`."""

    share: str
    customers: str
    shade: str


@dataclass(frozen=True, slots=True)
class Cohort:
    """A row of the heat map."""

    month: date
    size: str
    cells: list[Heat] = field(default_factory=list)


def heat_map(rows: Iterable[Row]) -> list[Cohort]:
    """Return the rows of the `cohorts` report, the months of a cohort beside each other."""
    found = []
    for month, months in groupby(rows, key=lambda row: row["cohort"]):
        cells = list(months)
        found.append(Cohort(month, text("count", cells[0]["size"]), [_heat(row) for row in cells]))
    return found


def _heat(row: Row) -> Heat:
    share = row["retention"] or 0.0
    # The month of the first order is the whole cohort by definition: a shade would say nothing.
    shade = min(SHADES, math.ceil(share / STRONGEST * SHADES)) if row["month_number"] else "first"
    return Heat(f"{100 * share:.0f} %", text("count", row["customers"]), str(shade))
