"""Two relay processes: one works, the other takes over, and one that wakes up late publishes nothing any more."""

import os
import signal
from collections.abc import Iterator

import pytest
from bson import ObjectId

from marketplace.events.relay_policy import RelayPolicy
from tests.system.relays import Outbox, read
from tests.waiting import until

LEASE_SECONDS = RelayPolicy().lease_seconds


@pytest.fixture
def outbox(mongodb: str, kafka: str) -> Iterator[Outbox]:
    with Outbox.of(mongodb, kafka) as outbox:
        yield outbox


@pytest.fixture
def key() -> str:
    return str(ObjectId())


def test_a_standby_takes_over_from_one_that_was_killed(outbox: Outbox, kafka: str, key: str) -> None:
    with outbox.relay() as first:
        until(first.leads)
        with outbox.relay() as second:
            outbox.put(key, 3)
            until(lambda: not outbox.waiting() and second.logged("stands by"))
            first.kill()
            outbox.put(key, 3)
            assert until(lambda: not outbox.waiting()) < 2 * LEASE_SECONDS
            second.stop()
    assert read(kafka, key, "read_committed") == [1, 2, 3, 4, 5, 6]


@pytest.mark.skipif(not os.environ.get("KAFKA_BOOTSTRAP_SERVERS"), reason="librdkafka's broker fences no producer")
@pytest.mark.parametrize("point", ["open", "_hand_over", "_wait_for_reports"])
def test_a_relay_that_wakes_up_after_another_took_over_publishes_nothing(
    outbox: Outbox, kafka: str, key: str, point: str
) -> None:
    with outbox.relay(stops_after=point) as first:
        until(outbox.is_leased)
        with outbox.relay() as second:
            until(lambda: second.logged("stands by") or second.leads())
            outbox.put(key, 10)
            until(lambda: first.logged("stops now"))
            assert until(lambda: not outbox.waiting()) < 2 * LEASE_SECONDS
            before = read(kafka, key)
            first.process.send_signal(signal.SIGCONT)
            until(lambda: first.logged("stands by"))
            outbox.put(key, 5)
            until(lambda: not outbox.waiting())
            first.stop()
            second.stop()
        assert first.logged("Published 0 events")
    # What the first one has sent was taken back; whoever reads that, too, sees it before everything else.
    assert before[-10:] == list(range(1, 11))
    assert before[:-10] == list(range(1, len(before) - 9))
    assert read(kafka, key) == [*before, *range(11, 16)]
    assert read(kafka, key, "read_committed") == list(range(1, 16))
