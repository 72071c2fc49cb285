"""A MongoDB that hangs or is gone: every route says so within its deadline, and works again by itself."""

import json
import os
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from marketplace.embedded.mongod import EmbeddedMongo, free_port
from tests.concurrency import at_once
from tests.system.conftest import serving

SECONDS = 3
SLACK = 0.5  # for a machine that is busy with other tests; alone it takes 2.5
CLIENTS = 40  # ten times as many as there are threads
ID = "0" * 24
ROUTES: list[tuple[str, str, Any]] = [
    ("GET", "/products", None),
    ("GET", f"/products/{ID}", None),
    ("GET", "/suppliers", None),
    ("GET", f"/suppliers/{ID}", None),
    ("GET", "/posts?author_id=" + ID, None),
    ("POST", "/users", {"email": "ada@example.com", "password": "long enough", "display_name": "Ada"}),
    ("POST", "/auth/token", {"email": "ada@example.com", "password": "long enough"}),
    ("POST", "/auth/refresh", {"refresh": "x" * 43}),
]


@pytest.fixture
def mongod(tmp_path: Path) -> Iterator[EmbeddedMongo]:
    mongod = EmbeddedMongo(tmp_path / "mongod", free_port())
    mongod.start()
    yield mongod
    mongod.stop()


def ask(api: str, method: str, path: str, body: Any) -> tuple[int, Any, float]:
    """Return the status, the headers, and how long the answer took."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(api + path, data, {"Content-Type": "application/json"}, method=method)
    started = time.monotonic()
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.headers, time.monotonic() - started
    except urllib.error.HTTPError as error:
        error.close()
        return error.code, error.headers, time.monotonic() - started


def check_unavailable(api: str, subtests: pytest.Subtests) -> None:
    requests = [ROUTES[index % len(ROUTES)] for index in range(CLIENTS)]
    answers = at_once(CLIENTS, lambda index: ask(api, *requests[index]))
    for (method, path, _), (status, headers, seconds) in zip(requests, answers, strict=True):
        with subtests.test(f"{method} {path}"):
            assert status == 503
            assert int(headers["Retry-After"]) > 0
            assert seconds < SECONDS + SLACK
    assert ask(api, "GET", "/health", None)[0] == 200


def test_hanging_and_gone(mongod: EmbeddedMongo, tmp_path: Path, subtests: pytest.Subtests) -> None:
    url = f"mongodb://127.0.0.1:{mongod.port}/?replicaSet=rs0"
    with serving(url, "shop", tmp_path) as api:
        assert ask(api, "GET", "/products", None)[0] == 200
        pid = mongod.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        try:
            check_unavailable(api, subtests)
        finally:
            os.kill(pid, signal.SIGCONT)
        deadline = time.monotonic() + 30
        while ask(api, "GET", "/products", None)[0] != 200:
            assert time.monotonic() < deadline
            time.sleep(0.2)  # the driver looks for it when it looks
        mongod.stop()
        check_unavailable(api, subtests)
