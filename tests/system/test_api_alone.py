"""The API as a process of its own while neither Kafka nor the SQL database is there."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command

from marketplace import mongo
from marketplace.embedded.mongod import free_port
from marketplace.events.outbox import OUTBOX

USER = {"email": "ada@example.com", "password": "long enough", "display_name": "Ada"}


def ask(url: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    """Send a request. Return the status and the JSON body."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


@pytest.fixture
def api(mongodb: str, tmp_path: Path) -> Iterator[str]:
    """The address of an API whose Kafka and SQL database are out of reach."""
    port = free_port()
    environment = {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "ALLOWED_HOSTS": "127.0.0.1",
        "MONGODB_URL": mongodb,
        "DATABASE_NAME": settings.DATABASE_NAME,
        "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{free_port()}",
        "DATABASE_URL": f"sqlite:///{tmp_path}/no/such/folder/analytics.sqlite3",
    }
    command = ["granian", "--interface", "wsgi", "--port", str(port), "--no-ws", "marketplace.wsgi:application"]
    process = subprocess.Popen([sys.executable, "-m", *command], cwd=settings.BASE_DIR, env=os.environ | environment)
    try:
        wait_until_up(f"http://127.0.0.1:{port}/health", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def wait_until_up(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert process.poll() is None
        try:
            assert ask(url)[0] == 200
        except urllib.error.URLError:
            time.sleep(0.1)  # nothing to await: the port opens when it opens
        else:
            return
    pytest.fail("the API did not come up")


def test_writes_are_answered_and_arrive_when_kafka_is_back(api: str, kafka: str) -> None:
    status, _ = ask(f"{api}/users", USER)
    assert status == 201
    status, tokens = ask(f"{api}/auth/token", {"email": USER["email"], "password": USER["password"]})
    assert status == 200
    status, tokens = ask(f"{api}/auth/refresh", {"refresh": tokens["refresh"]})
    assert status == 200
    bearer = {"Authorization": f"Bearer {tokens['access']}"}
    status, post = ask(f"{api}/posts", {"post_type": "text", "text_content": "hi"}, **bearer)
    assert status == 201
    assert ask(f"{api}/posts/{post['id']}") == (200, post)
    assert mongo.database()[OUTBOX].count_documents({}) == 2

    call_command("relay_events", "--once")

    assert mongo.database()[OUTBOX].count_documents({}) == 0


def test_only_staff_need_the_sql_database(api: str) -> None:
    status, answer = ask(f"{api}/products", Cookie=f"{settings.SESSION_COOKIE_NAME}=something")
    assert (status, answer["error"]["code"]) == (503, "INTERNAL_ERROR")
    status, answer = ask(f"{api}/auth/token", {"email": "a@example.com", "password": "x", "account": "staff"})
    assert (status, answer["error"]["code"]) == (503, "INTERNAL_ERROR")
    assert ask(f"{api}/products") == (200, [])


def test_readiness_names_what_is_away(api: str) -> None:
    states = {"mongodb": "ok", "kafka": "unavailable", "sql": "unavailable"}
    assert ask(f"{api}/health/ready") == (200, {"status": "ok", "dependencies": states})
