"""Variants that run out: what is left of them, and for how long it lasts at the pace of the last four weeks."""

from collections.abc import Iterator
from typing import Any, Final

from django.db.models import F, FloatField, OuterRef, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from analytics.daily import DailySales
from analytics.models import ProductVariant
from analytics.reports.arithmetic import ratio
from analytics.reports.periods import Period, last_days
from analytics.reports.report import Column, Question, Report, Row

PACE_DAYS: Final = 28
SELLING: Final = ("active", "out_of_stock")


def low_stock(question: Question) -> Iterator[Row]:
    """Yield variants under the threshold, the least cover first, in one query."""
    sold = Coalesce(Subquery(_sold(last_days(PACE_DAYS, question.today))), 0)
    short = ProductVariant.objects.filter(quantity__lt=question.threshold, product__status__in=SELLING)
    # Times a float, or else the database divides as decimals, and cuts.
    rate = F("quantity") * Value(1.0, FloatField()) / F("sold_28_days")
    rows = short.annotate(
        product_name=F("product__name"), supplier_id=F("product__supplier_id"), sold_28_days=sold
    ).order_by(rate.asc(nulls_last=True), "quantity", "product_id", "variant_key")
    columns = [column.name for column in LOW_STOCK.columns if column.name != "days_of_cover"]
    for row in rows.values(*columns)[: question.limit]:
        yield row | {"days_of_cover": ratio(row["quantity"] * PACE_DAYS, row["sold_28_days"])}


def _sold(days: Period) -> QuerySet[Any, Any]:
    sales = DailySales.objects.filter(
        product_id=OuterRef("product_id"), variant_key=OuterRef("variant_key"), day__gte=days.start, day__lt=days.end
    )
    return sales.values("product_id").annotate(sold=Sum("quantity")).values("sold")


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
