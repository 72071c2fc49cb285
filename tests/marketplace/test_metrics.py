"""What the API counts: answers by route template, whoever gives them, and MongoDB's commands."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from prometheus_client import generate_latest

from marketplace import mongo
from marketplace.observability import metrics
from tests.api import NOBODY
from tests.orders.buying import Shop

REQUESTS = "marketplace_http_request_duration_seconds_count"
COMMANDS = "marketplace_mongodb_command_duration_seconds_count"


class Read:
    """The difference between two scrapes, by the samples' names and labels."""

    def __init__(self) -> None:
        self._before = samples()

    def of(self, name: str) -> dict[str, float]:
        changes = {key: value - self._before.get(key, 0) for key, value in samples().items()}
        return {key.removeprefix(name): change for key, change in changes.items() if key.startswith(name) and change}


def samples() -> dict[str, float]:
    text = generate_latest(metrics.registry()).decode()
    return {name: float(value) for name, value in re.findall(r"^([^#\n]+) (\S+)$", text, re.MULTILINE)}


@pytest.fixture
def measured(mongodb: str, settings: Any) -> Iterator[Client]:
    """A client of a process that has a METRICS_PORT."""
    settings.METRICS_PORT = 9464
    mongo.connect()
    yield Client()
    settings.METRICS_PORT = 0
    mongo.connect()


@pytest.mark.parametrize(
    ("method", "path", "labels"),
    [
        ("GET", f"/products/{NOBODY}", 'method="GET",route="/products/{id}",status="404"'),
        ("GET", "/products?limit=0", 'method="GET",route="/products",status="422"'),
        ("GET", "/products/", 'method="GET",route="/products",status="200"'),
        ("GET", "/no/such/page", 'method="GET",route="-",status="404"'),
        ("GET", "/admin/no/such/page", 'method="GET",route="/admin/(?P{url}.*)$",status="302"'),
        ("BREW", "/products", 'method="other",route="/products",status="405"'),
        ("GET", f"/products?{'x' * 9000}", 'method="GET",route="-",status="414"'),
    ],
)
def test_every_answer_is_counted_once_by_its_route(measured: Client, method: str, path: str, labels: str) -> None:
    read = Read()
    measured.generic(method, path)
    assert read.of(REQUESTS) == {f"{{{labels}}}": 1}
    assert samples()["marketplace_http_requests_in_progress"] == 0


def test_commands_of_mongodb_are_counted_by_their_end(measured: Client) -> None:
    read = Read()
    mongo.database().users.find_one()
    with pytest.raises(mongo.PyMongoError):
        mongo.database().users.find_one({"$nonsense": 1})
    assert read.of(COMMANDS) == {'{command="find",outcome="ok"}': 1, '{command="find",outcome="failed"}': 1}


def test_nothing_is_counted_where_nobody_reads_it(client: Client, mongodb: str) -> None:
    read = Read()
    client.get("/products")
    assert read.of("marketplace") == {}


def test_a_process_says_what_it_is() -> None:
    assert samples()['marketplace_build_info{role="api",version="0.1.0"}'] == 1


def test_a_replayed_answer_is_told_from_a_first_one(measured: Client, api: None) -> None:
    shop = Shop()
    read = Read()
    shop.buy()
    assert read.of("marketplace_http_replayed") == {}
    shop.buy()
    assert read.of("marketplace_http_replayed") == {"_answers_total": 1}
    assert read.of(REQUESTS) == {'{method="POST",route="/orders",status="201"}': 2}
