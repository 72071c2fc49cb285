"""Consumers that are believed dead, and are not."""

from pathlib import Path

import pytest
from django.conf import settings

from tests.analytics.conftest import Produce
from tests.analytics.events import event, new_id
from tests.analytics.launched_consumer import PLACES
from tests.analytics.processes import ConsumerProcess, Tables, ends
from tests.waiting import until


@pytest.mark.parametrize("place", PLACES)
def test_a_stopped_consumer_that_wakes_up_writes_nothing_twice(
    tables: Tables, produce: Produce, group: str, tmp_path: Path, place: str
) -> None:
    if place == "before the commit" and tables.connection.vendor == "sqlite":
        pytest.skip("SQLite's lock is on the whole file, and no server takes it away from a process that is stopped")
    begin = ends(settings.KAFKA_BOOTSTRAP_SERVERS)
    ids = [new_id() for _ in range(200)]
    produce(event("user.created", user_id) for user_id in ids)
    zombie = ConsumerProcess(tables, group, tmp_path / "zombie.log", place)
    heir = None
    try:
        until(zombie.is_stopped)
        heir = ConsumerProcess(tables, group, tmp_path / "heir.log")
        until(lambda: tables.versions("users").keys() >= set(ids), 120)
        produce(event("user.updated", user_id, 2) for user_id in ids)
        until(lambda: all(tables.versions("users")[user_id] == 2 for user_id in ids))
        zombie.go_on()
        noticed = "reading on from there" if place == "before the lock" else "server away"
        until(lambda: noticed in zombie.log)
        until(lambda: "reading on in" in zombie.log.partition("revoked")[2])
        produce(event("user.updated", user_id, 3) for user_id in ids)
        until(lambda: all(tables.versions("users")[user_id] == 3 for user_id in ids))
        heir.terminate()
        zombie.terminate()
    finally:
        for one in filter(None, (zombie, heir)):
            one.kill()
    assert tables.check_batches(begin) >= 3
    assert (", 1 times fenced" in zombie.log) == (place == "before the lock")
    assert ", 0 times fenced" in heir.log
    assert ", 0 versions missing" in zombie.log
