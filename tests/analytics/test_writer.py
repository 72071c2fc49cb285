"""Versions, repeats, replays and batches: the tables end the same however events arrive."""

import random

import pytest

from analytics.models import Order, Post, Product, ProductVariant, Supplier, Tombstone, User
from tests.analytics.conftest import apply
from tests.analytics.events import event, new_id, variant

pytestmark = pytest.mark.django_db


def test_an_older_or_equal_version_changes_nothing():
    user_id = new_id()
    apply(event("user.updated", user_id, 5, display_name="Five"))
    assert apply(event("user.updated", user_id, 5, display_name="Again")) == 0
    assert apply(event("user.created", user_id, 1, display_name="One")) == 0
    assert User.objects.get(pk=user_id).display_name == "Five"


def test_the_newest_of_a_batch_wins_in_any_order():
    user_id = new_id()
    apply(*(event("user.updated", user_id, version, display_name=f"v{version}") for version in (2, 4, 1, 3)))
    assert User.objects.get(pk=user_id).display_name == "v4"


@pytest.mark.parametrize(("entity", "model"), [("supplier", Supplier), ("product", Product)])
def test_a_removed_row_does_not_come_back(entity, model):
    entity_id = new_id()
    created, deleted = event(f"{entity}.created", entity_id), event(f"{entity}.deleted", entity_id, 3)
    apply(created)
    apply(deleted)
    for late in (created, event(f"{entity}.updated", entity_id, 2), deleted):
        assert apply(late) == 0
    assert not model.objects.filter(pk=entity_id).exists()


@pytest.mark.parametrize("entity", ["supplier", "product"])
def test_a_deletion_before_anything_else_still_guards(entity):
    entity_id = new_id()
    apply(event(f"{entity}.deleted", entity_id, 3))
    assert apply(event(f"{entity}.created", entity_id, 1)) == 0


@pytest.mark.parametrize(("entity", "model"), [("user", User), ("post", Post)])
def test_a_late_state_never_looks_undeleted(entity, model):
    entity_id = new_id()
    deleted = event(f"{entity}.deleted", entity_id, 3)
    assert apply(deleted) == 1
    assert not model.objects.filter(pk=entity_id).exists()
    assert Tombstone.objects.get(entity_id=entity_id).version == 3
    assert apply(deleted) == 0
    for late in (event(f"{entity}.created", entity_id, 1), event(f"{entity}.updated", entity_id, 2), deleted):
        apply(late)
        assert model.objects.get(pk=entity_id).deleted_at is not None
    assert model.objects.get(pk=entity_id).version == 3


@pytest.mark.parametrize(("entity", "model"), [("user", User), ("post", Post)])
def test_a_whole_life_within_one_batch(entity, model):
    entity_id = new_id()
    deleted = event(f"{entity}.deleted", entity_id, 3)
    apply(event(f"{entity}.created", entity_id), event(f"{entity}.updated", entity_id, 2), deleted)
    stored = model.objects.get(pk=entity_id)
    assert (stored.version, stored.event_id) == (3, deleted["event_id"])
    assert stored.deleted_at is not None


def life(entity: str, entity_id: str) -> list[dict]:
    """Return all events of an entity from its creation to its end."""
    if entity == "order":
        return [event("order.created", entity_id), event("order.cancelled", entity_id, 2)]
    changes = [{"variants": {"A": variant()}}, {"variants": {"A": variant("2"), "B": variant()}}, {}]
    updates = [
        event(f"{entity}.updated", entity_id, version, **(changes[version % 3] if entity == "product" else {}))
        for version in (2, 3, 4)
    ]
    return [event(f"{entity}.created", entity_id), *updates, event(f"{entity}.deleted", entity_id, 5)]


def as_delivered(chance: random.Random, lives: list[list[dict]]) -> list[dict]:
    """Return the events as Kafka may deliver them: each entity in order, interleaved, with rewinds."""
    places = [0] * len(lives)
    delivered = []
    while any(place < len(events) for place, events in zip(places, lives, strict=True)):
        which = chance.randrange(len(lives))
        if places[which] < len(lives[which]):
            delivered.append(lives[which][places[which]])
            places[which] += 1
        if chance.random() < 0.2:
            places[which] = chance.randrange(places[which] + 1)
    return delivered


def rows():
    tables = [model.objects.order_by("pk").values() for model in (User, Supplier, Product, Order, Post)]
    variants = ProductVariant.objects.order_by("product_id", "variant_key").values(
        "product_id", "variant_key", "variant_id"
    )
    return [list(table) for table in (*tables, variants)]


@pytest.mark.parametrize("seed", range(12))
def test_any_delivery_and_any_batches_end_the_same(seed):
    chance = random.Random(seed)
    lives = [life(entity, new_id()) for entity in ("user", "supplier", "product", "order", "post") * 2]
    lives = [events[: chance.randint(1, len(events))] for events in lives]
    delivered = as_delivered(chance, lives)
    while delivered:
        size = chance.randint(1, 12)
        apply(*delivered[:size])
        delivered = delivered[size:]
    found = rows()
    for model in (User, Supplier, Product, Order, Post, Tombstone):
        model.objects.all().delete()
    for events in lives:
        for one in events:
            apply(one)
    assert found == rows()


def test_a_batch_of_500_with_several_events_per_entity():
    ids = [new_id() for _ in range(100)]
    sent = [
        event(
            "product.created" if version == 1 else "product.updated",
            product_id,
            version,
            variants={"A": variant(str(version))},
        )
        for version in range(1, 6)
        for product_id in ids
    ]
    assert len(sent) == 500
    assert apply(*sent) == 100
    assert apply(*sent) == 0
    assert set(Product.objects.filter(pk__in=ids).values_list("version", flat=True)) == {5}
    variants = ProductVariant.objects.filter(product_id__in=ids)
    assert list(variants.values_list("variant_id", flat=True)) == ["5"] * 100


def test_statements_do_not_grow_with_the_batch(django_assert_max_num_queries):
    few = [event("order.created", new_id()) for _ in range(2)]
    # Versions, tombstones, old items, orders, items, and the savepoint of the test; eight of roll-ups.
    with django_assert_max_num_queries(15):
        apply(*few)
    with django_assert_max_num_queries(15):
        apply(*(event("order.created", new_id()) for _ in range(200)))


@pytest.mark.parametrize("entity", ["supplier", "product"])
def test_what_has_no_roll_ups_costs_nothing_for_them(entity, django_assert_num_queries):
    # Versions, tombstones, the row, and the savepoint of the test; for products also variants.
    with django_assert_num_queries(5 if entity == "supplier" else 6):
        apply(event(f"{entity}.created", new_id()))
