"""`manage.py consume_events` as a process of its own, on a database file or server that the test can read."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from django.conf import settings

from tests.analytics.events import event, new_id

START_SECONDS = 60


@pytest.fixture
def environment(kafka, tmp_path) -> dict[str, str]:
    """The environment of a process with the tables in a SQLite file of its own."""
    environment = os.environ | {
        "KAFKA_BOOTSTRAP_SERVERS": kafka,
        "DATABASE_URL": f"sqlite:///{tmp_path / 'analytics.sqlite3'}",
        "DATA_DIR": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "PYTHONUNBUFFERED": "1",
    }
    run(environment, "migrate", "--skip-checks")
    return environment


def run(environment, *command, expected=0) -> str:
    """Run a management command to its end, and return what it wrote."""
    done = subprocess.run(
        [sys.executable, "manage.py", *command],
        env=environment,
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )
    assert done.returncode == expected, done.stderr
    return done.stdout + done.stderr


def test_once_reads_to_the_end_and_exits_with_0(environment, produce, group, tmp_path):
    ids = [new_id() for _ in range(50)]
    produce(event("order.created", order_id) for order_id in ids)
    output = run(environment, "consume_events", "--once", "--group", group, "--batch-size", "20")
    assert "entities changed" in output
    with closing(sqlite3.connect(tmp_path / "analytics.sqlite3")) as database:
        stored = {row[0] for row in database.execute("SELECT order_id FROM orders")}
        items = database.execute("SELECT COUNT(*) FROM order_items WHERE order_id = ?", ids[:1]).fetchone()
    assert stored >= set(ids)
    assert items == (3,)


def test_a_signal_ends_it_cleanly(environment, produce, group):
    produce([event("user.created", new_id())])
    process = subprocess.Popen(
        [sys.executable, "manage.py", "consume_events", "--group", group],
        env=environment,
        cwd=settings.BASE_DIR,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    output = []
    try:
        for line in process.stdout:
            output.append(line)
            if "reading on" in line:
                process.send_signal(signal.SIGTERM)
        assert process.wait(START_SECONDS) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    assert "events read" in output[-1]


@pytest.mark.parametrize("size", ["0", "-3", "many"])
def test_a_bad_batch_size_is_refused(environment, size):
    run(environment, "consume_events", f"--batch-size={size}", expected=1 if size != "many" else 2)


def test_more_bad_messages_in_a_row_than_allowed_stop_it_until_more_are_allowed(
    environment, own_kafka, settings, group
):
    environment["KAFKA_BOOTSTRAP_SERVERS"] = settings.KAFKA_BOOTSTRAP_SERVERS
    own_kafka([("user", b"k", b"poison")] * 51)
    consume = ("consume_events", "--once", "--group", group)
    for _ in range(2):  # a restart changes nothing
        output = run(environment, *consume, expected=1)
        assert "51 bad messages in a row" in output
        assert "0 events read" in output
    assert "51 events read" in run(environment, *consume, "--bad-limit", "51")


def test_a_limit_of_no_bad_messages_is_refused(environment):
    run(environment, "consume_events", "--bad-limit=0", expected=1)
