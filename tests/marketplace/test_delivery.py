"""The transactional producer: given up, it leaves nothing behind; what readers do not get has not been published."""

import os
import threading
import uuid

import psutil
import pytest
from confluent_kafka import Producer

from marketplace.events import delivery as deliveries
from marketplace.events.delivery import BrokenError, Delivery
from tests.marketplace.mock_broker import MockBroker
from tests.marketplace.relaying import A, event
from tests.waiting import until


def test_a_producer_that_is_dropped_in_mid_batch_ends_its_threads(settings: object) -> None:
    threads = psutil.Process().num_threads
    given_up = threading.Event()
    with MockBroker.running() as broker:
        settings.KAFKA_BOOTSTRAP_SERVERS = broker.address
        before = threads()
        delivery = Delivery(lambda: not given_up.is_set())
        delivery.open()
        broker.go_down()
        given_up.set()
        with pytest.raises(BrokenError):
            delivery.publish([event(A, 1), event(A, 2)])
        assert threads() > before
        del delivery
        until(lambda: threads() <= before)


@pytest.mark.skipif(not os.environ.get("KAFKA_BOOTSTRAP_SERVERS"), reason="the embedded broker hides nothing")
def test_a_batch_that_readers_do_not_get_is_not_published(kafka: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when a broker takes a partition for marked as committed that is not: readers wait in front of the batch."""
    monkeypatch.setattr(deliveries, "READABLE_SECONDS", 1.0)
    first, second = (event(A, version, topic="relays") for version in (1, 2))  # no other test reads that
    other = Producer({"bootstrap.servers": kafka, "transactional.id": f"test-{uuid.uuid4()}"})
    other.init_transactions(20)
    other.begin_transaction()
    other.produce(first["topic"], b"{}", first["key"])
    assert other.flush(20) == 0
    delivery = Delivery(lambda: True)
    delivery.open()
    with pytest.raises(BrokenError, match="cannot be read"):
        delivery.publish([first])
    other.abort_transaction(20)
    assert delivery.publish([second]) == [second]
