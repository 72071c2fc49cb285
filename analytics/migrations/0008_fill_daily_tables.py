"""Fill the roll-ups from rows that are there already, a month at a time: few transactions are as long as history.

Those are the ones that empty the roll-ups for an interrupted run, which begins anew, and the three over the days of
customers (AT_LAST), where the day before each matters.

In SQL and by itself: what the code of later versions counts, and how, is none of its business. Consumers should not be
running; what they wrote meanwhile would be missing (`verify_analytics --rollups --repair` adds it).
"""

# ruff: noqa: S608  # all names are from here
import re
from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.db import migrations, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

COUNTED = "o.status EXACT NOT IN ('cancelled', 'failed', 'refunded')"
TIER = (
    "CASE WHEN deleted_at IS NOT NULL OR published_at IS NULL THEN ''"
    " WHEN view_count > 0 AND like_count * 10.0 >= view_count THEN 'viral'"
    " WHEN view_count > 0 AND like_count * 20.0 >= view_count THEN 'high'"
    " WHEN view_count > 0 AND like_count * 50.0 >= view_count THEN 'medium' ELSE 'low' END"
)
STATE = "CASE WHEN deleted_at IS NOT NULL THEN 'deleted' WHEN published_at IS NULL THEN 'draft' ELSE 'published' END"
# Each database has its own DAY and MONTH (its first day). Texts group by their bytes: EXACT is the collation of keys.
# By table: its columns whose first one that is not null puts a row into its day, and what to run for a month.
BY_MONTH = (
    (
        "users",
        ("created_at",),
        "INSERT INTO daily_users (day, sign_ups, deleted) SELECT DAY(created_at), COUNT(*), COUNT(deleted_at)"
        " FROM users WHERE created_at BETWEEN %(first)s AND %(last)s GROUP BY 1",
    ),
    (
        "posts",
        ("published_at", "created_at"),
        "INSERT INTO daily_posts (day, state, tier, posts, views, likes, interactions)"
        f" SELECT DAY(COALESCE(published_at, created_at)), {STATE}, {TIER}, COUNT(*), SUM(view_count),"
        " SUM(like_count), SUM(like_count) + SUM(comment_count) + SUM(share_count) + SUM(save_count)"
        " FROM posts WHERE published_at BETWEEN %(first)s AND %(last)s"
        " OR published_at IS NULL AND created_at BETWEEN %(first)s AND %(last)s GROUP BY 1, 2, 3",
    ),
    (
        "orders",
        ("created_at",),
        "INSERT INTO daily_orders (day, status, orders, units, total_cents)"
        " SELECT DAY(created_at), status EXACT, COUNT(*), SUM(item_count), SUM(total_cents)"
        " FROM orders WHERE created_at BETWEEN %(first)s AND %(last)s GROUP BY 1, 2",
    ),
    (
        "orders",
        ("created_at",),
        "INSERT INTO daily_cancellations (day, reason, orders)"
        " SELECT DAY(created_at), COALESCE(cancellation_reason, '') EXACT, COUNT(*)"
        " FROM orders WHERE created_at BETWEEN %(first)s AND %(last)s AND status EXACT = 'cancelled' GROUP BY 1, 2",
    ),
    (
        "orders",
        ("created_at",),
        "INSERT INTO daily_sales (day, product_id, variant_key, `lines`, quantity, revenue_cents)"
        " SELECT DAY(o.created_at), i.product_id, COALESCE(i.variant_name, '') EXACT, COUNT(*), SUM(i.quantity),"
        " SUM(i.total_cents) FROM orders o JOIN order_items i ON i.order_id = o.order_id"
        f" WHERE o.created_at BETWEEN %(first)s AND %(last)s AND {COUNTED} GROUP BY 1, 2, 3",
    ),
    (
        "orders",
        ("created_at",),
        "INSERT INTO daily_supplier_sales (day, supplier_id, orders, items_sold, revenue_cents)"
        " SELECT DAY(o.created_at), i.supplier_id, COUNT(DISTINCT o.order_id), SUM(i.quantity), SUM(i.total_cents)"
        " FROM orders o JOIN order_items i ON i.order_id = o.order_id"
        f" WHERE o.created_at BETWEEN %(first)s AND %(last)s AND {COUNTED} GROUP BY 1, 2",
    ),
    (
        "orders",
        ("created_at",),
        "INSERT INTO customer_days (customer_user_id, day, orders, revenue_cents)"
        " SELECT o.customer_user_id, DAY(o.created_at), COUNT(*), SUM(o.total_cents)"
        f" FROM orders o WHERE o.created_at BETWEEN %(first)s AND %(last)s AND {COUNTED} GROUP BY 1, 2",
    ),
)
# Derived from customer_days.
AT_LAST = (
    "INSERT INTO customers (customer_user_id, first_day)"
    " SELECT customer_user_id, MIN(day) FROM customer_days GROUP BY customer_user_id",
    "INSERT INTO daily_buyers (day, previous_day, customers) SELECT day, previous, COUNT(*) FROM"
    " (SELECT day, COALESCE(LAG(day) OVER (PARTITION BY customer_user_id ORDER BY day), '1000-01-01') AS previous"
    " FROM customer_days) days GROUP BY day, previous",
    "INSERT INTO monthly_cohorts (cohort, month, customers)"
    " SELECT MONTH(c.first_day), MONTH(d.day), COUNT(DISTINCT d.customer_user_id)"
    " FROM customer_days d JOIN customers c ON c.customer_user_id = d.customer_user_id GROUP BY 1, 2",
)
TABLES = (
    "daily_users", "daily_posts", "daily_orders", "daily_cancellations", "daily_sales", "daily_supplier_sales",
    "customer_days", "customers", "daily_buyers", "monthly_cohorts",
)  # fmt: skip


