"""How the orders and the posts of a range are divided up: the dashboard's charts that are no report of the API."""

from collections.abc import Iterator, Mapping

from analytics.reports.arithmetic import ratio
from analytics.reports.history import history
from analytics.reports.posts import tiers
from analytics.reports.report import Column, Question, Report, Row


def shares(counts: Mapping[str, int], name: str, what: str) -> Iterator[Row]:
    """Yield each count with the share that it is of all."""
    whole = sum(counts.values())
    for key, count in counts.items():
        yield {name: key, what: count, "share": ratio(count, whole)}


def order_status(statuses: Mapping[str, int]) -> Iterator[Row]:
    """Yield the rows of the report for orders that have been counted, the most frequent status first."""
    return shares(dict(sorted(statuses.items(), key=lambda pair: (-pair[1], pair[0]))), "status", "orders")


ORDER_STATUS = Report(
    "order-status",
    "Order status",
    "All orders that were placed in the range, by the status that they have now.",
    (
        Column("status", "text", "The status now."),
        Column("orders", "count", "How many orders of the range have it."),
        Column("share", "ratio", "These divided by all orders of the range.", is_nullable=True),
    ),
    lambda question: order_status(history(question.days).current.statuses),
)


def engagement_tiers(question: Question) -> Iterator[Row]:
    """Yield the rows of the report, the best tier first."""
    return shares(tiers(question.days), "engagement_tier", "posts")


ENGAGEMENT_TIERS = Report(
    "engagement-tiers",
    "Post engagement",
    "Posts that were published in the range and are not deleted, by likes for views: viral from 10 %, high from 5 %,"
    " medium from 2 %, else low.",
    (
        Column("engagement_tier", "text", "The tier."),
        Column("posts", "count", "How many posts of the range are in it."),
        Column("share", "ratio", "These divided by all published posts of the range.", is_nullable=True),
    ),
    engagement_tiers,
)
