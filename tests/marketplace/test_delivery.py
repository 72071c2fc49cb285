"""The transactional producer: one that is given up leaves nothing behind."""

import threading

import psutil
import pytest

from marketplace.events.delivery import BrokenError, Delivery
from tests.marketplace.mock_broker import MockBroker
from tests.marketplace.relaying import A, event, until


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
