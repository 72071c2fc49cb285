"""Counts that all processes share: exact in total, without a write per hit (docs/architecture.md)."""

from datetime import UTC, datetime, timedelta

import pytest

from marketplace import mongo
from marketplace.api import counters
from marketplace.api.counters import Leases, SharedCount, Standing
from tests.concurrency import at_once

pytestmark = pytest.mark.usefixtures("mongodb")


class Clock:
    """A process's clock, moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def end_windows(clock: Clock) -> None:
    """Let all windows end: for the process, and in MongoDB as if they had begun earlier."""
    clock.now += counters.WINDOW_SECONDS
    past = datetime.now(UTC) - timedelta(seconds=1)
    mongo.database()[counters.COLLECTION].update_many({}, {"$set": {"ends_at": past}})


def drain(*processes: Leases, limit: int) -> int:
    """Hit in turns until all processes refuse; return how many hits passed."""
    passed = 0
    while any(results := [process.take("key", limit).allowed for process in processes]):
        passed += sum(results)
    return passed


@pytest.mark.parametrize("limit", [1, 5, 60, 199])
def test_small_limits_are_exact(limit: int) -> None:
    clock = Clock()
    assert drain(Leases("p", clock), Leases("p", clock), Leases("p", clock), limit=limit) == limit


def test_two_processes_share_a_large_limit() -> None:
    clock = Clock()
    busy, idle = Leases("p", clock), Leases("p", clock)
    assert idle.take("key", 6000).allowed  # and leaves the rest of its block unused
    passed = 1 + drain(busy, limit=6000)
    assert 6000 - counters.MAX_BLOCK <= passed < 6000
    assert passed + drain(idle, busy, limit=6000) == 6000


def test_threads_and_processes_never_exceed_the_limit() -> None:
    clock = Clock()
    processes = [Leases("p", clock) for _ in range(3)]
    found = at_once(12, lambda i: sum(processes[i % 3].take("key", 500).allowed for _ in range(100)))
    assert sum(found) == 500


def test_the_next_window_begins_anew() -> None:
    clock = Clock()
    leases = Leases("p", clock)
    assert drain(leases, limit=2) == 2
    end_windows(clock)
    assert leases.take("key", 2) == Standing(allowed=True, remaining=1, seconds=60)


def test_the_rest_of_a_block_ends_with_its_window() -> None:
    clock = Clock()
    leases, other = Leases("p", clock), Leases("p", clock)
    assert leases.take("key", 5000).allowed
    end_windows(clock)
    assert drain(other, limit=5000) == 5000
    assert not leases.take("key", 5000).allowed


def test_a_window_begins_with_the_first_hit() -> None:
    clock = Clock()
    leases = Leases("p", clock)
    first = leases.take("key", 5000)
    clock.now += 58.5
    last = leases.take("key", 5000)
    assert (first.seconds, last.seconds) == (60, 2)
    assert leases.take("another", 5000).seconds == 60


def stored() -> list[mongo.Stored]:
    return list(mongo.database()[counters.COLLECTION].find())


def stored_counts() -> list[int]:
    return [one["hits"] for one in stored()]


def test_hits_within_a_block_do_not_ask_mongodb() -> None:
    leases = Leases("p", Clock())
    for _ in range(counters.MAX_BLOCK):
        leases.take("key", 10**6)
        assert stored_counts() == [counters.MAX_BLOCK]
    leases.take("key", 10**6)
    assert stored_counts() == [2 * counters.MAX_BLOCK]


def test_hits_over_the_limit_do_not_ask_mongodb() -> None:
    leases = Leases("p", Clock())
    assert drain(leases, limit=3) == 3
    mongo.database()[counters.COLLECTION].delete_many({})
    assert not any(leases.take("key", 3).allowed for _ in range(10))
    assert stored_counts() == []


def test_memory_for_leases_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counters, "MAX_LEASES", 3)
    leases = Leases("p", Clock())
    for key in "abcde":
        leases.take(key, 5)
    assert list(leases._leases) == ["c", "d", "e"]
    assert leases.take("a", 5).remaining == 3  # what was counted is still in MongoDB


def test_mongodb_removes_past_counts() -> None:
    Leases("p", Clock()).take("key", 5)
    (count,) = stored()
    assert (count["ends_at"] - count["counted_at"]).total_seconds() == 60
    indexes = mongo.database()[counters.COLLECTION].index_information()
    assert [one.get("expireAfterSeconds") for one in indexes.values() if one["key"] == [("ends_at", 1)]] == [0]


def test_a_window_does_not_grow_with_its_hits() -> None:
    counts = SharedCount("p")
    counts.add("key")
    (before,) = stored()
    assert counts.add("key").hits == 2
    (after,) = stored()
    assert after["counted_at"] > before["counted_at"]
    assert after["ends_at"] == before["ends_at"]


def test_counts_of_past_windows_are_not_read() -> None:
    counts = SharedCount("p")
    counts.add("key", 3)
    (count,) = counts.read(["key", "another"])
    assert count.hits == 3
    assert 0 < count.seconds <= 60
    end_windows(Clock())
    assert counts.read(["key"]) == []
    assert counts.add("key").hits == 1


def test_policies_are_counted_apart() -> None:
    SharedCount("p").add("key")
    assert SharedCount("q").read(["key"]) == []


def test_a_count_does_not_wait_for_the_journal() -> None:
    assert SharedCount("p")._collection().write_concern.document == {"w": 1, "j": False}
