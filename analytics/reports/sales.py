"""Revenue by day, by supplier and by product, out of the roll-ups: no query here reads orders or their lines."""

from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import NamedTuple

from django.db.models import Sum

from analytics.daily import DailySales, DailySupplierSales
from analytics.reports.arithmetic import per
from analytics.reports.history import History, history
from analytics.reports.names import product_category, product_name, supplier_name
from analytics.reports.periods import Period
from analytics.reports.report import Column, Question, Report, Row

COUNTED = "Orders that are cancelled, failed or refunded do not count."


class Sold(NamedTuple):
    """What was sold of a product, and its category now: None when the product is gone."""

    product_id: str
    name: str
    category: str | None
    lines: int
    units: int
    revenue_cents: int


def daily_revenue(found: History) -> Iterator[Row]:
    """Yield the rows of the report for a history that has been read."""
    days = list(found.averages())
    running = accumulate(totals.revenue_cents for _, totals, _ in days)
    for (day, totals, average), total in zip(days, running, strict=True):
        yield {
            "day": day,
            "revenue_cents": totals.revenue_cents,
            "order_count": totals.orders,
            "items_sold": totals.units,
            "unique_customers": totals.buyers,
            "moving_average_cents": average,
            "running_total_cents": total,
        }


def revenue_by_supplier(question: Question) -> Iterable[Row]:
    """Yield suppliers with sales, most revenue first."""
    days = question.days
    sales = DailySupplierSales.objects.filter(day__gte=days.start, day__lt=days.end).values("supplier_id")
    sums = sales.annotate(
        supplier_name=supplier_name(),
        total_revenue_cents=Sum("revenue_cents"),
        items=Sum("items_sold"),
        order_count=Sum("orders"),
    ).order_by("-total_revenue_cents", "supplier_id")
    for row in sums[: question.limit]:
        yield {
            "supplier_id": row["supplier_id"],
            "supplier_name": row["supplier_name"],
            "total_revenue_cents": row["total_revenue_cents"],
            "items_sold": row["items"],
            "order_count": row["order_count"],
            "avg_item_value_cents": per(row["total_revenue_cents"], row["items"]),
        }


def products_sold(period: Period, limit: int | None = None) -> list[Sold]:
    """Return the products with sales, or so many of them, most revenue first; in one query."""
    sales = DailySales.objects.filter(day__gte=period.start, day__lt=period.end).values_list("product_id")
    sums = sales.annotate(
        name=product_name(),
        category=product_category(),
        times=Sum("lines"),
        units=Sum("quantity"),
        revenue=Sum("revenue_cents"),
    ).order_by("-revenue", "product_id")
    return [Sold(*row) for row in sums[:limit]]


def top_products(sold: Iterable[Sold]) -> Iterator[Row]:
    """Yield the rows of the report for products whose sales have been read."""
    for product in sold:
        yield {
            "product_id": product.product_id,
            "product_name": product.name,
            "times_ordered": product.lines,
            "total_quantity": product.units,
            "revenue_cents": product.revenue_cents,
        }


DAILY_REVENUE = Report(
    "daily-revenue",
    "Revenue by day",
    f"What was ordered on each day of the range; days without orders are there with zeros. {COUNTED}",
    (
        Column("day", "day", "The day (UTC) on which the orders were placed."),
        Column("revenue_cents", "cents", "The sum of the totals of the day's counted orders."),
        Column("order_count", "count", "How many counted orders were placed on the day."),
        Column("items_sold", "count", "How many units these orders hold."),
        Column("unique_customers", "count", "How many different customers placed them."),
        Column(
            "moving_average_cents",
            "cents",
            "The revenue of the day and of the six days before it, divided by seven; days before the range count in.",
        ),
        Column("running_total_cents", "cents", "The revenue from the first day of the range to this one."),
    ),
    lambda question: daily_revenue(history(question.days)),
)

REVENUE_BY_SUPPLIER = Report(
    "revenue-by-supplier",
    "Revenue by supplier",
    f"Suppliers whose products were ordered in the range, most revenue first. {COUNTED}",
    (
        Column("supplier_id", "id", "The supplier."),
        Column(
            "supplier_name",
            "text",
            "The supplier's legal name now; for a supplier that is gone, the name on the newest of its order lines.",
        ),
        Column("total_revenue_cents", "cents", "The sum of the supplier's lines in counted orders."),
        Column("items_sold", "count", "How many units these lines hold."),
        Column(
            "order_count",
            "count",
            "How many counted orders hold such a line: an order from two suppliers counts for both.",
        ),
        Column("avg_item_value_cents", "cents", "Revenue divided by units sold, rounded half up.", is_nullable=True),
    ),
    revenue_by_supplier,
    ("start", "end", "limit"),
)

TOP_PRODUCTS = Report(
    "top-products",
    "Top products",
    f"Products that were ordered in the range, most revenue first. {COUNTED}",
    (
        Column("product_id", "id", "The product."),
        Column(
            "product_name",
            "text",
            "The product's name now; for a product that is gone, the name on the newest of its order lines.",
        ),
        Column("times_ordered", "count", "How many lines of counted orders name the product."),
        Column("total_quantity", "count", "How many units these lines hold."),
        Column("revenue_cents", "cents", "The sum of these lines."),
    ),
    lambda question: top_products(products_sold(question.days, question.limit)),
    ("start", "end", "limit"),
    default_limit=20,
)
