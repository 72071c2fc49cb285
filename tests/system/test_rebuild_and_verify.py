"""rebuild_analytics and verify_analytics as processes of their own, beside relay and consumer, while services write."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from analytics.bookkeeping import RebuildPosition
from marketplace import mongo
from marketplace.events.outbox import OUTBOX
from tests.analytics import shop
from tests.analytics.conftest import own_kafka as own_kafka
from tests.system.writer import Writer
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)

PLANT = """
from analytics.models import Order, User
Order.objects.all().delete()
User.objects.update(display_name="planted")
"""
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


def test_live_writes_are_no_difference_and_a_rebuild_among_them_ends_equal(manage: Manage) -> None:
    shop.fill()
    done(manage("migrate", "--verbosity=0"))
    with Writer() as writer:
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
    until(lambda: mongo.database()[OUTBOX].find_one() is None, 60, "an empty outbox")
    assert relay.poll() is None
    said = done(manage("verify_analytics", SETTLE))
    assert said.count("all right") == 5
    assert not RebuildPosition.objects.exists()
