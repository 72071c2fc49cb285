"""rebuild_analytics and verify_analytics as processes of their own, beside relay and consumer, while services write."""

import os
import random
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from analytics.bookkeeping import RebuildPosition
from catalog import services as catalog
from catalog.documents import Product, Supplier
from content import services as content
from content.documents import Post
from marketplace import mongo
from marketplace.callers import SYSTEM, Caller
from marketplace.events.outbox import OUTBOX
from tests.analytics import shop
from tests.analytics.conftest import own_kafka as own_kafka
from tests.waiting import until
from users import services as users
from users.documents import User

pytestmark = pytest.mark.django_db(transaction=True)

PLANT = """
from analytics.models import Order, User
Order.objects.all().delete()
User.objects.update(display_name="planted")
"""
PAUSE_SECONDS = 0.05
# Longer than a write takes to arrive, on whatever machine, and shorter than what is wrong for good.
SETTLE = "--settle=15"
Manage = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def manage(mongodb: str, own_kafka: object, tmp_path: Path) -> Iterator[Manage]:
    """Start commands on tables of their own: a SQLite file, or the test's database on a server."""
    url = os.environ.get("DATABASE_URL", "")
    on_server = re.sub(r"/[^/?]*(\?|$)", rf"/{connection.settings_dict['NAME']}\1", url, count=1)
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "MONGODB_URL": mongodb,
        "DATABASE_NAME": settings.DATABASE_NAME,
        "KAFKA_BOOTSTRAP_SERVERS": settings.KAFKA_BOOTSTRAP_SERVERS,
        "DATABASE_URL": on_server if connection.vendor == "mysql" else f"sqlite:///{tmp_path}/analytics.sqlite3",
    }
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> "subprocess.Popen[str]":
        started.append(
            subprocess.Popen(
                [sys.executable, "manage.py", *arguments],
                cwd=settings.BASE_DIR,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )
        return started[-1]

    yield start
    for process in started:
        process.terminate()
        process.communicate(timeout=30)


def done(process: "subprocess.Popen[str]") -> str:
    """Wait for a command that succeeds. Return what it said."""
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 0, said
    return said


class Writer(threading.Thread):
    """Changes, creates and deletes documents of all kinds until it is stopped; no faster than everybody can follow."""

    def __init__(self) -> None:
        super().__init__()
        self._stop_asked = threading.Event()
        self._chance = random.Random(1)
        self.writes = 0

    def run(self) -> None:
        steps = (self._user, self._post, self._product, self._supplier)
        while not self._stop_asked.wait(PAUSE_SECONDS):
            self._chance.choice(steps)()
            self.writes += 1

    def stop(self) -> None:
        self._stop_asked.set()
        self.join()

    def _one(self, document: Any, **query: Any) -> str:
        found = list(document.collection().aggregate([{"$match": query}, {"$sample": {"size": 1}}]))
        return str(found[0]["_id"])

    def _user(self) -> None:
        identifier = self._one(User, deleted_at=None)
        users.user_update(caller=SYSTEM, identifier=identifier, changes={"profile.bio": str(self.writes)})

    def _post(self) -> None:
        identifier = self._one(Post, deleted_at=None)
        if self.writes % 20:
            content.post_update(caller=SYSTEM, identifier=identifier, changes={"text_content": str(self.writes)})
        else:
            content.post_delete(caller=SYSTEM, identifier=identifier)
            author = Caller("user", self._one(User, deleted_at=None))
            content.post_create(caller=author, changes={"post_type": "text", "text_content": "instead"})

    def _product(self) -> None:
        identifier = self._one(Product, status={"$ne": "deleted"})
        catalog.product_update(caller=SYSTEM, identifier=identifier, changes={"base_price_cents": self.writes})

    def _supplier(self) -> None:
        made = catalog.supplier_create(changes=self._supplier_changes(), password=None)
        if self.writes % 2:
            catalog.supplier_delete(caller=SYSTEM, identifier=str(made["_id"]))

    def _supplier_changes(self) -> dict[str, Any]:
        like = Supplier.from_stored(Supplier.collection().find_one({}))
        like.contact_info.primary_email = f"{self.writes}@example.com"
        return {"contact_info": like.contact_info, "company_info": like.company_info}


def test_live_writes_are_no_difference_and_a_rebuild_among_them_ends_equal(manage: Manage) -> None:
    shop.fill()
    done(manage("migrate", "--verbosity=0"))
    writer = Writer()
    writer.start()
    try:
        # Nothing has been projected yet. The rebuild fills the tables while the consumer joins for the first time.
        relay = manage("relay_events")
        rebuild = manage("rebuild_analytics", "--batch-size=1")
        consumer = manage("consume_events")
        done(rebuild)
        done(manage("verify_analytics", SETTLE, "--batch-size=3"))
        written = writer.writes
        done(manage("shell", "--verbosity=0", "--command", PLANT))
        said = done(manage("rebuild_analytics", "--batch-size=3"))
        assert "6 missing" in said
        assert writer.writes > written
        assert relay.poll() is None
        assert consumer.poll() is None
        done(manage("verify_analytics", SETTLE, "--batch-size=3"))
    finally:
        writer.stop()
    until(lambda: mongo.database()[OUTBOX].find_one() is None, 60, "an empty outbox")
    assert relay.poll() is None
    said = done(manage("verify_analytics", SETTLE))
    assert said.count("all right") == 5
    assert not RebuildPosition.objects.exists()
