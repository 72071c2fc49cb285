"""The API as a process of its own while neither Kafka nor the SQL database is there."""

import json
import urllib.error
import urllib.request
from typing import Any

from django.conf import settings
from django.core.management import call_command

from marketplace import mongo
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
