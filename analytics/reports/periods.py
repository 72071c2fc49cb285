"""Ranges of days in UTC, whose end is exclusive: what reports and dashboard are asked about."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

DAY = timedelta(days=1)
DEFAULT_DAYS = 30


@dataclass(frozen=True, slots=True)
class Period:
    """The days from `start` up to, and without, `end`."""

    start: date
    end: date

    def __post_init__(self) -> None:
        """Raises ValueError for a range without a day."""
        if self.end <= self.start:
            raise ValueError(f"{self.end} is not after {self.start}")

    @property
    def length(self) -> int:
        """How many days there are."""
        return (self.end - self.start).days

    @property
    def previous(self) -> "Period":
        """The equal period right before."""
        return Period(self.start - self.length * DAY, self.start)

    def days(self) -> Iterator[date]:
        """Yield each day."""
        for number in range(self.length):
            yield self.start + number * DAY


def today() -> date:
    """Return this day in UTC."""
    return datetime.now(UTC).date()


def last_days(number: int, until: date) -> Period:
    """Return so many days of which `until` is the last."""
    return Period(until - (number - 1) * DAY, until + DAY)
