"""quickstart as people run it: a process of its own, used over HTTP, interrupted, killed and started again."""

import http.client
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.conf import settings

from marketplace.embedded.mongod import free_port

SERVERS = ("MONGODB_URL", "KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL", "DJANGO_SETTINGS_MODULE")


class Running:
    """A quickstart that was started in a data folder."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.log = data.with_suffix(".log")
        environment = {name: value for name, value in os.environ.items() if name not in SERVERS}
        with self.log.open("w") as output:
            self.process = psutil.Popen(
                [sys.executable, "manage.py", "quickstart", "--no-demo-data", "--port", str(free_port())],
                cwd=settings.BASE_DIR,
                env=environment | {"DATA_DIR": str(data), "PYTHONUNBUFFERED": "1"},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def output(self) -> str:
        return self.log.read_text()

    def wait_until_up(self) -> "Running":
        self.until(lambda: "is running" in self.output(), 60)
        self.children = self.process.children(recursive=True)
        self.address = re.search(r"API +http://([^/]+)", self.output())[1]
        return self

    def until(self, condition: Callable[[], Any], seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert self.process.poll() is None, self.output()
            assert time.monotonic() < deadline, self.output()
            time.sleep(0.05)

    def end(self, number: signal.Signals) -> int:
        """Send a signal, and check that the process and all its children are gone soon after.

        A kill leaves nobody to wait for the children; the kernel asks them to stop.
        """
        self.process.send_signal(number)
        code = self.process.wait(40)
        _, alive = psutil.wait_procs(self.children, timeout=20)
        assert not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE], self.output()
        return code

    def request(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        connection = http.client.HTTPConnection(self.address, timeout=10)
        connection.request(method, path, body and json.dumps(body), {"Content-Type": "application/json", **headers})
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        assert answer.status < 300, content
        return json.loads(content or "null")

    def sign_up(self, name: str) -> str:
        body = {"email": f"{name}@example.com", "password": "long enough", "display_name": name}
        return self.request("POST", "/users", body)["id"]

    def log_in(self, name: str) -> dict[str, str]:
        """Return the header that makes a request theirs."""
        body = {"email": f"{name}@example.com", "password": "long enough"}
        return {"Authorization": f"Bearer {self.request('POST', '/auth/token', body)['access']}"}

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(self.data / "analytics.sqlite3", timeout=10)
        with connection:
            found = connection.execute(query).fetchall()
        connection.close()
        return found


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A data folder; whatever still runs in it at the end of the test is killed."""
    yield tmp_path / "data"
    for process in psutil.process_iter(["environ"]):
        if (process.info["environ"] or {}).get("DATA_DIR") == str(tmp_path / "data"):
            process.kill()


def test_a_request_reaches_analytics_and_ctrl_c_stops_everything(data: Path) -> None:
    running = Running(data).wait_until_up()
    identifier = running.sign_up("ann")
    running.until(lambda: running.rows("SELECT user_id, email FROM users") == [(identifier, "ann@example.com")])
    for name in ("bob", "cat", "dan"):
        running.sign_up(name)

    assert re.search(r"^\[relay\] \d{4}-\S+ \S+ INFO marketplace\.events\.relay ", running.output(), re.MULTILINE)
    assert running.end(signal.SIGINT) == 0, running.output()
    names = [name for (name,) in running.rows("SELECT display_name FROM users ORDER BY 1")]
    assert names == ["ann", "bob", "cat", "dan"]


def test_analytics_are_complete_after_a_kill_and_a_child_that_dies_ends_everything(data: Path) -> None:
    running = Running(data).wait_until_up()
    kept, removed = running.sign_up("kept"), running.sign_up("removed")
    running.request("DELETE", f"/users/{removed}", **running.log_in("removed"))
    running.until(lambda: len(running.rows("SELECT 1 FROM users WHERE deleted_at IS NOT NULL")) == 1)
    query = "SELECT * FROM users ORDER BY 1"
    before = running.rows(query)
    running.end(signal.SIGKILL)
    # As if the events had been on the broker, but not projected yet: the relay has deleted them from the outbox.
    running.rows("DELETE FROM users")

    running = Running(data).wait_until_up()
    assert "Analytics: 2 documents filled in from MongoDB." in running.output()
    assert running.rows(query) == before
    assert {kept, removed} == {row[0] for row in before}

    relay = next(child for child in running.children if "relay_events" in child.cmdline())
    relay.kill()
    assert running.process.wait(40) == 1
    assert "No longer running: relay (killed by signal 9 from outside)" in running.output()
    assert not psutil.wait_procs(running.children, timeout=10)[1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_it_ends_while_the_api_is_starting(data: Path, number: signal.Signals) -> None:
    running = Running(data)
    running.until(lambda: "Spawning worker" in running.output(), 60)
    running.children = running.process.children(recursive=True)
    assert running.end(number) == (0 if number == signal.SIGINT else -number)
    assert "and was killed" not in running.output()


def test_a_second_one_in_the_same_folder_is_refused(data: Path) -> None:
    running = Running(data)
    running.until(lambda: "MongoDB: ready" in running.output())
    refused = subprocess.run(
        [sys.executable, "manage.py", "quickstart"],
        cwd=settings.BASE_DIR,
        env=os.environ | {"DATA_DIR": str(data)},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert refused.returncode == 1
    assert "Another quickstart is running" in refused.stderr
    running.children = running.process.children(recursive=True)
    assert running.end(signal.SIGINT) == 0
    assert "Stopped while preparing" in running.output() or "Stopped. " in running.output()
