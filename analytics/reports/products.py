"""The catalogue by price band and by category. Products are counted once for all of it, in one query."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from django.db.models import Case, Count, IntegerField, Sum, Value, When

from analytics.models import Product
from analytics.reports.arithmetic import per
from analytics.reports.report import Column, Report, Row
from analytics.reports.sales import COUNTED, Sold, products_sold

# Cents at which price bands begin (SPEC section 6).
BOUNDS: Final = (0, 1000, 5000, 10_000, 25_000, 50_000, 100_000)
# The lowest price of each band, and the one that it ends before; the last has no end.
BANDS: Final = tuple(zip(BOUNDS, (*BOUNDS[1:], None), strict=True))


@dataclass(slots=True)
class Band:
    """The products of one price band."""

    products: int = 0
    cents: int = 0
    categories: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """How many products there are, told apart in the ways that reports do."""

    bands: defaultdict[int, Band]
    categories: Counter[str]
    active: Counter[str]
    statuses: Counter[str]


def catalogue() -> Catalogue:
    """Count all products, in one query."""
    found = Catalogue(defaultdict(Band), Counter(), Counter(), Counter())
    begin = Case(
        *(When(base_price_cents__gte=bound, then=Value(bound)) for bound in reversed(BOUNDS)),
        output_field=IntegerField(),
    )
    groups = Product.objects.annotate(band=begin).values("band", "category", "status")
    counted = groups.annotate(products=Count("pk"), cents=Sum("base_price_cents")).order_by()
    for bound, category, status, products, cents in counted.values_list(
        "band", "category", "status", "products", "cents"
    ):
        band = found.bands[bound]
        band.products += products
        band.cents += cents
        band.categories[category] += products
        found.categories[category] += products
        found.statuses[status] += products
        if status == "active":
            found.active[category] += products
    return found


def price_distribution(found: Catalogue) -> Iterator[Row]:
    """Yield the rows of the report for a catalogue that has been counted."""
    for lowest, above in BANDS:
        band = found.bands[lowest]
        yield {
            "from_cents": lowest,
            "below_cents": above,
            "products": band.products,
            "average_price_cents": per(band.cents, band.products),
            "categories": dict(sorted(band.categories.items())),
        }


def top_categories(found: Catalogue, sold: Iterable[Sold]) -> Iterable[Row]:
    """Return the rows of the report for a catalogue and sales that have been read, most revenue first."""
    revenue, units = Counter[str | None](), Counter[str | None]()
    for product in sold:
        revenue[product.category] += product.revenue_cents
        units[product.category] += product.units
    rows = [
        {
            "category": category,
            "products": found.categories[category or ""],
            "active_products": found.active[category or ""],
            "revenue_cents": revenue[category],
            "units": units[category],
        }
        for category in {*found.categories, *revenue}
    ]
    return sorted(rows, key=lambda row: (-row["revenue_cents"], row["category"] is None, row["category"] or ""))


PRICE_DISTRIBUTION = Report(
    "price-distribution",
    "Price distribution",
    "All products that are not deleted, whatever their status, by the band in which their base price lies.",
    (
        Column("from_cents", "cents", "The lowest price of the band."),
        Column("below_cents", "cents", "The price that the band ends before; null for the last.", is_nullable=True),
        Column("products", "count", "How many products have a base price in the band."),
        Column(
            "average_price_cents",
            "cents",
            "Their average base price, rounded half up; null without products.",
            is_nullable=True,
        ),
        Column("categories", "counts", "How many of them are in each category."),
    ),
    lambda _: price_distribution(catalogue()),
    (),
)

TOP_CATEGORIES = Report(
    "top-categories",
    "Top categories",
    f"Categories with products or with sales in the range, most revenue first. {COUNTED}",
    (
        Column(
            "category",
            "text",
            "The category that the products have now; null sums the sales of products that are gone.",
            is_nullable=True,
        ),
        Column("products", "count", "How many products the category has now, whatever their status."),
        Column("active_products", "count", "How many of them are active."),
        Column("revenue_cents", "cents", "The sum of their lines in counted orders of the range."),
        Column("units", "count", "How many units these lines hold."),
    ),
    lambda question: top_categories(catalogue(), products_sold(question.days)),
)
