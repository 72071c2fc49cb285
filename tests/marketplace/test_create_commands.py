"""create_indexes and create_topics: what they leave behind, and what they say when something is missing."""

import io
import os
import subprocess
import sys

import pytest
from confluent_kafka import Producer
from django.conf import settings as configured
from django.core.management import CommandError, call_command

from marketplace import mongo
from marketplace.events.catalogue import TOPICS


def run(command: str, **options: object) -> str:
    out = io.StringIO()
    call_command(command, stdout=out, **options)
    return out.getvalue()


def test_indexes_are_there_and_stay(mongodb: str) -> None:
    before = mongo.database()["outbox"].index_information()
    assert "timestamp_1" in before
    assert "collections are in place" in run("create_indexes")
    assert mongo.database()["outbox"].index_information() == before


def test_an_index_that_is_another_is_named_without_a_traceback(mongodb: str) -> None:
    outbox = mongo.database()["outbox"]
    outbox.drop_index("timestamp_1")
    outbox.create_index("timestamp", unique=True)
    try:
        with pytest.raises(CommandError, match=r"existing index.*timestamp_1.*manage.py doctor"):
            run("create_indexes")
    finally:
        outbox.drop_index("timestamp_1")
        run("create_indexes")


def test_topics_are_there_and_skipped(kafka: str) -> None:
    known = Producer({"bootstrap.servers": kafka}).list_topics(timeout=10).topics
    assert set(TOPICS) <= set(known)
    assert run("create_topics").splitlines() == [f"{topic}: exists already" for topic in TOPICS]


def test_topics_without_a_broker(settings: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("marketplace.events.topics.METADATA_SECONDS", 0.5)
    settings.KAFKA_BOOTSTRAP_SERVERS = "127.0.0.1:9"
    with pytest.raises(CommandError, match="could not be created"):
        run("create_topics")


@pytest.mark.parametrize("command", ["create_indexes", "create_topics", "relay_events", "consume_events"])
def test_a_missing_address_is_named_without_a_traceback(command: str) -> None:
    environment = os.environ | {"SECRET_KEY": "k" * 50, "MONGODB_URL": "", "KAFKA_BOOTSTRAP_SERVERS": ""}
    done = subprocess.run(
        [sys.executable, "manage.py", command], env=environment, cwd=configured.BASE_DIR, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr in ("manage.py: MONGODB_URL is not set.\n", "manage.py: KAFKA_BOOTSTRAP_SERVERS is not set.\n")
