"""What the broker rejects: it waits for its turn again, and holds up nobody else."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from bson import ObjectId

from marketplace import mongo
from marketplace.events.delivery import Delivery
from marketplace.events.relay import Relay
from tests.marketplace.mock_broker import MockBroker
from tests.marketplace.relaying import QUICK, A, event, put, running, versions, waiting
from tests.marketplace.relaying import published as messages
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("mongodb")

TOO_LARGE = b"x" * 2_300_000
# Whatever is held back is due again at once.
ALWAYS_DUE = replace(QUICK, hold_seconds=0, max_hold_seconds=0)


@pytest.fixture
def broker(settings: object) -> Iterator[MockBroker]:
    with MockBroker.running() as broker:
        settings.KAFKA_BOOTSTRAP_SERVERS = broker.address
        yield broker


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The topics of what was sent, batch by batch."""
    sent: list[list[str]] = []
    publish = Delivery.publish

    def recorded(self: Delivery, events: list[mongo.Stored]) -> list[mongo.Stored]:
        sent.append([event["topic"] for event in events])
        return publish(self, events)

    monkeypatch.setattr(Delivery, "publish", recorded)
    return sent


def held(relay: Relay, number: int) -> None:
    """Put so many events that the broker rejects into the outbox, of an entity each, and wait until they're known."""
    for version in range(number):
        put(str(ObjectId()), version, payload=TOO_LARGE)
    until(lambda: len(relay.rejected) == number)


def test_probes_take_turns_with_other_events_and_leave_their_batches_alone(
    broker: MockBroker, batches: list[list[str]]
) -> None:
    with running(replace(ALWAYS_DUE, batch_events=20)) as relay:
        held(relay, 5)
        batches.clear()
        mongo.database().outbox.insert_many([event(A, version, topic="post") for version in range(200)])
        until(lambda: len(waiting()) == 5)
    others = [number for number, batch in enumerate(batches) if "post" in batch]
    # They wait for one probe at a time.
    assert all(later - earlier <= 2 for earlier, later in zip(others, others[1:], strict=False))
    assert ["user"] in batches[others[0] : others[-1]]
    # Halved until the rejected ones were found, batches grow again; no probe makes them smaller. The last is the rest.
    sizes = [len(batches[number]) for number in others][:-1]
    assert sizes == sorted(sizes)
    assert sizes[-1] == 20


def test_a_topic_that_rejects_everything_stops_no_other(broker: MockBroker, batches: list[list[str]]) -> None:
    with running(replace(ALWAYS_DUE, max_held=3)) as relay:
        held(relay, 4)
        batches.clear()
        put(str(ObjectId()), 5)  # of the same topic
        for version in range(6, 9):
            put(A, version, topic="post")
        until(lambda: len(waiting()) == 5)
        until(lambda: len(batches) > 20)  # many turns later
    assert versions(messages(broker)) == {A: [6, 7, 8]}


def test_a_topic_is_read_again_when_what_it_rejected_passes(broker: MockBroker) -> None:
    entity = str(ObjectId())
    with running(replace(ALWAYS_DUE, max_held=3)) as relay:
        held(relay, 4)
        put(entity, 5)
        mongo.database().outbox.update_many({"version": {"$lt": 2}}, {"$set": {"payload": b'{"version": 1}'}})
        until(lambda: len(waiting()) == 2)
    assert versions(messages(broker))[entity] == [5]
