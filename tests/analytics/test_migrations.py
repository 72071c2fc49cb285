"""Migrations that change rows, on rows that were there before."""

import hashlib
import itertools

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import IntegrityError, connection
from django.db.migrations.executor import MigrationExecutor
from django.test.utils import CaptureQueriesContext

from analytics.daily import DailyBuyers, DailyOrders
from tests.analytics.conftest import apply
from tests.analytics.events import event, new_id
from tests.analytics.rollups import recounted, stored
from tests.analytics.test_rollups import DAYS, order

BEFORE, AFTER = [("analytics", "0003_rebuild_positions")], [("analytics", "0004_dead_letter_digests")]
# Computed here once more: the digests are stored, so their form is a contract.
BYTES = {b"k": b"\x00v", b"": None, None: b""}


def digest(key: bytes | None, value: bytes | None) -> str:
    lengths = [-1 if raw is None else len(raw) for raw in (key, value)]
    return hashlib.sha256(str(lengths).encode() + (key or b"") + (value or b"")).hexdigest()


@pytest.mark.django_db(transaction=True)
def test_dead_letters_get_their_digests() -> None:
    executor = MigrationExecutor(connection)
    executor.migrate(BEFORE)
    place = {"cluster_id": "c", "topic": "user", "partition": 0, "error": "e"}
    try:
        letters = executor.loader.project_state(BEFORE).apps.get_model("analytics", "DeadLetter").objects
        for n in range(25):
            letters.create(**place, offset=n, key=[*BYTES][n % 3], value=[*BYTES.values()][n % 3])
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes("analytics"))
    letters = executor.loader.project_state(AFTER).apps.get_model("analytics", "DeadLetter").objects
    found = list(letters.order_by("offset").values_list("key", "value", "digest"))
    assert len(found) == 25
    for key, value, kept in found:
        assert kept == digest(*(None if raw is None else bytes(raw) for raw in (key, value)))
    with pytest.raises(IntegrityError):
        letters.create(**place, offset=0, key=b"k", value=b"\x00v", digest=digest(b"k", b"\x00v"))


LINES = [("a" * 24, "x" * 24, "Red", 1), ("a" * 24, "y" * 24, "red", 2), ("b" * 24, "x" * 24, None, 3)]
UNFILLED = [("analytics", "0007_table_indexes")]


def filled_anew() -> int:
    """Migrate to before the roll-ups were filled and back. Return how many statements that took."""
    executor = MigrationExecutor(connection)
    executor.migrate(UNFILLED)
    DailyOrders.objects.all().delete()
    DailyBuyers.objects.update(customers=5)
    executor = MigrationExecutor(connection)
    with CaptureQueriesContext(connection) as queries:
        executor.migrate(executor.loader.graph.leaf_nodes("analytics"))
    return len(queries)


@pytest.mark.django_db(transaction=True)
def test_roll_ups_are_filled_from_rows_that_are_there() -> None:
    events = [event("user.created", new_id()) for _ in range(2)] + [event("post.created", new_id()) for _ in range(2)]
    events.append(event("user.deleted", events[0]["entity_id"], 2))
    for number, (day, status) in enumerate(itertools.product(DAYS, ("pending", "cancelled", "Cancelled"))):
        events.append(
            order(new_id(), 1, day, f"{number % 3:024x}", status, "Too late"[: number % 9], LINES[: number % 4])
        )
    apply(*events)
    expected = recounted()
    filled_anew()
    assert stored() == expected


@pytest.mark.django_db(transaction=True)
def test_roll_ups_are_filled_from_the_first_day_that_there_is_to_the_last() -> None:
    """The last month has none after it; and years without rows cost nothing."""
    for day in ("0001-01-01T00:00:00Z", "2026-02-28T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"):
        user, post, draft = (event(f"{one}.created", new_id()) for one in ("user", "post", "post"))
        for made, published in ((user, None), (post, day), (draft, None)):
            made["data"] |= {"created_at": day, "published_at": published}
        apply(user, post, draft, order(new_id(), 1, day, "c" * 24, "pending", None, LINES))
    expected = recounted()
    assert filled_anew() < 300
    assert stored() == expected


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_new", [True, False])
def test_an_installed_database_gets_the_group_of_analysts_unless_it_has_one(is_new: bool) -> None:
    MigrationExecutor(connection).migrate([("analytics", "0005_daily_tables")])
    try:
        Group.objects.all().delete()
        Permission.objects.filter(content_type__app_label="analytics").delete()
        if not is_new:
            Group.objects.create(name="analyst")
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes("analytics"))
    permissions = Group.objects.get(name="analyst").permissions
    assert permissions.filter(codename="manage_dead_letters", content_type__model="desk").exists() is is_new
    assert permissions.count() == (11 if is_new else 0)
