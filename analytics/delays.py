"""How long events take, from the write that they tell of to the commit of their row: buckets, and what they say.

A bucket's upper bound is at most 25 % above the one before, so a percentile that is read from buckets is never too low,
and at most 25 % too high. The write's time is by the clock of the API's host, the commit's by the consumer's: delays
are as exact as these two agree. What seems to come from the future counts as 1 ms.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

# Longer delays count as this one: a month.
LONGEST_MS: Final = 31 * 86_400_000

Delays = Counter[tuple[datetime, int]]  # events by the minute of the commit and the bound of their bucket


def _bounds() -> list[int]:
    bounds = [1]
    while bounds[-1] < LONGEST_MS:
        bounds.append(min(LONGEST_MS, max(bounds[-1] + 1, bounds[-1] * 5 // 4)))
    return bounds


BOUNDS: Final = _bounds()
_MILLISECOND: Final = timedelta(milliseconds=1)


def bucket(milliseconds: float) -> int:
    """Return the upper bound of the bucket that a delay belongs to."""
    return BOUNDS[min(bisect_left(BOUNDS, milliseconds), len(BOUNDS) - 1)]


def measured(written: Iterable[str], committed: datetime) -> Delays:
    """Return the delays of events whose writes have these times (as SQL text, in UTC), committed all at once."""
    minute, end = committed.replace(second=0, microsecond=0), committed.astimezone(UTC).replace(tzinfo=None)
    events = Counter([bucket((end - datetime.fromisoformat(at)) / _MILLISECOND) for at in written])
    return Counter({(minute, bound): number for bound, number in events.items()})


def percentile(events: Mapping[int, int], percent: int) -> int | None:
    """Return the bound that so many of a hundred events do not exceed (nearest rank); None without events."""
    rank, seen = -(-sum(events.values()) * percent // 100), 0
    for bound in sorted(events):
        seen += events[bound]
        if events[bound] and seen >= rank:
            return bound
    return None
