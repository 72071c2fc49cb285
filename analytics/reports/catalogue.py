"""All reports, by the name that they have in URLs, in the order in which they are listed."""

from typing import Final

from analytics.reports import pipeline
from analytics.reports.cancellations import CANCELLATION_RATE
from analytics.reports.customers import COHORTS, NEW_USERS
from analytics.reports.overview import DASHBOARD
from analytics.reports.posts import POST_ENGAGEMENT
from analytics.reports.products import PRICE_DISTRIBUTION, TOP_CATEGORIES
from analytics.reports.report import Report
from analytics.reports.sales import DAILY_REVENUE, REVENUE_BY_SUPPLIER, TOP_PRODUCTS
from analytics.reports.stock import LOW_STOCK
from analytics.reports.supplier_orders import SUPPLIER_ORDERS

REPORTS: Final[dict[str, Report]] = {
    report.name: report
    for report in (
        DASHBOARD,
        DAILY_REVENUE,
        REVENUE_BY_SUPPLIER,
        TOP_PRODUCTS,
        TOP_CATEGORIES,
        PRICE_DISTRIBUTION,
        LOW_STOCK,
        SUPPLIER_ORDERS,
        CANCELLATION_RATE,
        NEW_USERS,
        COHORTS,
        POST_ENGAGEMENT,
        pipeline.REPORT,
    )
}
