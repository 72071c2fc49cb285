"""The relay while MongoDB has written an event, but not to a majority of its nodes yet."""

import pytest
from pymongo.collection import Collection

from marketplace import mongo
from tests.marketplace.mock_broker import MockBroker
from tests.marketplace.relaying import A, published, put, running, versions
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("mongodb")


def test_an_event_without_a_majority_is_waited_for_without_a_rush(
    settings: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[str] = []
    streams: list[str] = []
    watch = Collection.watch
    client = mongo.client()
    with client.start_session(snapshot=True) as session:
        mongo.database().outbox.find_one(session=session)
        before = session._snapshot_time  # PyMongo has no public name for it

    def behind() -> object:
        """What a majority has had before the event: what it still has while it lags."""
        reads.append("snapshot")
        session = client.start_session(snapshot=True)
        session._snapshot_time = before
        return session

    monkeypatch.setattr(Collection, "watch", lambda *args, **options: (streams.append("w"), watch(*args, **options))[1])
    with MockBroker.running() as broker:
        settings.KAFKA_BOOTSTRAP_SERVERS = broker.address
        with monkeypatch.context() as lagging:
            lagging.setattr(mongo, "snapshot", behind)
            with running() as relay:
                until(lambda: len(streams) == 1)
                put(A, 1)
                seen = len(reads)
                until(lambda: len(reads) > seen + 20)
                assert (relay.published, len(streams)) == (0, 1)
                lagging.undo()
                until(lambda: relay.published == 1)
        assert versions(published(broker)) == {A: [1]}
