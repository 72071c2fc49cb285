"""The roll-ups equal the rows, whatever order, repetition and mixture of events the rows come from."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.analytics.conftest import apply
from tests.analytics.events import event, item, new_id
from tests.analytics.rollups import recounted, stored
from tests.analytics.streams import STEPS, batches, logs
from tests.analytics.test_order_and_repetition import examples, undone

pytestmark = pytest.mark.django_db

# Few of each, so that orders share days, customers, products and suppliers; days at the end of a month and of a year.
DAYS = ("2025-12-31T23:59:59.999Z", "2026-01-01T00:00:00.000Z", "2026-01-31T12:00:00Z", "2026-02-01T12:00:00Z")
MOMENTS = st.sampled_from(DAYS)
CUSTOMERS = st.sampled_from(["c" * 24, "d" * 24])
ORDER_STATUSES = ("pending", "confirmed", "cancelled", "refunded", "failed", "Cancelled")
REASONS = st.sampled_from([None, "", "Too late", "too late", "too late "])
VARIANTS = st.sampled_from([None, "Red", "red", "Réd", "red "])
LINES = st.builds(
    lambda product, supplier, variant, quantity: (product * 24, supplier * 24, variant, quantity),
    st.sampled_from("ab"),
    st.sampled_from("xy"),
    VARIANTS,
    st.integers(1, 3),
)


def line(number: int, product: str, supplier: str, variant: str | None, quantity: int = 1) -> dict[str, Any]:
    made = item(number, quantity=quantity, price=100 + number)
    made["product_snapshot"] |= {"product_id": product, "supplier_id": supplier, "variant_name": variant}
    return made


def order(
    order_id: str, version: int, day: str, customer: str, status: str, reason: str | None, lines: Any
) -> dict[str, Any]:
    made = event("order.created" if version == 1 else "order.cancelled", order_id, version)
    made["data"] |= {
        "created_at": day,
        "status": status,
        "cancellation": {"reason": reason, "cancelled_at": day} if status == "cancelled" else None,
        "items": [line(number, *one) for number, one in enumerate(lines, 1)],
    }
    made["data"]["customer"] |= {"user_id": customer}
    return made


@st.composite
def order_lives(draw: Any) -> list[dict[str, Any]]:
    """Draw the events of an order; even what never changes in this application may change."""
    order_id, day, customer = new_id(), draw(MOMENTS), draw(CUSTOMERS)
    events = []
    for version in range(1, draw(st.integers(1, 3)) + 1):
        if draw(st.integers(0, 5)) == 0:
            day, customer = draw(MOMENTS), draw(CUSTOMERS)
        lines = draw(st.lists(LINES, max_size=3))
        status = draw(st.sampled_from(ORDER_STATUSES))
        events.append(order(order_id, version, day, customer, status, draw(REASONS), lines))
    return events


@st.composite
def post_lives(draw: Any) -> list[dict[str, Any]]:
    """Draw the events of a post with its statistics at the bounds of the tiers."""
    post_id, day, published = new_id(), draw(MOMENTS), draw(st.none() | MOMENTS)
    events = []
    last = draw(st.integers(1, 3))
    for version in range(1, last + 1):
        if version == last > 1 and draw(st.booleans()):
            events.append(event("post.deleted", post_id, version))
            continue
        made = event("post.updated" if version > 1 else "post.created", post_id, version)
        views, likes = draw(st.sampled_from([(0, 5), (70, 7), (69, 7), (71, 7), (60, 3), (61, 3), (150, 3), (151, 3)]))
        made["data"] |= {"created_at": day, "published_at": published}
        made["data"]["stats"] |= {"view_count": views, "like_count": likes}
        events.append(made)
        published = published or draw(st.none() | MOMENTS)
    return events


@st.composite
def user_lives(draw: Any) -> list[dict[str, Any]]:
    """Draw the events of a user who may be deleted."""
    user_id, day, last = new_id(), draw(MOMENTS), draw(st.integers(1, 3))
    events = [event("user.created" if number == 1 else "user.updated", user_id, number) for number in range(1, last)]
    for one in events:
        one["data"]["created_at"] = day
    return [*events, event("user.deleted", user_id, last)]


LIVES = st.lists(st.one_of(order_lives(), order_lives(), order_lives(), post_lives(), user_lives()), max_size=6)


@examples(250)
@given(log=logs(LIVES.filter(bool)), steps=STEPS)
def test_delivery_as_kafka_may_do_it(log: Any, steps: Any) -> None:
    """Rewinds, replays, batches cut anywhere, two readers of the same partitions: equal after each batch."""
    with undone():
        for batch in batches(log, steps):
            apply(*batch)
            assert stored() == recounted()


@examples(150)
@given(lives=LIVES, order=st.randoms(use_true_random=False), cuts=st.lists(st.integers(1, 6), min_size=20, max_size=20))
def test_any_order_at_all(lives: Any, order: Any, cuts: list[int]) -> None:
    """As after dead letters that were retried late."""
    sent = [one for events in lives for one in events]
    delivered = order.sample(sent, len(sent))
    with undone():
        for cut in cuts:
            batch, delivered = delivered[:cut], delivered[cut:]
            apply(*batch)
            assert stored() == recounted()
