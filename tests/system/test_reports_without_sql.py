"""Reports while the SQL database is stopped: an error at once that says when to ask again, and numbers when it is back.

On a MariaDB of its own, or a MySQL when DATABASE_URL names one; skipped only where there is neither.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from django.conf import settings
from django.db import connection

from tests.servers.mariadb import MariaDb
from tests.servers.sql import SqlServer
from tests.system import outages
from tests.system.conftest import serving
from tests.system.faults.processes import manage

EMAIL, PASSWORD = "boss@example.com", "correct horse battery staple"
MOST_SECONDS = 3
Ask = Callable[[str], httpx.Response]

pytestmark = pytest.mark.skipif(
    connection.vendor != "mysql" and bool(MariaDb.missing()),
    reason="a database that can go away needs mariadbd and requirements/mysql.txt",
)


@pytest.fixture
def sql(tmp_path: Path, db: None) -> Iterator[SqlServer]:
    with outages.sql_server()(tmp_path / "sql") as server:
        yield server


@pytest.fixture
def ask(mongodb: str, sql: SqlServer, tmp_path: Path) -> Iterator[Ask]:
    """A function that asks a running API as staff."""
    environment = {"DATABASE_URL": sql.address, "DJANGO_SUPERUSER_PASSWORD": PASSWORD}
    manage("migrate", "--skip-checks", environment=environment)
    manage("createsuperuser", "--noinput", "--username=boss", f"--email={EMAIL}", environment=environment)
    with serving(mongodb, settings.DATABASE_NAME, tmp_path, DATABASE_URL=sql.address) as address:
        log_in = {"email": EMAIL, "password": PASSWORD, "account": "staff"}
        token = httpx.post(f"{address}/auth/token", json=log_in).raise_for_status().json()["access"]
        with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=20) as client:
            yield client.get


def test_a_database_that_hangs_holds_a_request_for_its_limit_and_later_ones_shorter(sql: SqlServer, ask: Ask) -> None:
    path = "/reports/daily-revenue"
    assert ask(path).status_code == 200
    sql.pause()
    try:
        for _ in range(5):  # there are four threads, each with a connection
            started = time.monotonic()
            assert ask(path).status_code == 503
            took = time.monotonic() - started
        assert took < MOST_SECONDS
    finally:
        sql.resume()
    assert ask(path).status_code == 200


@pytest.mark.parametrize("form", ["json", "csv"])
def test_a_database_that_stops_and_comes_back(sql: SqlServer, ask: Ask, form: str) -> None:
    path = f"/reports/daily-revenue?format={form}"
    before = ask(path)
    assert before.status_code == 200
    sql.stop()
    for _ in range(8):  # each thread of the server has a connection of its own
        started = time.monotonic()
        answer = ask(path)
        assert time.monotonic() - started < MOST_SECONDS
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "INTERNAL_ERROR")
        assert int(answer.headers["Retry-After"]) >= 1
        assert answer.headers["Content-Type"] == "application/json"
    sql.start()
    assert ask(path).content == before.content
