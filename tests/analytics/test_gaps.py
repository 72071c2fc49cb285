"""Versions that are missing: counted once, when a later one comes; never for repeats, replays and rebuilt rows."""

import logging

import pytest

from analytics.consumer import EventConsumer
from analytics.models import Order, Tombstone, User
from analytics.writer import Gap
from tests.analytics.conftest import applied
from tests.analytics.events import event, new_id


def versions(entity_id: str, *numbers: int, entity: str = "user") -> list[dict]:
    """Return an event of each version."""
    return [event(f"{entity}.created" if n == 1 else f"{entity}.updated", entity_id, n) for n in numbers]


def gaps(*envelopes: dict) -> list[tuple[int, int]]:
    return [(gap.missing, gap.before) for gap in applied(*envelopes).gaps]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("batches", "expected"),
    [
        ([[1, 2, 3], [4]], []),
        ([[1], [3]], [(1, 3)]),
        ([[1, 5]], [(3, 5)]),
        ([[1, 3, 6]], [(3, 6)]),
        ([[4]], [(3, 4)]),
        ([[2, 1, 3]], []),
        ([[1, 2], [1, 2], [2, 3], [1], [4]], []),
        ([[1, 4], [2, 3], [4], [5]], [(2, 4)]),
        ([[1, 1, 3, 3]], [(1, 3)]),
    ],
)
def test_versions_between_the_row_and_the_newest(batches, expected):
    user_id = new_id()
    assert [gap for numbers in batches for gap in gaps(*versions(user_id, *numbers))] == expected


@pytest.mark.django_db
def test_a_gap_names_its_entity():
    user_id, order_id = new_id(), new_id()
    found = applied(event("order.cancelled", order_id, 2), *versions(user_id, 1, 4)).gaps
    assert found == [Gap("user", user_id, 2, 4), Gap("order", order_id, 1, 2)]
    assert str(found[0]) == f"2 of user {user_id} before version 4"


@pytest.mark.django_db
@pytest.mark.parametrize("entity", ["user", "supplier"])
def test_a_tombstone_knows_a_version_as_a_row_does(entity):
    entity_id = new_id()
    assert gaps(event(f"{entity}.deleted", entity_id, 3)) == [(2, 3)]
    assert Tombstone.objects.get(entity_id=entity_id).version == 3
    assert gaps(*versions(entity_id, 1, 2, entity=entity), event(f"{entity}.deleted", entity_id, 3)) == []
    assert gaps(*versions(entity_id, 5, entity=entity)) == [(1, 5)]


@pytest.mark.django_db
def test_a_deletion_that_follows_the_newest_state_closes_no_gap_and_makes_none():
    supplier_id = new_id()
    assert gaps(*versions(supplier_id, 1, 2, entity="supplier"), event("supplier.deleted", supplier_id, 3)) == []
    other = new_id()
    assert gaps(*versions(other, 1, entity="supplier"), event("supplier.deleted", other, 3)) == [(1, 3)]


@pytest.mark.django_db
def test_a_row_from_elsewhere_is_the_base():
    user_id = new_id()
    applied(*versions(user_id, 1))
    User.objects.filter(pk=user_id).update(version=7)  # as a rebuild from MongoDB leaves it
    assert gaps(*versions(user_id, 2, 3)) == []
    assert gaps(*versions(user_id, 4, 5, 6, 7, 8)) == []
    assert gaps(*versions(user_id, 10)) == [(1, 10)]


@pytest.mark.django_db(transaction=True)
def test_the_consumer_counts_them_and_names_a_few(own_kafka, group, caplog):
    ids = [new_id() for _ in range(7)]
    own_kafka(event("order.cancelled", order_id, 2) for order_id in ids)
    with caplog.at_level(logging.WARNING):
        counts = EventConsumer(group).run(once=True)
    assert (counts.changed, counts.gaps) == (7, 7)
    assert Order.objects.count() == 7
    assert ", 7 versions missing" in str(counts)
    [report] = [record.getMessage() for record in caplog.records if "versions missing" in record.getMessage()]
    assert report.startswith("7 versions missing, among them 1 of order ")
    assert sum(order_id in report for order_id in ids) == 5
