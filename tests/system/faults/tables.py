"""Plain SQL access to the analytics database, without the project's models: the bench must not share their mistakes."""

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from typing import Any, ClassVar

Row = dict[str, Any]
KEYS_PER_QUERY = 500


class Tables(ABC):
    """One connection at a time, opened again by `reconnect` when its server was away."""

    trigger: ClassVar[str]  # a row trigger with one statement
    key: ClassVar[str]  # type of a column that compares exactly
    serial: ClassVar[str]

    def __init__(self, connect: Callable[[], Any]) -> None:
        self._connect = connect
        self._connection: Any = None

    @property
    @abstractmethod
    def errors(self) -> tuple[type[Exception], ...]:
        """What is raised while the server is away."""

    def query(self, sql: str) -> list[Row]:
        """Run one statement and return its rows by column name."""
        if self._connection is None:
            self._connection = self._connect()
        cursor = self._connection.cursor()
        try:
            cursor.execute(sql)
            names = [column[0] for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        except self.errors:
            self.close()
            raise
        finally:
            cursor.close()

    def close(self) -> None:
        """Close the connection; the next query opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def of(self, table: str, column: str, keys: Collection[str], wanted: str = "*") -> Iterator[Row]:
        """Yield the rows whose column is one of the keys, which are ids of ours."""
        for some in _chunks(sorted(keys)):
            listed = ", ".join(f"'{key}'" for key in some)
            yield from self.query(f"SELECT {wanted} FROM {table} WHERE {column} IN ({listed})")  # noqa: S608

    def moment(self, value: Any) -> Any:
        """Return a time as the drivers give it as a datetime in UTC without a zone."""
        return datetime.fromisoformat(value) if isinstance(value, str) else value


def _chunks(keys: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(keys), KEYS_PER_QUERY):
        yield keys[start : start + KEYS_PER_QUERY]


class MySqlTables(Tables):
    """MariaDB or MySQL."""

    trigger = "CREATE TRIGGER {name} {when} ON {table} FOR EACH ROW {body}"
    key = "VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
    serial = "BIGINT AUTO_INCREMENT PRIMARY KEY"

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        import MySQLdb  # noqa: PLC0415  # not installed where the embedded servers are enough

        return (MySQLdb.Error,)


class SqliteTables(Tables):
    """SQLite."""

    trigger = "CREATE TRIGGER {name} {when} ON {table} FOR EACH ROW BEGIN {body}; END"
    key = "TEXT"
    serial = "INTEGER PRIMARY KEY"

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        return (sqlite3.Error,)
