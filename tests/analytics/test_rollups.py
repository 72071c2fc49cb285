"""The roll-ups equal the rows, whatever order, repetition and mixture of events the rows come from."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.daily import NEVER, Customer
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


def test_by_hand() -> None:
    """Ada buys on two days and cancels the first one, Bob buys once; what must be there is counted by head."""
    first, second = new_id(), new_id()
    ada, bob = "a" * 24, "b" * 24
    lines = [("p" * 24, "s" * 24, "Red", 2), ("p" * 24, "s" * 24, "Red", 1), ("q" * 24, "t" * 24, None, 3)]
    placed = order(first, 1, "2026-01-31T23:59:59.999Z", ada, "pending", None, lines)  # 2 x 101 + 102 + 3 x 103 cents
    apply(
        placed,
        order(second, 1, "2026-02-01T00:00:00.000Z", ada, "pending", None, lines[:1]),
        order(new_id(), 1, "2026-02-01T08:00:00.000Z", bob, "pending", None, lines[2:]),
    )
    january, february = date(2026, 1, 31), date(2026, 2, 1)
    assert stored() == {
        "daily_users": {},
        "daily_posts": {},
        "daily_orders": {(january, "pending"): (1, 6, 613), (february, "pending"): (2, 5, 505)},
        "daily_sales": {
            (january, "p" * 24, "Red"): (2, 3, 304),
            (january, "q" * 24, ""): (1, 3, 309),
            (february, "p" * 24, "Red"): (1, 2, 202),
            (february, "q" * 24, ""): (1, 3, 303),
        },
        "daily_supplier_sales": {
            (january, "s" * 24): (1, 3, 304),
            (january, "t" * 24): (1, 3, 309),
            (february, "s" * 24): (1, 2, 202),
            (february, "t" * 24): (1, 3, 303),
        },
        "daily_cancellations": {},
        "customer_days": {(ada, january): (1, 613), (ada, february): (1, 202), (bob, february): (1, 303)},
        "customers": {ada: january, bob: february},
        "daily_buyers": {(january, NEVER): (1,), (february, january): (1,), (february, NEVER): (1,)},
        "monthly_cohorts": {
            (date(2026, 1, 1), date(2026, 1, 1)): (1,),
            (date(2026, 1, 1), date(2026, 2, 1)): (1,),
            (february, february): (1,),
        },
    }
    apply(order(first, 2, "2026-01-31T23:59:59.999Z", ada, "cancelled", "Too late", lines), placed)
    found = stored()
    assert found["daily_orders"] == {(january, "cancelled"): (1, 6, 613), (february, "pending"): (2, 5, 505)}
    assert found["daily_cancellations"] == {(january, "Too late"): (1,)}
    assert found["customers"] == {ada: february, bob: february}
    assert found["daily_buyers"] == {(february, NEVER): (2,)}
    assert found["monthly_cohorts"] == {(february, february): (2,)}
    assert (january, "s" * 24) not in found["daily_supplier_sales"]
    apply(order(second, 2, "2026-02-01T00:00:00.000Z", ada, "refunded", None, lines[:1]))
    assert Customer.objects.get(pk=ada).first_day is None
    assert stored()["daily_buyers"] == {(february, NEVER): (1,)}


def test_a_batch_that_is_rolled_back_changes_nothing() -> None:
    made = order(new_id(), 1, DAYS[0], "c" * 24, "pending", None, [("a" * 24, "x" * 24, None, 1)])
    apply(made, event("user.created", new_id()))
    before = stored()
    with undone():
        apply(event("post.created", new_id()), event("user.created", new_id()))
        apply(order(made["entity_id"], 2, DAYS[0], "c" * 24, "cancelled", None, []))
        assert stored() != before
    assert stored() == before == recounted()


LIVES = st.lists(st.one_of(order_lives(), order_lives(), order_lives(), post_lives(), user_lives()), max_size=6)


@examples(120)
@given(log=logs(LIVES.filter(bool)), steps=STEPS)
def test_delivery_as_kafka_may_do_it(log: Any, steps: Any) -> None:
    """Rewinds, replays, batches cut anywhere, two readers of the same partitions: equal after each batch."""
    with undone():
        for batch in batches(log, steps):
            apply(*batch)
            assert stored() == recounted()


@examples(80)
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
