"""Old and new versions side by side, as while an installation is upgraded: event types, and columns of the tables."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.apps import apps
from django.db import connection

from analytics import dead_letters, decoding
from analytics.consumer import EventConsumer
from analytics.models import DeadLetter, Product
from tests.analytics.conftest import Produce, apply
from tests.analytics.events import event, new_id, variant
from tests.analytics.streams import folded, stored
from tests.golden import files
from tests.golden.test_golden import in_order, projected

pytestmark = pytest.mark.django_db(transaction=True)


def an_older_version(monkeypatch: pytest.MonkeyPatch, *unknown: str) -> None:
    """Make the consumer that of a version before these event types."""
    known = {name: how for name, how in decoding._BY_EVENT_TYPE.items() if name not in unknown}
    monkeypatch.setattr(decoding, "_BY_EVENT_TYPE", known)


def test_what_an_older_consumer_does_not_know_is_in_the_tables_after_the_upgrade(
    own_kafka: Produce, group: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    going_on, waiting, ended = new_id(), new_id(), new_id()
    before = [event("product.created", one, variants={"Red": variant()}) for one in (going_on, waiting, ended)]
    unknown = [event("product.published", one, 2, status="active") for one in (going_on, waiting, ended)]
    with monkeypatch.context() as patched:
        an_older_version(patched, "product.published")
        own_kafka([*before, *unknown])
        assert EventConsumer(group).run(once=True).dead == 3
    assert {row.status for row in Product.objects.all()} == {"draft"}
    after = [event("product.updated", going_on, 3, status="active", name="New"), event("product.deleted", ended, 3)]
    apply(*after)  # by the new version
    letters = DeadLetter.objects.filter(state=DeadLetter.OPEN).order_by("offset").values_list("pk", flat=True)
    outcomes = [one.outcome for one in dead_letters.retry(list(letters), "the upgrade")]
    assert sorted(outcomes) == ["already newer", "already newer", "applied"]
    assert stored() == folded([*before, *unknown, *after])
    assert Product.objects.get(pk=waiting).status == "active"


@contextmanager
def columns_of_a_newer_version() -> Iterator[None]:
    """Give each table a column that may be null, and one with a default that the database knows."""
    added = {"from_the_future": "integer NULL", "and_more": "varchar(10) DEFAULT 'x' NOT NULL"}
    names = [model._meta.db_table for model in apps.get_app_config("analytics").get_models() if model._meta.managed]
    change = "ALTER TABLE {} {} COLUMN {}"
    try:
        for table in names:
            _each(change, table, "ADD", [f"{name} {kind}" for name, kind in added.items()])
        yield
    finally:
        for table in names:
            _each(change, table, "DROP", list(added))


def _each(change: str, table: str, verb: str, columns: list[str]) -> None:
    with connection.cursor() as cursor:
        for column in columns:
            cursor.execute(change.format(connection.ops.quote_name(table), verb, column))


def test_an_older_consumer_writes_tables_that_have_got_columns(own_kafka: Produce, group: str) -> None:
    version = files.versions()[-1]
    golden = in_order(files.events(version))
    with columns_of_a_newer_version():
        own_kafka([("user", b"x", b"no event"), ("product", b"x", b"nor this")])
        assert EventConsumer(group).run(once=True).dead == 2
        letter = DeadLetter.objects.first()
        assert letter
        assert [one.is_done for one in dead_letters.discard([letter.pk], "somebody", "a test")] == [True]
        assert projected(*golden) == files.rows(version)[files.ALL]
