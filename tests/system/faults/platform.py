"""The servers that a run of the bench uses: real ones, or the embedded ones where only mongod can be killed."""

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import PIPE
from typing import Any

import pymongo

from marketplace.embedded.processes import start_child, stop_child
from tests.servers.kafka import Kafka
from tests.servers.mariadb import MariaDb
from tests.servers.mongod import Mongod
from tests.servers.mysql import MySql
from tests.servers.server import Server
from tests.servers.sql import SqlServer
from tests.system.faults.tables import MySqlTables, SqliteTables, Tables

DATABASE = "marketplace"
SQL_SERVERS: dict[str, type[SqlServer]] = {"mariadb": MariaDb, "mysql": MySql}
# An API that was killed leaves its transaction open. MongoDB holds what it has locked for a minute, unless told so.
TRANSACTION_SECONDS = 5


@dataclass
class Platform:
    """Running servers: what can be killed, where the tables are, and the environment that names them all."""

    mongod: Server
    tables: Tables
    killable: dict[str, Server]
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def mongodb(self) -> str:
        """The URL of the replica set."""
        return self.environment["MONGODB_URL"]

    @property
    def kafka(self) -> str:
        """The address of the broker."""
        return self.environment["KAFKA_BOOTSTRAP_SERVERS"]

    def start(self, name: str) -> None:
        """Start a killed server again."""
        self.killable[name].start()
        if name == "mongod":
            limit_transactions(self.mongodb)


def real_servers_are_here() -> bool:
    """Whether this machine has all that MariaDB and Apache Kafka need."""
    return not MariaDb.missing() + Kafka.missing()


def killable(kind: str, sql: str) -> list[str]:
    """Return the names of the servers that can be killed: embedded Kafka and SQLite are in memory, or no process."""
    return ["mongod", "kafka", sql] if kind == "real" else ["mongod"]


@contextmanager
def running(kind: str, folder: Path, sql: str = "mariadb") -> Iterator[Platform]:
    """Run servers, `real` (with one of SQL_SERVERS) or `embedded`, for the length of the block."""
    with ExitStack() as stack:
        yield _real(stack, folder, sql) if kind == "real" else _embedded(stack, folder)


def _real(stack: ExitStack, folder: Path, sql: str) -> Platform:
    database = stack.enter_context(SQL_SERVERS[sql](folder / sql))
    kafka = stack.enter_context(Kafka(folder / "kafka"))
    mongod = stack.enter_context(Mongod(folder / "mongod"))
    tables = MySqlTables(lambda: database.connect(database=DATABASE, autocommit=True, charset="utf8mb4"))
    killable: dict[str, Server] = {"mongod": mongod, "kafka": kafka, sql: database}
    return _platform(mongod, tables, killable, database.address, kafka.address)


def _embedded(stack: ExitStack, folder: Path) -> Platform:
    mongod = stack.enter_context(Mongod(folder / "mongod"))
    file = folder / "analytics.sqlite3"
    tables = SqliteTables(lambda: sqlite3.connect(file, timeout=30, isolation_level=None, check_same_thread=False))
    broker = start_child([sys.executable, "-m", "tests.system.faults.broker"], stdout=PIPE)
    stack.callback(stop_child, broker, 10)
    with broker.stdout or nullcontext([""]) as output:
        address = next(iter(output)).strip()
    return _platform(mongod, tables, {"mongod": mongod}, f"sqlite:///{file}", address)


def _platform(mongod: Mongod, tables: Tables, killable: dict[str, Server], sql: str, kafka: str) -> Platform:
    environment = {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "PYTHONUNBUFFERED": "1",
        "ALLOWED_HOSTS": "127.0.0.1",
        "DATABASE_NAME": DATABASE,
        "MONGODB_URL": mongod.address,
        "KAFKA_BOOTSTRAP_SERVERS": kafka,
        "DATABASE_URL": sql,
    }
    limit_transactions(mongod.address)
    return Platform(mongod, tables, killable, environment)


def limit_transactions(url: str) -> None:
    """Have MongoDB end transactions that nobody ends."""
    with pymongo.MongoClient[dict[str, Any]](url) as client:
        client.admin.command("setParameter", 1, transactionLifetimeLimitSeconds=TRANSACTION_SECONDS)
