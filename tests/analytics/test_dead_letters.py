"""Dead letters are retried or discarded once, by somebody, and that is on record."""

import pytest
from django.db import OperationalError, connection

from analytics import dead_letters
from analytics.models import DeadLetter, DeadLetterAction, Order, Product, Tombstone, User
from tests.analytics.conftest import apply
from tests.analytics.events import event, new_id, raw
from tests.analytics.letters import bad_letter, good_letter, letter
from tests.concurrency import at_once

pytestmark = pytest.mark.django_db


def retried(*letters, actor="ann"):
    return [(one.outcome, one.is_done) for one in dead_letters.retry([one.pk for one in letters], actor)]


def audit(letter):
    return list(letter.actions.order_by("pk").values_list("action", "actor", "outcome", "detail"))


def state(letter):
    letter.refresh_from_db()
    return letter.state


def test_a_message_that_is_good_by_now_is_applied():
    sent = event("user.created", new_id(), display_name="Ada")
    found = good_letter(sent)
    before = (bytes(found.key), bytes(found.value), found.error, found.created_at)
    assert retried(found) == [("applied", True)]
    assert User.objects.get(pk=sent["entity_id"]).display_name == "Ada"
    assert state(found) == DeadLetter.RETRIED
    assert audit(found) == [("retry", "ann", "applied", "")]
    assert (bytes(found.key), bytes(found.value), found.error, found.created_at) == before


def test_an_entity_that_has_moved_on_stays_as_it_is():
    user_id = new_id()
    old = good_letter(event("user.updated", user_id, 2, display_name="Two"))
    apply(event("user.updated", user_id, 3, display_name="Three"))
    assert retried(old) == [("already newer", True)]
    assert User.objects.get(pk=user_id).display_name == "Three"
    assert (state(old), audit(old)) == (DeadLetter.RETRIED, [("retry", "ann", "already newer", "")])


def test_a_deleted_entity_does_not_come_back():
    product_id = new_id()
    late = good_letter(event("product.created", product_id))
    apply(event("product.deleted", product_id, 2))
    assert retried(late) == [("already newer", True)]
    assert not Product.objects.filter(pk=product_id).exists()
    assert Tombstone.objects.get(entity_id=product_id).version == 2


def test_a_failure_stays_open_and_stops_nobody_else():
    bad, good = bad_letter(), good_letter()
    assert retried(bad, good) == [("failed", False), ("applied", True)]
    assert [one for one, _ in retried(bad, actor="bob")] == ["failed"]
    assert state(bad) == DeadLetter.OPEN
    reason = "JSON is malformed: invalid character (byte 0)"
    assert audit(bad) == [("retry", "ann", "failed", reason), ("retry", "bob", "failed", reason)]
    assert bad.error == "it was so"


@pytest.mark.django_db(transaction=True)
def test_what_the_database_refuses_fails_and_leaves_no_half_of_it():
    """An order is written before its items; when these are refused, it is not left behind."""
    sqlite = connection.vendor == "sqlite"
    found = good_letter(event("order.created", new_id()))
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TRIGGER picky BEFORE INSERT ON order_items BEGIN SELECT RAISE(ABORT, 'not this one'); END"
            if sqlite
            else "ALTER TABLE order_items ADD CONSTRAINT picky CHECK (item_id <> 'item_2')"
        )
        try:
            assert retried(found) == [("failed", False)]
        finally:
            cursor.execute("DROP TRIGGER picky" if sqlite else "ALTER TABLE order_items DROP CONSTRAINT picky")
    assert not Order.objects.exists()
    assert (state(found), audit(found)[0][2]) == (DeadLetter.OPEN, "failed")
    assert "refused by the database" in audit(found)[0][3]
    assert retried(found) == [("applied", True)]


def test_a_letter_without_key_and_value():
    assert retried(letter(None, None)) == [("failed", False)]


def test_discarding_needs_a_reason_and_keeps_it():
    found = bad_letter()
    with pytest.raises(ValueError, match="reason"):
        dead_letters.discard([found.pk], "ann", "  ")
    assert [one.outcome for one in dead_letters.discard([found.pk], "ann", " spam ")] == ["discarded"]
    assert (state(found), audit(found)) == (DeadLetter.DISCARDED, [("discard", "ann", "discarded", "spam")])
    assert bytes(found.value) == b"\xff{\x1b[31m\n"


def test_a_settled_letter_is_left_alone():
    applied, discarded = good_letter(), good_letter()
    retried(applied)
    list(dead_letters.discard([discarded.pk], "ann", "spam"))
    assert retried(applied, discarded, actor="bob") == [("skipped", True), ("skipped", False)]
    assert [one.is_done for one in dead_letters.discard([applied.pk, discarded.pk], "bob", "spam")] == [False, True]
    assert DeadLetterAction.objects.count() == 2
    assert not DeadLetterAction.objects.filter(actor="bob").exists()


def test_an_unknown_letter_is_a_failure():
    assert [(one.outcome, one.is_done) for one in dead_letters.retry([10**12], "ann")] == [("failed", False)]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="makes SQLite read-only")
def test_a_database_that_takes_no_writes_changes_nothing():
    found = bad_letter()
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA query_only = ON")
        try:
            with pytest.raises(OperationalError):
                retried(found)
        finally:
            cursor.execute("PRAGMA query_only = OFF")
    assert (state(found), audit(found)) == (DeadLetter.OPEN, [])


def test_the_consumer_may_read_a_settled_message_again():
    """As after a replay from the start: the letter of that place is there, and stays settled."""
    found = good_letter()
    retried(found)
    again = DeadLetter(
        cluster_id="c", topic="user", partition=0, offset=found.offset, key=b"k", value=raw({}), error="again"
    )
    DeadLetter.objects.bulk_create([again], ignore_conflicts=True)
    assert DeadLetter.objects.count() == 1
    assert state(found) == DeadLetter.RETRIED


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor == "sqlite", reason="the tests' SQLite is one connection; the command's is not")
def test_of_many_at_once_one_settles_a_letter():
    letters = [good_letter(event("user.updated", new_id(), 2)) for _ in range(40)]

    def work(index):
        try:
            return [one.outcome for one in dead_letters.retry([one.pk for one in letters], f"person {index}")]
        finally:
            connection.close()

    outcomes = [outcome for found in at_once(4, work) for outcome in found]
    assert outcomes.count("applied") == len(letters) == DeadLetterAction.objects.count()
    assert outcomes.count("skipped") == 3 * len(letters)
