"""Order events of three lines for the consumer and the relay, made from an order that the API has stored."""

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from bson import ObjectId

from marketplace import mongo
from marketplace.events.outbox import OUTBOX, envelope
from marketplace.representation import to_json
from orders.documents import Order
from orders.events import ORDER_CREATED

Stored = dict[str, Any]


def order_events(template: Stored, number: int) -> Iterator[Stored]:
    """Give outbox documents of `number` new orders, each a copy of `template` with its own id, number and time."""
    for count in range(number):
        moment = template["updated_at"] + timedelta(milliseconds=count + 1)
        changes = {
            "_id": ObjectId(),
            "order_number": f"ORD-20260101-{count:08}",
            "created_at": moment,
            "updated_at": moment,
            "version": 1,
        }
        yield _in_outbox(template | changes)


def _in_outbox(order: Stored) -> Stored:
    event = envelope(Order, order, ORDER_CREATED)
    return {
        "_id": event["event_id"],
        "topic": ORDER_CREATED.topic,
        "key": str(order["_id"]),
        "event_type": ORDER_CREATED.name,
        "version": order["version"],
        "timestamp": order["updated_at"],
        "traceparent": f"00-{uuid.uuid4().hex}-{uuid.uuid4().hex[:16]}-01",
        "payload": to_json(event),
    }


def stored_order() -> Stored:
    """Return the newest order of three lines."""
    found = Order.collection().find_one({"items": {"$size": 3}}, sort=[("_id", -1)])
    if found is None:
        raise RuntimeError("place an order of three lines first")
    return found


def outbox() -> Any:
    """Return the collection that the relay reads."""
    return mongo.database()[OUTBOX]
