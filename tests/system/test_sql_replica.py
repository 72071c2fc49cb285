"""A MariaDB and its replica: what is looked at is as old as the replica, and all else goes on without it.

Skipped where there is no MariaDB.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from django.conf import settings

from tests.servers.mariadb import MariaDb
from tests.system.conftest import serving
from tests.system.faults.processes import manage

ACCOUNT = {"username": "boss", "password": "correct horse battery staple"}
SECONDS = 20
# What a consumer writes in one transaction: a day's sums, and right after it how far it is.
DAY = (
    "INSERT INTO marketplace.daily_orders (day, status, orders, units, total_cents)"
    " VALUES (UTC_DATE(), '{}', 1, 1, 100)"
)
SEEN = "REPLACE INTO marketplace.partition_reports VALUES ('analytics', 'order', 0, {0}, {0}, UTC_TIMESTAMP(6))"

pytestmark = pytest.mark.skipif(bool(MariaDb.missing()), reason="a replica needs mariadbd and requirements/mysql.txt")


class Servers(NamedTuple):
    primary: MariaDb
    replica: MariaDb

    def write(self, status: str, offset: int) -> None:
        """Write an order of today, and that everything up to it is stored."""
        self.primary.execute_as_root(DAY.format(status))
        self.primary.execute_as_root(SEEN.format(offset))

    def replicate(self) -> None:
        """Let the replica catch up."""
        self.replica.execute_as_root("START SLAVE")
        [(position,)] = self.primary.execute_as_root("SELECT @@gtid_binlog_pos")
        waited = self.replica.execute_as_root(f"SELECT MASTER_GTID_WAIT('{position}', {SECONDS})")
        assert waited == [(0,)], self.replica.execute_as_root("SHOW SLAVE STATUS")


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    with ExitStack() as stack:
        primary = stack.enter_context(MariaDb(tmp_path / "primary", f"--log-bin={tmp_path}/binlog", "--server-id=1"))
        replica = stack.enter_context(MariaDb(tmp_path / "replica", "--server-id=2", "--read-only"))
        replica.execute_as_root(
            f"CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT={primary.port}, MASTER_USER='administrator',"
            " MASTER_PASSWORD='administrator', MASTER_USE_GTID=slave_pos"
        )
        yield Servers(primary, replica)


@pytest.fixture
def client(mongodb: str, servers: Servers, tmp_path: Path) -> Iterator[httpx.Client]:
    """A client of a running API, as staff by session and by token."""
    both = {"DATABASE_URL": servers.primary.address, "DATABASE_REPLICA_URL": servers.replica.address}
    manage("migrate", "--skip-checks", environment=both)
    manage(
        *("createsuperuser", "--noinput", "--username=boss", "--email=boss@example.com"),
        environment=both | {"DJANGO_SUPERUSER_PASSWORD": ACCOUNT["password"]},
    )
    with serving(mongodb, settings.DATABASE_NAME, tmp_path, **both) as url, httpx.Client(base_url=url) as client:
        client.get("/admin/login/")
        form = ACCOUNT | {"csrfmiddlewaretoken": client.cookies["csrftoken"]}
        assert client.post("/admin/login/", data=form).status_code == 302
        yield client


def statuses(client: httpx.Client) -> list[str]:
    """Return the statuses of orders in the dashboard's report."""
    orders = client.get("/reports/dashboard").raise_for_status().json()["orders"]
    return sorted(status for status, count in orders["by_status"].items() if count)


def as_of(client: httpx.Client) -> list[float]:
    """Return the offsets that lags are told of, as the newest report of the partition has them."""
    rows = client.get("/reports/pipeline").raise_for_status().json()
    return [row["at"] for row in rows if row["measure"] == "lag"]


def test_a_replica_that_lags_and_goes_away(servers: Servers, client: httpx.Client) -> None:
    servers.write("pending", 1)
    servers.replicate()
    assert statuses(client) == ["pending"]
    before = as_of(client)

    servers.replica.execute_as_root("STOP SLAVE")
    servers.write("shipped", 2)
    assert (statuses(client), as_of(client)) == (["pending"], before)  # older numbers, and they say how old
    taken = client.get("/admin/analytics/order/export/")
    assert taken.status_code == 200
    assert servers.primary.execute_as_root("SELECT what FROM marketplace.exports") == [("orders",)]

    servers.replicate()
    assert statuses(client) == ["pending", "shipped"]
    assert as_of(client) > before

    servers.replica.stop()
    answer = client.get("/reports/dashboard")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "INTERNAL_ERROR")
    assert answer.headers["Retry-After"]
    assert client.get("/admin/").status_code == 503
    assert client.get("/admin/analytics/deadletter/").status_code == 200
    log_in = {"email": "boss@example.com", "password": ACCOUNT["password"], "account": "staff"}
    assert client.post("/auth/token", json=log_in).status_code == 200
    servers.replica.start()
    assert statuses(client) == ["pending", "shipped"]
