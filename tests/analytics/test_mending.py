"""Rebuilding the tables from MongoDB: they end as the consumer would have left them, whatever was in them before."""

import os
import signal
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection, transaction
from django.db.models import F
from django.utils import timezone

from analytics import mending
from analytics import models as tables
from analytics.attempts import ATTEMPTS
from analytics.bookkeeping import RebuildPosition
from analytics.decoding import DECODERS
from analytics.mending import rebuild
from analytics.models import Post, Product
from analytics.offsets import OffsetStore, lock_topic
from analytics.outages import BackOff
from catalog import services as catalog
from marketplace import mongo
from marketplace.callers import SYSTEM
from tests.analytics import shop
from tests.analytics.shell import run
from users.documents import User

pytestmark = [pytest.mark.usefixtures("mongodb"), pytest.mark.django_db(transaction=True)]


def rebuild_all(batch_size: int = 500) -> dict:
    return {one.projection.entity: rebuild(one, batch_size=batch_size) for one in DECODERS}


@pytest.mark.parametrize("batch_size", [1, 3, 500])
def test_emptied_tables_end_as_the_consumer_had_left_them(batch_size: int) -> None:
    shop.fill()
    shop.project()
    before = shop.tables()
    assert all(before.values())
    shop.empty()
    done = rebuild_all(batch_size)
    assert shop.tables() == before
    assert {kind for one in done.values() for kind in one.kinds} == {"missing"}
    assert not any(one.kinds for one in rebuild_all().values())


def test_a_stopped_rebuild_goes_on_where_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    shop.fill()
    shop.project()
    before = shop.tables()
    shop.empty()
    posts = DECODERS[-1]
    batches = iter((None, None))

    def stop_at_the_third(_documents: int) -> None:
        if next(batches, KeyboardInterrupt) is KeyboardInterrupt:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rebuild(posts, batch_size=5, progress=stop_at_the_third)
    assert Post.objects.count() == 15
    Post.objects.filter(pk=before["posts"][0]["post_id"]).delete()  # behind the position: not looked at again
    assert rebuild(posts, batch_size=5).documents == len(before["posts"]) - 15
    assert Post.objects.count() == len(before["posts"]) - 1
    assert not RebuildPosition.objects.exists()

    with pytest.raises(KeyboardInterrupt):
        rebuild(posts, batch_size=5, progress=stop_at_the_third)
    call_command("rebuild_analytics", "--only=posts")
    told = capsys.readouterr().out
    assert "posts: going on after " in told
    assert f"where a run stopped at {timezone.now():%Y-%m-%d}" in told
    assert "(--restart begins anew)" in told
    Post.objects.first().delete()
    RebuildPosition.objects.create(entity="post", document_id="f" * 24, row_id="f" * 24)
    call_command("rebuild_analytics", "--restart")
    assert "1 missing" in capsys.readouterr().out
    assert shop.tables() == before


def test_a_rebuild_that_was_stopped_long_ago_begins_anew() -> None:
    shop.fill()
    shop.project()
    Post.objects.first().delete()
    posts = DECODERS[-1]
    RebuildPosition.objects.create(entity="post", document_id="f" * 24, row_id="f" * 24)
    assert rebuild(posts, batch_size=5).mended == 0
    RebuildPosition.objects.create(entity="post", document_id="f" * 24, row_id="f" * 24)
    RebuildPosition.objects.update(at=timezone.now() - mending.RESUMED_WITHIN - timedelta(seconds=1))
    assert rebuild(posts, batch_size=5).mended == 1


def test_documents_deleted_before_their_last_change_was_kept() -> None:
    shop.fill()
    shop.project()
    User.collection().update_many({}, {"$unset": {"changed_at": 1}})
    rebuild_all()
    deleted = tables.User.objects.get(deleted_at__isnull=False)
    assert deleted.updated_at == deleted.deleted_at == deleted.event_timestamp


