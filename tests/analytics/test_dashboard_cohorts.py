"""The heat map: the rows of the `cohorts` report, a cohort a row, a month a column."""

from datetime import date

import pytest

from analytics.dashboard_cohorts import heat_map
from tests.analytics.reports.conftest import market as market
from tests.analytics.reports.rows import answer


@pytest.mark.usefixtures("market")
def test_a_cohort_is_a_row_with_the_reports_numbers():
    today = date(2026, 5, 31)
    rows = answer("cohorts", today=today)
    shown = heat_map(rows)
    assert [cohort.month for cohort in shown] == sorted({row["cohort"] for row in rows})
    assert [cell.customers for cohort in shown for cell in cohort.cells] == [str(row["customers"]) for row in rows]
    assert shown[0].cells[0].shade == "first"


@pytest.mark.parametrize(
    ("retention", "share", "shade"),
    [(0.0, "0 %", "0"), (0.001, "0 %", "1"), (0.25, "25 %", "5"), (0.5, "50 %", "10"), (1.0, "100 %", "10")],
)
def test_shades(retention, share, shade):
    month = date(2026, 3, 1)
    row = {"cohort": month, "month": month, "month_number": 1, "size": 1000, "customers": 1, "retention": retention}
    (cell,) = heat_map([row])[0].cells
    assert (cell.share, cell.shade) == (share, shade)
