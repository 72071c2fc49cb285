"""Which SQL a call runs, and what MariaDB's planner would do with it: whether it reads a table from end to end."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection

# The tables that grow with history; "order" and "item" rows are never few.
GROWING = ("orders", "order_items")
# An index that is read in order up to a LIMIT is no full scan: the planner tells how many rows it expects to read.
FEW_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Query:
    """A statement with its parameters."""

    sql: str
    parameters: Any


def queries(call: Callable[[], object]) -> list[Query]:
    """Make the call and return the statements that it ran."""
    found: list[Query] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        found.append(Query(sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        call()
    return found


def full_scans(query: Query) -> list[str]:
    """Return how orders and their lines would be read from end to end, if they would. MariaDB only, after ANALYZE."""
    if not query.sql.lstrip("( ").startswith("SELECT"):
        return []
    names = _names(query.sql)
    return [
        f"{names[table['table_name']]} ({table['access_type']}, {table['rows']} rows)"
        for table in _tables(plan(query))
        if table["table_name"] in names
        and (table["access_type"] == "ALL" or (table["access_type"] == "index" and table["rows"] > FEW_ROWS))
    ]


def plan(query: Query) -> Any:
    """Return the plan. Objects are lists of pairs, because MariaDB repeats the key `table` in one."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN FORMAT=JSON {query.sql}", query.parameters)
        return json.loads(cursor.fetchone()[0], object_pairs_hook=list)


def _tables(node: Any) -> Iterator[dict[str, Any]]:
    """Yield what a plan says of each table that it reads."""
    if isinstance(node, tuple):
        yield from _tables(node[1])
    elif isinstance(node, list):
        pairs = dict(pair for pair in node if isinstance(pair, tuple))
        if "access_type" in pairs and "table_name" in pairs:
            yield {"rows": 0} | pairs
        for inner in node:
            yield from _tables(inner)


def _names(sql: str) -> dict[str, str]:
    """Return the growing tables by the names that a plan has for them: their own, and the aliases in the statement."""
    names = {table: table for table in GROWING}
    for table, alias in re.findall(rf"`({'|'.join(GROWING)})` ([A-Z]\d+)\b", sql):
        names[alias] = table
    return names
