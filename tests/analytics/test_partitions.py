"""An entity's events in two partitions, as after partitions were added: the tables end right, whichever comes first.

Keys are mapped to partitions by their hash, so in a topic that has grown an entity's later events are elsewhere than
its earlier ones, and nobody keeps their order. Versions decide.
"""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import Producer
from django.conf import settings

from analytics.consumer import EventConsumer
from analytics.models import DailyOrders, Order, User
from tests.analytics.events import event, new_id, raw
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)

OLD, NEW = 0, 3  # partitions


@pytest.fixture
def consumer(own_kafka: Any, group: str) -> Iterator[EventConsumer]:
    """A consumer at work."""
    stop = threading.Event()
    consumer = EventConsumer(group, stop=stop)
    running = threading.Thread(target=consumer.run)
    running.start()
    yield consumer
    stop.set()
    running.join()


def produce(consumer: EventConsumer, partition: int, *envelopes: dict[str, Any]) -> None:
    """Produce events to a partition, and wait until they are stored."""
    read = consumer.counts.read
    producer = Producer({"bootstrap.servers": settings.KAFKA_BOOTSTRAP_SERVERS})
    for envelope in envelopes:
        topic = envelope["event_type"].partition(".")[0]
        producer.produce(topic, raw(envelope), envelope["entity_id"].encode(), partition)
    assert producer.flush(20) == 0
    # SQLite in memory would refuse to be asked while the consumer writes.
    until(lambda: consumer.counts.read == read + len(envelopes), 20, "the events of the partition")


def test_later_events_come_first_from_a_new_partition(consumer: EventConsumer) -> None:
    order, user, gone = new_id(), new_id(), new_id()
    later = event("order.cancelled", order, 2, status="cancelled"), event("user.deleted", gone, 2)
    produce(consumer, NEW, *later, event("user.updated", user, 3, profile={"display_name": "Third"}))
    earlier = event("order.created", order), event("user.created", gone), event("user.updated", user, 2)
    produce(consumer, OLD, *earlier)
    assert (Order.objects.get(pk=order).version, User.objects.get(pk=user).version) == (2, 3)
    assert User.objects.get(pk=gone).deleted_at
    # Counted once, under the status that it has ended with.
    assert list(DailyOrders.objects.filter(orders__gt=0).values_list("status", "orders")) == [("cancelled", 1)]
