"""manage.py serve as a process of its own: workers counted together, killed, and stopped in the midst of a request."""

import json
import os
import re
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from marketplace.embedded.mongod import free_port
from marketplace.serving import problems

UNKNOWN_URL = 'marketplace_http_request_duration_seconds_count{method="GET",route="-",status="404"}'
IN_PROGRESS = "marketplace_http_requests_in_progress"
BODY = json.dumps({"email": "nobody@example.com", "password": "long enough"}).encode()


class Serving:
    """An API with two workers."""

    def __init__(self, folder: Path, mongodb: str) -> None:
        self.port, self.metrics_port, self.folder = free_port(), free_port(), folder
        environment = {
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "ALLOWED_HOSTS": "shop.example.com,127.0.0.1",
            "MONGODB_URL": mongodb,
            "DATABASE_NAME": settings.DATABASE_NAME,
            "MONGODB_TIMEOUT_MS": "20000",  # a busy machine may take its time for the first connection
            "METRICS_PORT": str(self.metrics_port),
            "TMPDIR": str(folder),
        }
        with (folder / "log").open("w") as log:
            self.process = psutil.Popen(
                [sys.executable, "manage.py", "serve", "--port", str(self.port), "--workers", "2"],
                cwd=settings.BASE_DIR,
                env=os.environ | environment,
                stderr=log,
                start_new_session=True,
            )

    def workers(self) -> list[psutil.Process]:
        return [one for one in self.process.children() if "spawn_main" in " ".join(one.cmdline())]

    def get(self, path: str, port: int | None = None) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port or self.port}{path}", timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def probe(self, name: str) -> tuple[int, list[str]]:
        status, body = self.get(f"/{name}", self.metrics_port)
        return status, json.loads(body)["problems"]

    def metric(self, sample: str) -> float:
        text = self.get("/metrics", self.metrics_port)[1]
        return float(found[1]) if (found := re.search(rf"^{re.escape(sample)} (\S+)$", text, re.MULTILINE)) else 0

    def begin_login(self) -> socket.socket:
        """Send all of a request but its last byte, and wait until a worker has it."""
        before = self.metric(IN_PROGRESS)
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        head = ["POST /auth/token HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json", "Connection: close"]
        connection.sendall("\r\n".join([*head, f"Content-Length: {len(BODY)}", "", ""]).encode() + BODY[:-1])
        self.until(lambda: self.metric(IN_PROGRESS) == before + 1)
        return connection

    def until(self, condition: Callable[[], Any]) -> None:
        deadline = time.monotonic() + 60
        while not condition():
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.05)

    def is_up(self) -> bool:
        try:
            return self.get("/health")[0] == 200
        except urllib.error.URLError:
            return False

    def log(self) -> str:
        return (self.folder / "log").read_text()


@pytest.fixture
def api(mongodb: str, tmp_path: Path) -> Iterator[Serving]:
    serving = Serving(tmp_path, mongodb)
    try:
        serving.until(serving.is_up)
        yield serving
    finally:
        if serving.process.poll() is None:
            os.killpg(serving.process.pid, signal.SIGKILL)
            serving.process.wait(10)


def test_workers_are_counted_together_replaced_and_drained(api: Serving) -> None:
    for number in range(20):  # on a new connection each, so that both get some
        assert api.get(f"/unknown/{number}")[0] == 404
    assert api.metric(UNKNOWN_URL) == 20
    assert api.probe("live") == (200, [])
    api.until(lambda: api.probe("ready") == (200, []))

    with api.begin_login():
        # One after the other: granian can miss one of two that die at the same moment; /live says so after a while.
        for already, worker in enumerate(api.workers(), start=2):
            worker.kill()
            api.until(lambda already=already: api.log().count("Started worker") == already + 1)
    assert api.metric(IN_PROGRESS) == 0
    assert api.metric(UNKNOWN_URL) == 20
    assert api.get("/unknown")[0] == 404
    assert api.metric(UNKNOWN_URL) == 21
    assert api.probe("live") == (200, [])

    with api.begin_login() as connection:
        os.killpg(api.process.pid, signal.SIGINT)  # as Ctrl-C does: the workers get it, too
        api.until(lambda: "Shutting down" in api.log())
        connection.sendall(BODY[-1:])
        assert connection.recv(100).startswith(b"HTTP/1.1 401 ")
    assert api.process.wait(10) == 0
    assert "Traceback" not in api.log()
    assert [path.name for path in api.folder.iterdir()] == ["log"]


def test_workers_end_when_the_main_process_is_killed(api: Serving) -> None:
    workers = api.workers()
    assert len(workers) == 2
    api.process.kill()
    _, left = psutil.wait_procs(workers, 10)
    assert not left, "they would keep the port"


@pytest.mark.parametrize(
    ("status", "body", "found"),
    [
        (200, '{"status":"ok","dependencies":{"mongodb":"ok","kafka":"unavailable"}}', []),
        (
            503,
            '{"status":"unavailable","dependencies":{"mongodb":"unavailable","kafka":"ok"}}',
            ["mongodb is unavailable"],
        ),
        (400, '{"error":{"code":"VALIDATION_ERROR"}}', ['the API answers 400: {"error":{"code":"VALIDATION_ERROR"}}']),
        (502, "Bad Gateway", ["the API answers 502: Bad Gateway"]),
    ],
)
def test_readiness_is_what_the_api_says_of_itself(status: int, body: str, found: list[str]) -> None:
    assert problems(status, body) == found


@pytest.mark.parametrize("option", ["--port=0", "--port=99999", "--port=x", "--workers=0", "--threads=-1"])
def test_a_number_that_makes_no_sense_is_refused(option: str) -> None:
    with pytest.raises(CommandError, match="is no whole number from 1 to"):
        call_command("serve", option)
