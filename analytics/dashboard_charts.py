"""The dashboard's charts: which report each one shows, what of it is drawn, and where its rows lead."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from analytics import dashboard_links as links
from analytics.dashboard_cards import Card, named
from analytics.dashboard_range import Range
from analytics.dashboard_values import band, day, words
from analytics.reports import products, sales, shares, stock
from analytics.reports.history import History
from analytics.reports.report import Question, Row

TOP: Final = 10


def cards(chosen: Range, found: History, question: Question, why_empty: str) -> Iterator[Card]:
    """Yield the charts of a range, in the order of the page."""
    top = replace(question, limit=TOP)
    catalogue, sold = products.catalogue(), sales.products_sold(question.days)
    yield _revenue(sales.daily_revenue(found) if found.current.placed else (), why_empty)
    yield _status(chosen, shares.order_status(found.current.statuses), why_empty)
    yield _suppliers(chosen, sales.revenue_by_supplier(top), why_empty)
    yield _products(chosen, sales.top_products(sold[:TOP]), why_empty)
    yield _categories(products.top_categories(catalogue, sold), why_empty)
    yield _prices(products.price_distribution(catalogue) if catalogue.statuses else ())
    yield _tiers(chosen, shares.engagement_tiers(question))
    yield _low_stock(stock.low_stock(top), question.threshold)


def _revenue(rows: Iterable[Row], why_empty: str) -> Card:
    return Card(
        report=sales.DAILY_REVENUE,
        rows=list(rows),
        label_heading="Day",
        label=lambda row: day(row["day"]),
        columns=named(
            sales.DAILY_REVENUE,
            *("revenue_cents", "moving_average_cents", "order_count", "items_sold", "unique_customers"),
            "running_total_cents",
        ),
        chart="days",
        drawn={"revenue_cents": "bar", "moving_average_cents": "line"},
        url=lambda row: links.counted_orders_of_day(row["day"]),
        size="wide",
        empty=why_empty,
    )


def _status(chosen: Range, rows: Iterable[Row], why_empty: str) -> Card:
    return Card(
        report=shares.ORDER_STATUS,
        rows=list(rows),
        label_heading="Status",
        label=lambda row: words(row["status"]),
        columns=named(shares.ORDER_STATUS, "orders", "share"),
        chart="ring",
        drawn={"orders": "bar"},
        url=lambda row: links.orders(chosen, status__exact=row["status"]),
        size="narrow",
        empty=why_empty,
    )


def _suppliers(chosen: Range, rows: Iterable[Row], why_empty: str) -> Card:
    report = sales.REVENUE_BY_SUPPLIER
    return Card(
        report=report,
        title=f"{report.title}, first {TOP}",
        rows=list(rows),
        label_heading="Supplier",
        label=lambda row: row["supplier_name"],
        columns=named(report, "total_revenue_cents", "items_sold", "order_count", "avg_item_value_cents"),
        chart="bars",
        drawn={"total_revenue_cents": "bar"},
        url=lambda row: links.counted_orders(chosen, supplier_id=row["supplier_id"]),
        empty=why_empty,
    )


def _products(chosen: Range, rows: Iterable[Row], why_empty: str) -> Card:
    return Card(
        report=sales.TOP_PRODUCTS,
        title=f"{sales.TOP_PRODUCTS.title}, first {TOP}",
        rows=list(rows),
        label_heading="Product",
        label=lambda row: row["product_name"],
        columns=named(sales.TOP_PRODUCTS, "revenue_cents", "total_quantity", "times_ordered"),
        chart="bars",
        drawn={"revenue_cents": "bar"},
        # Not to its page, which a product that is gone has no more.
        url=lambda row: links.counted_orders(chosen, product_id=row["product_id"]),
        empty=why_empty,
    )


def _categories(rows: Iterable[Row], why_empty: str) -> Card:
    report = products.TOP_CATEGORIES
    return Card(
        report=report,
        rows=[] if why_empty else list(rows),
        label_heading="Category",
        label=lambda row: words(row["category"] or "products that are gone"),
        columns=named(report, "revenue_cents", "units", "products", "active_products"),
        chart="bars",
        drawn={"revenue_cents": "bar"},
        url=lambda row: links.products(category__exact=row["category"]) if row["category"] else "",
        size="third",
        empty=why_empty,
    )


def _prices(rows: Iterable[Row]) -> Card:
    return Card(
        report=products.PRICE_DISTRIBUTION,
        rows=list(rows),
        label_heading="Base price",
        label=lambda row: band(row["from_cents"], row["below_cents"]),
        columns=named(products.PRICE_DISTRIBUTION, "products", "average_price_cents", "categories"),
        chart="bands",
        drawn={"products": "bar"},
        url=lambda row: links.products(price_band=str(row["from_cents"])),
        size="third",
        empty="There are no products yet.",
    )


def _tiers(chosen: Range, rows: Iterable[Row]) -> Card:
    found = list(rows)
    return Card(
        report=shares.ENGAGEMENT_TIERS,
        rows=found if any(row["posts"] for row in found) else [],
        label_heading="Tier",
        label=lambda row: row["engagement_tier"],
        columns=named(shares.ENGAGEMENT_TIERS, "posts", "share"),
        chart="bands",
        drawn={"posts": "bar"},
        url=lambda row: links.posts(chosen, row["engagement_tier"]),
        size="third",
        empty="No posts were published in this range.",
    )


def _low_stock(rows: Iterable[Row], threshold: int) -> Card:
    return Card(
        report=stock.LOW_STOCK,
        title=f"{stock.LOW_STOCK.title}, first {TOP}",
        rows=list(rows),
        label_heading="Product",
        label=lambda row: row["product_name"],
        columns=named(stock.LOW_STOCK, "variant_name", "quantity", "days_of_cover", "sold_28_days"),
        url=lambda row: links.product(row["product_id"]),
        empty=f"No variant that is for sale has fewer than {threshold} units left.",
    )
