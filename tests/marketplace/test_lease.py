"""The lease: one holder at a time, decided by the server, handed over on release or expiry."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from marketplace.events.lease import Lease

pytestmark = pytest.mark.usefixtures("mongodb")


def wait_for(lease: Lease, seconds: float) -> float:
    """Ask for the lease until it is ours, and return how long that took."""
    started = time.monotonic()
    while not lease.keep():
        assert time.monotonic() - started < seconds
    return time.monotonic() - started


def test_one_of_many_gets_it() -> None:
    leases = [Lease("job") for _ in range(16)]
    with ThreadPoolExecutor(16) as pool:
        assert sorted(pool.map(Lease.keep, leases)) == [False] * 15 + [True]


def test_it_is_kept_by_renewing() -> None:
    first, second = Lease("job", seconds=0.6), Lease("job", seconds=0.6)
    end = time.monotonic() + 1.5
    while time.monotonic() < end:
        assert first.keep()
        assert not second.keep()
    assert first.token == 1


def test_it_passes_on_when_it_runs_out_with_a_higher_token() -> None:
    first, second = Lease("job", seconds=0.5), Lease("job", seconds=0.5)
    assert first.keep()
    assert 0.3 < wait_for(second, 2) < 1
    assert not first.held
    assert not first.keep()
    assert (first.token, second.token) == (1, 2)


def test_release_passes_it_on_at_once() -> None:
    first, second = Lease("job"), Lease("job")
    first.keep()
    first.release()
    assert not first.held
    assert second.keep()


def test_a_stranger_cannot_release_it() -> None:
    first, second = Lease("job"), Lease("job")
    first.keep()
    second.release()
    assert not second.keep()


def test_leases_of_different_jobs_do_not_meet() -> None:
    assert Lease("one").keep()
    assert Lease("two").keep()
