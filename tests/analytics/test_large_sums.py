"""Numbers that are too large to be added up: one event is refused, and everything else goes on."""

import pytest
from django.db import DatabaseError

from analytics.batches import Received, store
from analytics.consumer import EventConsumer
from analytics.daily import DailyOrders, DailyPosts
from analytics.models import DeadLetter, Order, Post, User
from analytics.offsets import OffsetStore
from analytics.outages import is_bad_value
from marketplace.fields import MAX_COUNT
from tests.analytics.conftest import Envelope, Produce, apply
from tests.analytics.events import event, new_id, raw
from tests.analytics.rollups import recounted, stored
from tests.analytics.test_rollups import order

pytestmark = pytest.mark.django_db(transaction=True)

LINES = [("a" * 24, "x" * 24, None, 1)]


def post(day: str = "2026-01-01", count: int = MAX_COUNT) -> Envelope:
    made = event("post.created", new_id())
    made["data"] |= {"created_at": f"{day}T00:00:00.000Z", "published_at": f"{day}T00:00:00.000Z"}
    names = ("view_count", "like_count", "comment_count", "share_count", "save_count")
    made["data"]["stats"] |= dict.fromkeys(names, count)
    return made


def placed(total: int) -> Envelope:
    made = order(new_id(), 1, "2026-01-01T00:00:00.000Z", "c" * 24, "pending", None, LINES)
    made["data"]["items"][0]["total_cents"] = total
    return made


def test_the_largest_counts_that_the_api_takes_are_added_up_exactly() -> None:
    apply(*[post() for _ in range(200)])
    apply(*[post() for _ in range(50)], placed(MAX_COUNT))
    apply(placed(MAX_COUNT))
    assert DailyPosts.objects.get().interactions == 1000 * MAX_COUNT
    assert DailyOrders.objects.get().total_cents == 2 * MAX_COUNT
    assert stored() == recounted()


def test_one_event_too_many_becomes_a_dead_letter_and_the_others_are_stored(own_kafka: Produce, group: str) -> None:
    apply(post(count=10), placed(10))
    DailyPosts.objects.update(interactions=2**63 - 1)
    DailyOrders.objects.update(total_cents=2**63 - 1)
    large = [post(), placed(10)]
    own_kafka([event("user.created", new_id()), *large, *[post("2026-01-02") for _ in range(3)]])
    counts = EventConsumer(group).run(once=True)
    assert (counts.read, counts.changed, counts.dead) == (6, 4, 2)
    assert (User.objects.count(), Post.objects.count(), Order.objects.count()) == (1, 4, 1)
    letters = {bytes(letter.key).decode(): letter.error for letter in DeadLetter.objects.all()}
    assert "a sum in daily_posts would go beyond 64 bits" in letters[large[0]["entity_id"]]
    assert "a sum in daily_orders would go beyond 64 bits" in letters[large[1]["entity_id"]]
    assert DailyPosts.objects.get(day="2026-01-01").interactions == 2**63 - 1
    assert DailyOrders.objects.get().orders == 1


def test_a_batch_that_goes_beyond_in_itself_is_tried_in_parts() -> None:
    offsets = OffsetStore("g", "c")
    offsets.create({("post", 0): 0})
    posts = [post() for _ in range(300)]
    messages = [Received(("post", 0), n, one["entity_id"].encode(), raw(one)) for n, one in enumerate(posts)]
    with pytest.raises(DatabaseError, match="daily_posts would go beyond 64 bits") as refused:
        store(messages, offsets, {("post", 0): 0}, bad_in_a_row=0, bad_limit=50)
    assert is_bad_value(refused.value)
    assert not Post.objects.exists()
    store(messages[:250], offsets, {("post", 0): 0}, bad_in_a_row=0, bad_limit=50)
    assert Post.objects.count() == 250
