"""Delays by bucket, and the percentiles read from them, against numbers worked out by hand."""

from datetime import UTC, datetime, timedelta

import pytest

from analytics.delays import BOUNDS, LONGEST_MS, bucket, measured, percentile

COMMITTED = datetime(2026, 3, 1, 10, 30, 42, 500_000, UTC)


def test_a_bucket_is_at_most_a_quarter_wider_than_what_is_in_it() -> None:
    assert BOUNDS[:11] == [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15]
    assert all(delay <= bucket(delay) < 1.25 * delay + 1 for delay in range(1, 100_000))
    assert all(bucket(bound) == bound for bound in BOUNDS)
    assert len(BOUNDS) < 110


@pytest.mark.parametrize(("delay", "bound"), [(-5, 1), (0, 1), (1.001, 2), (8.5, 10), (10**12, LONGEST_MS)])
def test_what_has_no_bucket_of_its_own_goes_to_the_nearest(delay: float, bound: int) -> None:
    assert bucket(delay) == bound


def test_delays_are_counted_at_the_minute_of_the_commit() -> None:
    written = ["2026-03-01 10:30:42.490000", "2026-03-01 10:30:42.490000", "2026-03-01 10:29:42.500000"]
    minute = datetime(2026, 3, 1, 10, 30, tzinfo=UTC)
    assert measured(written, COMMITTED) == {(minute, 10): 2, (minute, bucket(60_000)): 1}
    assert measured(["2026-03-01 10:30:43"], COMMITTED) == {(minute, 1): 1}
    elsewhere = COMMITTED.astimezone(tz=datetime.now().astimezone().tzinfo) + timedelta(0)
    assert measured(written, elsewhere) == measured(written, COMMITTED)


@pytest.mark.parametrize(
    ("events", "percent", "expected"),
    [
        ({}, 50, None),
        ({10: 0}, 50, None),
        ({10: 1}, 50, 10),
        ({10: 1}, 95, 10),
        ({10: 5, 100: 5}, 50, 10),
        ({10: 5, 100: 6}, 50, 100),
        ({100: 5, 10: 95}, 95, 10),
        ({100: 6, 10: 94}, 95, 100),
        ({5: 0, 10: 1, 100: 19}, 5, 10),
    ],
)
def test_percentiles_by_nearest_rank(events: dict[int, int], percent: int, expected: int | None) -> None:
    assert percentile(events, percent) == expected
