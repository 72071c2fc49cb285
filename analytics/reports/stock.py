"""Variants that run out: what is left of them, and for how long it lasts at the pace of the last four weeks."""

from collections import Counter
from collections.abc import Iterator
from heapq import nsmallest
from typing import Any, Final

from django.db.models import QuerySet, Sum

from analytics.daily import DailySales
from analytics.models import ProductVariant
from analytics.reports.arithmetic import ratio
from analytics.reports.periods import last_days
from analytics.reports.report import Column, Question, Report, Row

PACE_DAYS: Final = 28
SELLING: Final = ("active", "out_of_stock")


def low_stock(question: Question) -> Iterator[Row]:
    """Yield variants under the threshold, the least cover first, in two queries."""
    short = ProductVariant.objects.filter(quantity__lt=question.threshold, product__status__in=SELLING)
    sold = _sold(short, question)
    columns = ("product_id", "product__name", "product__supplier_id", "variant_key", "variant_name", "quantity")
    rows = (_row(sold, *values) for values in short.values_list(*columns))
    return iter(nsmallest(question.limit, rows, key=_urgency))


def _sold(short: QuerySet[ProductVariant], question: Question) -> Counter[tuple[str, str]]:
    """Return the units sold of each variant. Asked for one by one, each would read all days of its product."""
    days = last_days(PACE_DAYS, question.today)
    sales = DailySales.objects.filter(day__gte=days.start, day__lt=days.end, product_id__in=short.values("product_id"))
    sums = sales.values_list("product_id", "variant_key").annotate(Sum("quantity")).order_by()
    return Counter({(product_id, key): units for product_id, key, units in sums})


def _row(
    sold: Counter[tuple[str, str]], product_id: str, product: str, supplier_id: str, key: str, name: str, left: int
) -> Row:
    units = sold[product_id, key]
    return {
        "product_id": product_id,
        "product_name": product,
        "supplier_id": supplier_id,
        "variant_key": key,
        "variant_name": name,
        "quantity": left,
        "sold_28_days": units,
        "days_of_cover": ratio(left * PACE_DAYS, units),
    }


def _urgency(row: Row) -> tuple[Any, ...]:
    cover = row["days_of_cover"]
    return cover is None, cover or 0, row["quantity"], row["product_id"], row["variant_key"]


LOW_STOCK = Report(
    "low-stock",
    "Low stock",
    "Variants of active and out-of-stock products with fewer units left than the threshold (10 unless asked"
    " otherwise), the least cover first.",
    (
        Column("product_id", "id", "The product."),
        Column("product_name", "text", "The product's name."),
        Column("supplier_id", "id", "The product's supplier."),
        Column("variant_key", "text", "The key of the variant within its product."),
        Column("variant_name", "text", "The variant's name."),
        Column("quantity", "count", "How many units are left."),
        Column("sold_28_days", "count", "Units of it in counted orders of the last 28 days, today included."),
        Column(
            "days_of_cover",
            "number",
            "How many days the units left last at the average pace of these 28 days; null when nothing was sold.",
            is_nullable=True,
        ),
    ),
    low_stock,
    ("threshold", "limit"),
)