def fill(_apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Empty the roll-ups and fill them."""
    connection = schema_editor.connection
    for table in TABLES:
        execute(connection, f"DELETE FROM {table}")
    for table, moments, statement in BY_MONTH:
        for bounds in months(connection, table, moments):
            execute(connection, statement, bounds)
    for statement in AT_LAST:
        execute(connection, statement)


def execute(connection: Any, statement: str, parameters: Mapping[str, str] | None = None) -> None:
    """Run a statement as a transaction, in the database's own dialect."""
    # SQLite's DATE rounds to milliseconds, and so to the next day.
    exact, day, month = "", r"SUBSTR(\1, 1, 10)", r"SUBSTR(\1, 1, 8) || '01'"
    if connection.vendor == "mysql":
        exact = "COLLATE utf8mb4_nopad_bin" if connection.mysql_is_mariadb else "COLLATE utf8mb4_0900_bin"
        day, month = r"DATE(\1)", r"CAST(DATE_FORMAT(\1, '%Y-%m-01') AS DATE)"
    statement = re.sub(r"\bDAY\((COALESCE\(.*?\)|[\w.]+)\)", day, statement)
    statement = re.sub(r"\bMONTH\(([\w.]+)\)", month, statement).replace("EXACT", exact)
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def months(connection: Any, table: str, moments: Sequence[str]) -> Iterator[dict[str, str]]:
    """Yield the first and last moment of each month in which one of the columns has a time."""
    last = ""
    while start := min(filter(None, [after(connection, table, moment, last) for moment in moments]), default=None):
        days = monthrange(start.year, start.month)[1]
        last = f"{start.replace(day=days)} 23:59:59.999999"
        yield {"first": str(start.replace(day=1)), "last": last}


def after(connection: Any, table: str, moment: str, last: str) -> date | None:
    """Return the day of the first time after `last`; of the first one at all for an empty text."""
    condition = f"WHERE {moment} > %s" if last else ""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT MIN({moment}) FROM {table} {condition}", [last] if last else None)
        found = cursor.fetchone()[0]
    return found.date() if isinstance(found, datetime) else date.fromisoformat(found[:10]) if found else None


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("analytics", "0007_table_indexes")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
