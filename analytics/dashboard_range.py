"""The range that a dashboard shows, as its URL has it: `?range=28d`, or `?start=2026-01-01&end=2026-02-01`.

As in the reports, days are those of UTC and `end` is the day after the last one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from analytics.reports.periods import DAY, Period, asked, last_days

PRESETS: Final = {"today": "Today", "7d": "7 days", "28d": "28 days", "90d": "90 days", "mtd": "Month to date"}
CUSTOM: Final = "custom"
DEFAULT: Final = "28d"
_LENGTHS: Final = {"today": 1, "7d": 7, "28d": 28, "90d": 90}


@dataclass(frozen=True, slots=True)
class Range:
    """The days to show, the name of what chose them (a preset or CUSTOM), and what was wrong with the choice."""

    today: date
    period: Period
    name: str
    complaint: str = ""

    @property
    def query(self) -> str:
        """The query string of a link to the same range; a preset moves on with the days."""
        if self.name == CUSTOM:
            return f"start={self.period.start}&end={self.period.end}"
        return f"range={self.name}"

    @property
    def last_day(self) -> date:
        """The last day that is shown."""
        return self.period.end - DAY


def range_of(parameters: Mapping[str, str], today: date) -> Range:
    """Return the range that query parameters ask for; the default one, and what is wrong, if they ask for none."""
    try:
        if parameters.get("start") or parameters.get("end"):
            period = asked(_day(parameters, "start"), _day(parameters, "end"), today)
            return Range(today, period, CUSTOM)
        name = parameters.get("range") or DEFAULT
        return Range(today, _preset(name, today), name)
    except ValueError as error:
        return Range(today, _preset(DEFAULT, today), DEFAULT, str(error))


def _preset(name: str, today: date) -> Period:
    """Return a preset's days. Raises ValueError with a message for who asked."""
    if name == "mtd":
        return Period(today.replace(day=1), today + DAY)
    if name not in _LENGTHS:
        raise ValueError(f"There is no range “{name[:40]}”; there are {', '.join(PRESETS)}.")
    return last_days(_LENGTHS[name], today)


def _day(parameters: Mapping[str, str], name: str) -> date | None:
    text = parameters.get(name)
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise ValueError(f"“{text[:40] if text else ''}” is no date; dates look like 2026-01-31.") from error
