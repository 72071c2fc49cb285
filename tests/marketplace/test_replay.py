"""Filling analytics again after the embedded broker forgot its messages, with the real relay and consumer."""

import threading
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command

from analytics import models
from analytics.consumer import EventConsumer
from catalog import services as catalog
from catalog.documents import Supplier
from marketplace.callers import SYSTEM
from marketplace.embedded import replay
from marketplace.embedded.kafka import EmbeddedKafka
from marketplace.events.relay import Relay
from users import services as users
from users.documents import User

pytestmark = [pytest.mark.usefixtures("mongodb"), pytest.mark.django_db(transaction=True)]

# Columns that say when and by which event a row was written, or a child's own number.
INCIDENTAL = {"id", "event_id", "next_offset", "cluster_id", "updated_at"}


def make_demo_data() -> None:
    """All kinds of documents, with deleted ones of each kind that can be deleted."""
    for command, count in (("seed", 2), ("generate_products", 6), ("generate_posts", 30), ("generate_orders", 5)):
        call_command(command, count=count, verbosity=0)
    first, second = (str(found["_id"]) for found in User.collection().find({"deleted_at": None}).limit(2))
    users.user_delete(caller=SYSTEM, identifier=first)
    users.user_update(caller=SYSTEM, identifier=second, changes={"profile.bio": "Changed"})
    supplier = Supplier.collection().find_one({})
    catalog.supplier_delete(caller=SYSTEM, identifier=str(supplier["_id"]))


def project(settings: Any) -> None:
    """Let relay and consumer do all that there is to do, with a broker that has just been started."""
    broker = EmbeddedKafka()
    settings.KAFKA_BOOTSTRAP_SERVERS = broker.start()
    replay.forget_offsets()
    Relay(threading.Event(), once=True).run()
    EventConsumer("analytics").run(once=True)
    broker.stop()


def tables() -> dict[str, list[dict[str, Any]]]:
    """Return what the seven tables show."""
    return {
        model._meta.db_table: sorted(
            ({name: value for name, value in row.items() if name not in INCIDENTAL} for row in model.objects.values()),
            key=str,
        )
        for model in apps.get_app_config("analytics").get_models()
        if model not in (models.ConsumerOffset, models.Tombstone, models.DeadLetter, models.DeadLetterAction)
    }


def test_lost_events_are_made_up_for(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    make_demo_data()
    assert replay.is_waiting()
    project(settings)
    assert replay.is_complete()
    before = tables()
    assert all(before.values())

    # The broker had these, and ended.
    assert models.User.objects.filter(version=2, deleted_at=None).update(version=1, bio="Before the update") == 1
    models.User.objects.filter(deleted_at__isnull=False).delete()
    models.Post.objects.all().delete()
    models.Product.objects.first().delete()
    assert not replay.is_complete()

    monkeypatch.setattr(replay, "PORTION", 25)
    replay.clear_if_wrong()
    sizes = []
    while missing := replay.missing():
        sizes.append(len(missing))
        assert len(replay.announce(missing)) == min(25, len(missing))
        project(settings)
    assert replay.is_complete()
    assert len(sizes) > 1
    assert sizes == sorted(sizes, reverse=True)
    assert tables() == before


def test_only_wrong_tables_are_emptied(settings: Any) -> None:
    call_command("seed", count=1, verbosity=0)
    project(settings)
    row = models.Supplier.objects.values().get()
    replay.clear_if_wrong()
    assert replay.is_complete()
    assert models.Supplier.objects.values().get() == row

    # This one was removed from MongoDB; the event that was to remove its row is lost.
    models.Supplier.objects.create(**row | {"supplier_id": "f" * 24})
    replay.clear_if_wrong()
    assert not models.Supplier.objects.exists()
    replay.announce(replay.missing())
    project(settings)
    assert replay.is_complete()
    assert models.Supplier.objects.get().supplier_id == row["supplier_id"]
