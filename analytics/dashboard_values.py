"""How values of reports are written for people. The page's tables keep the value itself beside it, for the charts."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from analytics.admin_columns import money
from analytics.reports.report import Column, Kind

NOTHING = "–"


def text(kind: Kind, value: Any) -> str:
    """Return a value as people read it: 123456 cents as 1,234.56, 0.05 as 5.0 %."""
    if value is None:
        return NOTHING
    match kind:
        case "cents":
            return money(value)
        case "count":
            return f"{value:,}"
        case "number":
            return f"{value:,.1f}".removesuffix(".0")
        case "ratio":
            return f"{100 * value:.1f} %"
        case _:
            return _other(value)


def _other(value: Any) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case datetime():
            return f"{value:%Y-%m-%d %H:%M} UTC"
        case date():
            return value.isoformat()
        case Mapping():
            return ", ".join(f"{words(key)} {number:,}" for key, number in value.items()) or NOTHING
        case _:
            return str(value)


def words(name: str) -> str:
    """Return a technical name as words: home_garden as home garden."""
    return name.replace("_", " ")


def heading(column: Column) -> str:
    """Return what stands over a column."""
    return words(column.name.removesuffix("_cents")).capitalize()


def day(value: date) -> str:
    """Return a day with its weekday: Mon 2 Nov 2026."""
    return f"{value:%a} {value.day} {value:%b %Y}"


def band(lowest: int, above: int | None) -> str:
    """Return a price band, of whole amounts: 10 to 50."""
    return f"{lowest // 100:,}+" if above is None else f"{lowest // 100:,}–{above // 100:,}"
