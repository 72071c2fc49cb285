"""The few SQL statements on whole batches of rows, built from a model: faster than creating model objects per row.

Values arrive as the columns take them (`columns.py`), so nothing is converted here.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

from django.db import connection, models
from django.db.models.constants import OnConflict

from analytics.columns import Row

# Rows and characters in one upsert statement: far below every limit on parameters and packet size. A server that is
# sent a larger packet than it takes closes the connection, which looks as if it had gone away.
UPSERT_ROWS = 50
UPSERT_LENGTH = 1 << 20
_ASSIGNMENT = re.compile(r"(\S+) = ([^\s,]+)")


class Table:
    """Bulk statements on the columns `columns` of a model's table; the first `key_columns` of them are its key."""

    def __init__(self, model: type[models.Model], columns: Sequence[str], key_columns: int = 1) -> None:
        self._name = model._meta.db_table
        self._columns = list(columns)
        self._key_columns = key_columns

    def insert(self, rows: list[Row]) -> None:
        """Insert rows that are not there. Raises IntegrityError when one is."""
        if rows:
            with connection.cursor() as cursor:
                cursor.executemany(f"{self._insert} {self._placeholders}", rows)

    def upsert(self, rows: list[Row]) -> None:
        """Insert rows, or overwrite the ones with the same key."""
        self._merge(rows, self._on_conflict)

    def add(self, rows: list[Row]) -> None:
        """Insert rows, or add to the numbers of the ones with the same key.

        A sum beyond 64 bits is refused. On SQLite only SUM does so (https://sqlite.org/lang_aggfunc.html#sumunc): `+`
        would go on with a float that is nearly right.
        """
        is_sqlite = connection.vendor == "sqlite"
        total = "(SELECT SUM(one) FROM (SELECT {old} AS one UNION ALL SELECT {new}))" if is_sqlite else "{old} + {new}"
        self._merge(rows, self._merging(total))

    def fill(self, rows: list[Row]) -> None:
        """Insert rows, or lock the ones with the same key exclusively, and replace what is null in them."""
        self._merge(rows, self._merging("COALESCE({old}, {new})"))

    def _merge(self, rows: list[Row], on_conflict: str) -> None:
        with connection.cursor() as cursor:
            for chunk in _chunks(rows):
                statement = f"{self._insert} {', '.join([self._placeholders] * len(chunk))} {on_conflict}"
                cursor.execute(statement, [value for row in chunk for value in row])

    def set(self, columns: Sequence[str], rows: list[Row]) -> None:
        """Set `columns` of existing rows: each row of values ends with the key."""
        quote = connection.ops.quote_name
        values = ", ".join(f"{quote(column)} = %s" for column in columns)
        key = quote(self._columns[0])
        if rows:
            with connection.cursor() as cursor:
                cursor.executemany(f"UPDATE {quote(self._name)} SET {values} WHERE {key} = %s", rows)  # noqa: S608

    def after(self, key: str, limit: int) -> list[Row]:
        """Return the next rows in the order of the first column, as the driver gives them."""
        return self._select(f"> %s ORDER BY {connection.ops.quote_name(self._columns[0])} LIMIT {limit:d}", [key])

    def orphans(self, parents: "Table", key: str, end: str | None, limit: int) -> list[str]:
        """Return the next values of the first column that no row of `parents` has as its key, up to `end`, in order."""
        quote = connection.ops.quote_name
        table, column = quote(self._name), f"{quote(self._name)}.{quote(self._columns[0])}"
        key_of_parents = f"{quote(parents._name)}.{quote(parents._columns[0])}"
        bound, parameters = ("", [key]) if end is None else (f"AND {column} <= %s", [key, end])
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT DISTINCT {column} FROM {table} WHERE {column} > %s {bound} AND NOT EXISTS"  # noqa: S608
                f" (SELECT 1 FROM {quote(parents._name)} WHERE {key_of_parents} = {column})"
                f" ORDER BY {column} LIMIT {limit:d}",
                parameters,
            )
            return [key for (key,) in cursor.fetchall()]

    def of(self, ids: Sequence[str]) -> list[Row]:
        """Return the rows whose first column is one of `ids`, in any order, as the driver gives them."""
        return self._select(f"IN ({', '.join(['%s'] * len(ids))})", ids) if ids else []

    def _select(self, condition: str, parameters: Sequence[str]) -> list[Row]:
        quote = connection.ops.quote_name
        columns, table = ", ".join(map(quote, self._columns)), quote(self._name)
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {columns} FROM {table} WHERE {quote(self._columns[0])} {condition}", parameters)  # noqa: S608
            return [list(row) for row in cursor.fetchall()]

    def delete_zeros(self, keys: list[Row]) -> None:
        """Delete the rows of these keys whose other columns are all zero."""
        quote = connection.ops.quote_name
        key = " AND ".join(f"{quote(column)} = %s" for column in self._columns[: self._key_columns])
        zeros = " AND ".join(f"{quote(column)} = 0" for column in self._columns[self._key_columns :])
        with connection.cursor() as cursor:
            for chunk in _chunks(keys):
                found = " OR ".join([f"({key})"] * len(chunk))
                parameters = [value for row in chunk for value in row]
                cursor.execute(f"DELETE FROM {quote(self._name)} WHERE ({found}) AND {zeros}", parameters)  # noqa: S608

    def delete(self, ids: Sequence[str]) -> None:
        """Delete the rows whose first column is one of `ids`."""
        quote = connection.ops.quote_name
        if ids:
            found = ", ".join(["%s"] * len(ids))
            with connection.cursor() as cursor:
                cursor.execute(f"DELETE FROM {quote(self._name)} WHERE {quote(self._columns[0])} IN ({found})", ids)  # noqa: S608

    @cached_property
    def _insert(self) -> str:
        columns = ", ".join(map(connection.ops.quote_name, self._columns))
        return f"INSERT INTO {connection.ops.quote_name(self._name)} ({columns}) VALUES"

    @cached_property
    def _placeholders(self) -> str:
        return f"({', '.join(['%s'] * len(self._columns))})"

    @cached_property
    def _on_conflict(self) -> str:
        key, others = self._columns[: self._key_columns], self._columns[self._key_columns :]
        return str(connection.ops.on_conflict_suffix_sql(self._columns, OnConflict.UPDATE, others, key))

    def _merging(self, value: str) -> str:
        """Return `_on_conflict` with another value than the new one; each database has its own name for that."""
        table = connection.ops.quote_name(self._name)
        return _ASSIGNMENT.sub(
            lambda found: f"{found[1]} = {value.format(old=f'{table}.{found[1]}', new=found[2])}", self._on_conflict
        )


def _chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Divide rows by UPSERT_ROWS and UPSERT_LENGTH; a row that is longer is alone."""
    chunk: list[Row] = []
    length = 0
    for row in rows:
        added = sum([len(value) for value in row if isinstance(value, str)])
        if chunk and (len(chunk) == UPSERT_ROWS or length + added > UPSERT_LENGTH):
            yield chunk
            chunk, length = [], 0
        chunk.append(row)
        length += added
    if chunk:
        yield chunk
