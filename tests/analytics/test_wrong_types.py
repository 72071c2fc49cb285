"""SQLite stores a value of any type in any column: what somebody wrote there by hand is altered, and no crash."""

from collections.abc import Callable

import pytest
from django.db import connection

from analytics import dead_letters
from analytics.comparison import Kind
from analytics.decoding import DECODERS
from analytics.mending import rebuild
from analytics.models import DeadLetter, OrderItem, Product, Tombstone, User
from analytics.readable import pretty, readable
from analytics.verification import Verification
from tests.analytics import shop
from tests.analytics.conftest import apply
from tests.analytics.events import event, new_id
from tests.analytics.letters import good_letter

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="other databases hold to the columns' types"),
]

TEXT, BYTES = "'abc'", "x'fffe'"
PLANTED = [
    (User, "version", TEXT),
    (User, "version", "1.5"),
    (User, "version", BYTES),
    (User, "email", BYTES),
    (User, "created_at", TEXT),
    (Product, "view_count", TEXT),
    (OrderItem, "item_id", BYTES),
    (OrderItem, "quantity", TEXT),
    (OrderItem, "product_name", BYTES),
]


def plant(model: type, column: str, value: str) -> None:
    """Write a value past all conversions into the first row."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET {column} = {value}"  # noqa: S608
            f" WHERE rowid = (SELECT min(rowid) FROM {table})"
        )


def repair(decoder) -> dict:
    return Verification(decoder, settle_seconds=0, repair=True).run().counts


def rebuild_kinds(decoder) -> dict:
    return rebuild(decoder, batch_size=7).kinds


@pytest.mark.usefixtures("mongodb")
@pytest.mark.parametrize("mend", [repair, rebuild_kinds])
def test_values_of_another_type_are_altered(mend: Callable) -> None:
    shop.fill()
    shop.project()
    before = shop.tables()
    for model, column, value in PLANTED:
        plant(model, column, value)
        found = [kind for decoder in DECODERS for kind in mend(decoder).elements()]
        assert found == [Kind.ALTERED], (model, column, value)
        assert shop.tables() == before
    with connection.cursor() as cursor:
        planted = cursor.execute("UPDATE tombstones SET version = 'abc' WHERE entity = 'product'").rowcount
    assert planted
    assert mend(DECODERS[2]) == {Kind.ALTERED: planted}
    assert all(isinstance(version, int) for version in Tombstone.objects.values_list("version", flat=True))


@pytest.mark.parametrize("value", [TEXT, BYTES])
def test_an_event_replaces_what_has_no_version(value: str) -> None:
    created = event("user.created", new_id())
    apply(created)
    plant(User, "version", value)
    assert apply(event("user.updated", created["entity_id"], 2)) == 1
    assert User.objects.get().version == 2


def test_letters_whose_bytes_were_written_as_text() -> None:
    letter = good_letter()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE dead_letters SET value = CAST(value AS TEXT), key = CAST(key AS TEXT)")
    changed = DeadLetter.objects.get()
    assert isinstance(changed.value, str)
    assert readable(changed.key) == readable(letter.key)
    assert pretty(changed.value) == pretty(letter.value)
    assert [one.outcome for one in dead_letters.retry([letter.pk], "ann")] == ["applied"]
