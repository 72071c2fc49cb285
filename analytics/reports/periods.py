"""Ranges of days in UTC, whose end is exclusive: what reports and dashboard are asked about."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

DAY = timedelta(days=1)
DEFAULT_DAYS = 30
MAX_DAYS = 3660
# Nothing happened here before; and what a report counts back from a day must be a date, too.
FIRST_DAY = date(1970, 1, 1)


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

    @property
    def moments(self) -> tuple[datetime, datetime]:
        """The moment it begins, and the one it ends before."""
        return datetime.combine(self.start, time(), UTC), datetime.combine(self.end, time(), UTC)

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


def asked(start: date | None, end: date | None, until: date) -> Period:
    """Return the period that somebody asks for: up to and with `until` by default, and of DEFAULT_DAYS.

    Raises ValueError, for people to read, when there is no day in it, more than MAX_DAYS, or one before FIRST_DAY.
    """
    end = end or until + DAY
    if end <= FIRST_DAY or (start and start < FIRST_DAY):
        raise ValueError(f"There is nothing before {FIRST_DAY}.")
    start = start or max(end - DEFAULT_DAYS * DAY, FIRST_DAY)
    if end <= start:
        raise ValueError("The end must be after the start; it is the first day that is left out.")
    if end - start > MAX_DAYS * DAY:
        raise ValueError(f"These are more than {MAX_DAYS} days.")
    return Period(start, end)
