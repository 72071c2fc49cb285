"""The consumer against a Kafka broker and a SQL database."""

import pytest

from analytics.consumer import EventConsumer
from analytics.models import Order
from tests.analytics.events import event, new_id

pytestmark = pytest.mark.django_db(transaction=True)


def test_events_become_rows(produce, group):
    ids = [new_id() for _ in range(20)]
    produce(event("order.created", order_id) for order_id in ids)
    counts = EventConsumer(group).run(once=True)
    assert counts.read >= 20
    assert Order.objects.filter(pk__in=ids).count() == 20
    assert Order.objects.get(pk=ids[0]).items.count() == 3
