"""Analytics tables full of orders: `python -m benchmarks.bulk --orders 1000000`, for measuring what reads them.

Customers come back, products have a long tail, week-ends are busier, some orders are cancelled. Rows go into the
tables directly (LOAD DATA on MariaDB), and so does what they contribute to the roll-ups by the product's definition.
"""

import argparse
import functools
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import django
from django.db import connection, transaction
from tqdm import tqdm

from benchmarks.bulk_rows import COLUMNS, Market, Row, Size

# Rows in one go, and those that complete the day.
CHUNK = 50_000

Load = Callable[[str, Sequence[str], Iterable[Sequence[Any]]], None]
Lines = list[Row]


def fill(size: Size, *, is_quiet: bool = False) -> None:
    """Fill the empty tables of the connected database, then the roll-ups. Raises RuntimeError when there are orders."""
    from benchmarks.bulk_roll_ups import RollUps  # noqa: PLC0415  # needs Django set up

    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM orders LIMIT 1")
        if cursor.fetchone():
            raise RuntimeError("there are orders already; empty the tables first")
    market = Market(size)
    with _loader() as load:
        for rows in (market.suppliers, market.products, market.product_variants):
            load(rows.__name__, COLUMNS[rows.__name__], rows())
        roll_ups = RollUps(load)
        for entity, rows in (("user", market.users), ("post", market.posts)):
            for chunk in _chunks(((row, []) for row in rows()), rows.__name__):
                load(rows.__name__, COLUMNS[rows.__name__], (row for row, _ in chunk))
                roll_ups.add(entity, chunk)
        with tqdm(total=size.orders, desc="orders", unit="", disable=is_quiet or None) as bar:
            for chunk in _chunks(market.orders(), "orders"):
                load("orders", COLUMNS["orders"], (order for order, _ in chunk))
                load("order_items", COLUMNS["order_items"], (line for _, lines in chunk for line in lines))
                roll_ups.add("order", chunk)
                bar.update(len(chunk))
        roll_ups.add_customers()
    analyze()


def _chunks(rows: Iterable[tuple[Row, Lines]], table: str) -> Iterator[list[tuple[Row, Lines]]]:
    """Yield rows with their lines, days whole."""
    created_at = COLUMNS[table].index("created_at")
    chunk: list[tuple[Row, Lines]] = []
    for _, of_day in groupby(rows, key=lambda row: row[0][created_at][:10]):
        chunk.extend(of_day)
        if len(chunk) >= CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def analyze() -> None:
    """Let the planner know what is in the tables."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            name = connection.ops.quote_name(table)
            cursor.execute(f"ANALYZE {name}" if connection.vendor == "sqlite" else f"ANALYZE TABLE {name}")
            cursor.fetchall()


def _loader() -> AbstractContextManager[Load]:
    """Return the quickest way into this database."""
    return _loading_files() if connection.vendor == "mysql" else inserting()


@contextmanager
def inserting() -> Iterator[Load]:
    """Give the way that any database takes, in the connection's own transaction if there is one."""
    yield _insert


@contextmanager
def _loading_files() -> Iterator[Load]:
    import MySQLdb  # noqa: PLC0415  # for SQLite it need not be there

    server = MySQLdb.connect(**connection.get_connection_params() | {"local_infile": 1})
    with tempfile.TemporaryDirectory(prefix="marketplace-bulk-") as folder:
        yield functools.partial(_load_data, server, Path(folder, "rows"))
    server.close()


def _load_data(server: Any, path: Path, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with path.open("w") as file:
        file.writelines("\t".join([r"\N" if value is None else str(value) for value in row]) + "\n" for row in rows)
    cursor = server.cursor()
    cursor.execute("SET unique_checks = 0, foreign_key_checks = 0")  # they are right by construction
    names = ", ".join(map(connection.ops.quote_name, columns))
    cursor.execute(f"LOAD DATA LOCAL INFILE '{path}' INTO TABLE {table} CHARACTER SET utf8mb4 ({names})")
    server.commit()


def _insert(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        names, values = ", ".join(map(connection.ops.quote_name, columns)), ", ".join(["%s"] * len(columns))
        cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({values})", list(rows))  # noqa: S608


def main() -> None:
    """Fill the configured database's empty tables."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.bulk",
        description="Fill the empty analytics tables of DATABASE_URL with orders up to today, and their roll-ups.",
    )
    parser.add_argument("--orders", type=int, default=1_000_000, help="(default: %(default)s)")
    parser.add_argument("--days", type=int, default=730, help="over so many days (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="another number gives other rows (default: %(default)s)")
    arguments = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")
    django.setup()
    fill(Size(arguments.orders, arguments.days, datetime.now(UTC).date() + timedelta(days=1), arguments.seed))


if __name__ == "__main__":
    main()
