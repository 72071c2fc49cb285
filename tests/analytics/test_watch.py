"""When a consumer is alive: a stuck loop, thread or partition is named, and an outage of any length is none."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from confluent_kafka import TopicPartition
from django.db import OperationalError, connection

from analytics import consumer as consumers
from analytics import database_thread, metrics, watch
from analytics.consumer import EventConsumer
from analytics.database_thread import STUCK_SECONDS, DatabaseThread
from analytics.models import User
from analytics.offsets import FencedError
from analytics.outages import BackOff
from marketplace.observability.answers import Answers
from marketplace.observability.pulse import Pulse
from tests.analytics.conftest import Produce
from tests.analytics.events import event, new_id
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)

# The consumer's clock runs so much faster: 60 seconds without anything stored are 3.
SPEED = 20.0
STUCK = (watch.STUCK_SECONDS + 2 * watch.LOOK_SECONDS) / SPEED


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the loop 5 seconds: its waits for servers are real ones, and this machine may be busy."""
    monkeypatch.setattr(watch, "LOOP_SECONDS", 5 * SPEED)


def fast() -> float:
    return time.monotonic() * SPEED


@contextmanager
def running(group: str, kind: type[EventConsumer] = EventConsumer, **options: Any) -> Iterator[EventConsumer]:
    stop = threading.Event()
    consumer = kind(group, stop=stop, clock=fast, **options)
    thread = threading.Thread(target=consumer.run)
    thread.start()
    try:
        yield consumer
    finally:
        stop.set()
        thread.join(20)
    assert not thread.is_alive()


def users(number: int) -> list[dict[str, Any]]:
    return [event("user.created", new_id()) for _ in range(number)]


def stays(seconds: float, look: Callable[[], object], expected: object) -> None:
    """Assert that what is seen stays as it is for some seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert look() == expected
        time.sleep(0.05)  # it is the time that matters


def test_a_partition_that_is_paused_behind_our_back_is_named(own_kafka: Produce, group: str) -> None:
    with running(group) as consumer:
        until(lambda: consumer._progress.caught_up() and not consumer.ready())
        partition = TopicPartition("user", 2)
        consumer._reader._kafka.pause([partition])
        stays(STUCK + 1, consumer.live, [])  # there is nothing to read in it
        own_kafka(users(40))
        until(lambda: len(consumer.live()) == 1, STUCK + 5)
        assert consumer.live()[0].startswith("partition user/2 has stood still")
        assert 0 < consumer.counts.changed < 40
        assert metrics.LAGS.now["user", 2] == 40 - consumer.counts.changed
        waiting, stored = metrics.LAGS.now["user", 2], metrics.LAGS.stored["user", 2]
        consumer._reader._kafka.resume([partition])
        until(lambda: consumer.counts.changed == 40 and not consumer.live())
        until(lambda: metrics.LAGS.stored["user", 2] == stored + waiting)
    assert consumer.ready() == ["it is stopping"]


def test_a_partition_whose_turn_is_long_in_coming_is_not_named(own_kafka: Produce, group: str) -> None:
    with running(group, batch_size=1) as consumer:
        until(lambda: consumer._progress.caught_up() and not consumer.ready())
        partition = TopicPartition("user", 2)
        consumer._reader._kafka.pause([partition])  # as if all of the others came first
        own_kafka(users(6000))
        until(lambda: consumer.counts.changed > 0)
        stays(2 * STUCK, consumer.live, [])
        assert consumer.counts.changed < 4000, "not busy any more"


class Fenced(EventConsumer):
    """A consumer that is told each time that others have its partition: it would look up its place for ever."""

    def _take(self, stored: Any) -> None:
        raise AssertionError("nothing can be stored")


def test_a_partition_that_is_fenced_again_and_again_is_named(
    own_kafka: Produce, group: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fenced(messages: Any, *_: Any, **__: Any) -> None:
        raise FencedError({message.partition for message in messages})

    monkeypatch.setattr(consumers, "store", fenced)
    own_kafka([event("user.created", "0" * 24)])
    with running(group, Fenced) as consumer:
        until(lambda: consumer.counts.fenced > 0)
        until(lambda: len(consumer.live()) == 1, STUCK + 5)
        assert consumer.live()[0].startswith("partition user/")


class Blocked(EventConsumer):
    """A consumer whose loop waits for something that does not come."""

    comes = threading.Event()

    def _read(self) -> None:
        super()._read()
        self.comes.wait(20)


def test_a_loop_that_is_blocked_is_named_although_the_database_thread_works(own_kafka: Produce, group: str) -> None:
    Blocked.comes.clear()
    with running(group, Blocked) as consumer:
        until(lambda: consumer.live() != [], 10)
        consumer._database.submit(User.objects.count).result(10)
        assert [problem for problem in consumer.live() if problem.startswith("the loop has stood still")]
        Blocked.comes.set()
        until(lambda: consumer.live() == [])


@pytest.mark.parametrize("what", ["fails", "hangs"])
def test_an_outage_of_the_database_is_no_fault_however_long(
    own_kafka: Produce, group: str, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    away = threading.Event()
    away.set()

    def store(*arguments: Any, **options: Any) -> Any:
        if what == "hangs" and away.is_set():
            until(lambda: not away.is_set(), 20)
        if away.is_set():
            raise OperationalError(2006, "Server has gone away")
        return original(*arguments, **options)

    original = consumers.store
    monkeypatch.setattr(consumers, "store", store)
    monkeypatch.setattr(database_thread, "STUCK_SECONDS", 20 * SPEED)  # this hang is no statement, which has a limit
    own_kafka(users(40))
    with running(group, batch_size=1, back_off=BackOff(longest_seconds=10)) as consumer:
        until(lambda: len(consumer._progress.pending) == 1)  # what is left has to wait, too
        until(lambda: any("SQL is away" in problem for problem in consumer.ready()))
        stays(2 * STUCK, consumer.live, [])
        away.clear()
        until(lambda: consumer.counts.changed == 40 and not consumer.ready())
        assert consumer.live() == []


def test_lags_of_revoked_partitions_vanish(own_kafka: Produce, group: str) -> None:
    with running(group) as consumer:
        until(lambda: len(metrics.LAGS.now) == 20)
        with running(group) as second:
            until(lambda: second._progress.assigned and 0 < len(consumer._progress.positions) < 20)
            # Both write the one gauge of this process, each what it has.
            until(lambda: 0 < len(metrics.LAGS.now) < 20)


def test_the_databases_thread_beats_with_each_statement_and_is_named_between_them() -> None:
    now, goes_on = [0.0], threading.Event()
    pulse = Pulse(lambda: now[0])
    thread = DatabaseThread(pulse, Answers("SQL"))

    def operation() -> None:
        now[0] += STUCK_SECONDS - 1
        connection.cursor().execute("SELECT 1")
        now[0] += STUCK_SECONDS - 1
        assert pulse.problems() == []
        now[0] += 2
        goes_on.wait(20)

    future = thread.submit(operation)
    until(lambda: pulse.problems() != [])
    assert pulse.problems()[0].startswith("the database's thread has stood still")
    goes_on.set()
    future.result(20)
    until(lambda: pulse.problems() == [])
    thread.end(20)
