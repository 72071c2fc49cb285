"""Fill the roll-ups from rows that are there already: a month at a time, so that no transaction is as long as history.

In SQL and by itself: what the code of later versions counts, and how, is none of its business. Consumers should not be
running; what they wrote meanwhile would be missing (`verify_analytics --rollups --repair` adds it). An interrupted run
begins anew.
"""

# ruff: noqa: S608  # all names are from here
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
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
# Texts group by their bytes: EXACT becomes the collation of keys.
BY_MONTH = (
    (
        "users",
        "created_at",
        "INSERT INTO daily_users (day, sign_ups, deleted) SELECT DATE(created_at), COUNT(*), COUNT(deleted_at)"
        " FROM users WHERE created_at >= %s AND created_at < %s GROUP BY 1",
    ),
    (
        "posts",
        "COALESCE(published_at, created_at)",
        "INSERT INTO daily_posts (day, state, tier, posts, views, likes, interactions)"
        f" SELECT DATE(COALESCE(published_at, created_at)), {STATE}, {TIER}, COUNT(*), SUM(view_count),"
        " SUM(like_count), SUM(like_count) + SUM(comment_count) + SUM(share_count) + SUM(save_count)"
        " FROM posts WHERE COALESCE(published_at, created_at) >= %s AND COALESCE(published_at, created_at) < %s"
        " GROUP BY 1, 2, 3",
    ),
    (
        "orders",
        "created_at",
        "INSERT INTO daily_orders (day, status, orders, units, total_cents)"
        " SELECT DATE(created_at), status EXACT, COUNT(*), SUM(item_count), SUM(total_cents)"
        " FROM orders WHERE created_at >= %s AND created_at < %s GROUP BY 1, 2",
    ),
    (
        "orders",
        "created_at",
        "INSERT INTO daily_cancellations (day, reason, orders)"
        " SELECT DATE(created_at), COALESCE(cancellation_reason, '') EXACT, COUNT(*)"
        " FROM orders WHERE created_at >= %s AND created_at < %s AND status EXACT = 'cancelled' GROUP BY 1, 2",
    ),
    (
        "orders",
        "created_at",
        "INSERT INTO daily_sales (day, product_id, variant_key, `lines`, quantity, revenue_cents)"
        " SELECT DATE(o.created_at), i.product_id, COALESCE(i.variant_name, '') EXACT, COUNT(*), SUM(i.quantity),"
        " SUM(i.total_cents) FROM orders o JOIN order_items i ON i.order_id = o.order_id"
        f" WHERE o.created_at >= %s AND o.created_at < %s AND {COUNTED} GROUP BY 1, 2, 3",
    ),
    (
        "orders",
        "created_at",
        "INSERT INTO daily_supplier_sales (day, supplier_id, orders, items_sold, revenue_cents)"
        " SELECT DATE(o.created_at), i.supplier_id, COUNT(DISTINCT o.order_id), SUM(i.quantity), SUM(i.total_cents)"
        " FROM orders o JOIN order_items i ON i.order_id = o.order_id"
        f" WHERE o.created_at >= %s AND o.created_at < %s AND {COUNTED} GROUP BY 1, 2",
    ),
    (
        "orders",
        "created_at",
        "INSERT INTO customer_days (customer_user_id, day, orders, revenue_cents)"
        " SELECT o.customer_user_id, DATE(o.created_at), COUNT(*), SUM(o.total_cents)"
        f" FROM orders o WHERE o.created_at >= %s AND o.created_at < %s AND {COUNTED} GROUP BY 1, 2",
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
    for table, moment, statement in BY_MONTH:
        for month, following in months(connection, table, moment):
            execute(connection, statement, [month, following])
    for statement in AT_LAST:
        execute(connection, statement)


def execute(connection: Any, statement: str, parameters: Sequence[str] = ()) -> None:
    """Run a statement as a transaction, in the database's own dialect."""
    exact, month = "", "DATE({}, 'start of month')"
    if connection.vendor == "mysql":
        exact = "COLLATE utf8mb4_nopad_bin" if connection.mysql_is_mariadb else "COLLATE utf8mb4_0900_bin"
        month = "CAST(DATE_FORMAT({}, '%Y-%m-01') AS DATE)"
    for column in ("c.first_day", "d.day"):
        statement = statement.replace(f"MONTH({column})", month.format(column))
    statement = statement.replace("EXACT", exact)
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute(statement, list(parameters) or None)


def months(connection: Any, table: str, moment: str) -> Iterator[tuple[str, str]]:
    """Yield the bounds of the months from the first to the last that have rows."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT MIN({moment}), MAX({moment}) FROM {table}")
        bounds = cursor.fetchone()
    if bounds[0] is None:
        return
    first, last = (value.date() if isinstance(value, datetime) else date.fromisoformat(value[:10]) for value in bounds)
    month = first.replace(day=1)
    while month <= last:
        following = (month + timedelta(days=32)).replace(day=1)
        yield str(month), str(following)
        month = following


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("analytics", "0007_table_indexes")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