@pytest.mark.parametrize("times", [1, ATTEMPTS])
def test_a_batch_that_gave_way_is_done_anew(times: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As whoever loses a deadlock does, but not for ever."""
    monkeypatch.setattr("analytics.attempts.BackOff", partial(BackOff, 0.01, 0.01))
    shop.fill()
    shop.project()
    before = shop.tables()
    shop.empty()
    left = iter(range(times))

    def deadlock(execute: Any, sql: str, *arguments: Any) -> Any:
        if sql.startswith("INSERT INTO") and "suppliers" in sql and next(left, None) is not None:
            raise OperationalError(1213, "Deadlock found when trying to get lock")
        return execute(sql, *arguments)

    with connection.execute_wrapper(deadlock):
        assert run("rebuild_analytics") == (2 if times == ATTEMPTS else 0)
    assert next(left, None) is None
    assert run("rebuild_analytics") == 0
    assert shop.tables() == before


def test_a_mongodb_that_hangs_holds_the_topic_for_a_moment_only(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.fill()
    process = mongo.client().admin.command("serverStatus")["pid"]
    monkeypatch.setattr("analytics.source.READ_SECONDS", 0.5)
    read = mending.window

    def hanging(*place: Any) -> mending.Window:
        assert connection.in_atomic_block
        os.kill(process, signal.SIGSTOP)
        return read(*place)

    monkeypatch.setattr(mending, "window", hanging)
    started = time.monotonic()
    try:
        assert run("rebuild_analytics") == 2
    finally:
        os.kill(process, signal.SIGCONT)
    assert time.monotonic() - started < 5
    assert "MongoDB fails: " in capsys.readouterr().err


def test_ctrl_c_ends_it_cleanly(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    shop.fill()
    shop.project()
    before = shop.tables()
    shop.empty()
    read, signals = mending.window, iter([signal.SIGINT])

    def interrupted(*place: Any) -> mending.Window:
        for number in signals:
            os.kill(os.getpid(), number)
        return read(*place)

    monkeypatch.setattr(mending, "window", interrupted)
    assert run("rebuild_analytics") == 130
    assert capsys.readouterr().err.strip() == "Stopped. Run this again to go on."
    assert run("rebuild_analytics") == 0
    assert shop.tables() == before


def test_readers_never_see_fewer_rows() -> None:
    """Every statement of a rebuild is in a transaction, so others see the rows before or after it: none is between."""
    shop.fill()
    shop.project()
    for model in shop.TABLES[:1] + shop.TABLES[4:5]:
        model.objects.update(event_id="x")
    transactions: list[bool] = []

    def watch(execute: Any, sql: str, *arguments: Any) -> Any:
        if sql.startswith(("DELETE", "UPDATE", "INSERT")):
            transactions.append(connection.in_atomic_block)
        return execute(sql, *arguments)

    before = {model: model.objects.count() for model in shop.TABLES}
    seen: list[dict[Any, int]] = []
    with connection.execute_wrapper(watch):
        for decoder in DECODERS:
            rebuild(decoder, batch_size=2, progress=lambda _: seen.append({one: one.objects.count() for one in before}))
    assert transactions
    assert all(transactions)
    assert len(seen) > 20
    assert all(counts == before for counts in seen)


def raced(monkeypatch: pytest.MonkeyPatch, *happens: Callable[[], object]) -> None:
    """Have something happen between the look at the documents and the lock on the rows."""
    read, steps = mending.window, iter(happens)

    def late(*place: Any) -> mending.Window:
        found = read(*place)
        for step in steps:
            step()
        return found

    monkeypatch.setattr(mending, "window", late)


@pytest.mark.parametrize("was_there", [True, False], ids=["older row", "no row"])
@pytest.mark.parametrize("deletes", [True, False], ids=["deleted", "updated"])
def test_what_came_in_between_is_not_overwritten(
    was_there: bool, deletes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:  # noqa: FBT001
    """As by a consumer of the last release, which knows nothing of the lock on the topic."""
    shop.fill()
    shop.project()
    product = Product.objects.exclude(status="deleted").first()
    assert product
    if was_there:
        Product.objects.filter(pk=product.pk).update(version=F("version") - 1)
    else:
        Product.objects.filter(pk=product.pk).delete()
    change = catalog.product_delete if deletes else partial(catalog.product_update, changes={"name": "New name"})
    raced(monkeypatch, partial(change, caller=SYSTEM, identifier=product.pk), shop.project)
    assert rebuild(DECODERS[2], batch_size=500).mended == 0
    assert Product.objects.filter(pk=product.pk, name="New name").count() == (0 if deletes else 1)
    assert not any(one.kinds for one in rebuild_all().values())


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time")
def test_a_consumer_that_joins_waits_for_who_has_locked_the_topic() -> None:
    joined = threading.Event()

    def join() -> None:
        try:
            OffsetStore("a new group", "c").create({("product", 0): 0, ("user", 0): 0})
            joined.set()
        finally:
            connection.close()

    with transaction.atomic():
        lock_topic("product")
        thread = threading.Thread(target=join)
        thread.start()
        assert not joined.wait(1)
    thread.join(20)
    assert joined.is_set()
