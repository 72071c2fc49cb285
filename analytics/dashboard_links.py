"""Where the dashboard's numbers lead: the admin's lists, filtered to the rows that a number counts."""

from collections.abc import Mapping
from datetime import date

from django.urls import reverse
from django.utils.http import urlencode

from analytics.dashboard_range import Range


def orders(chosen: Range, **filters: str) -> str:
    """Return the list of the orders that were placed in the range, of those with these values."""
    return _list("order", filters | _created(chosen.period.start, chosen.last_day))


def counted_orders(chosen: Range, **filters: str) -> str:
    """Return the list of those that revenue counts."""
    return orders(chosen, counted="yes", **filters)


def counted_orders_of_day(day: date) -> str:
    """Return the list of the orders that were placed on a day and that revenue counts."""
    return _list("order", {"counted": "yes"} | _created(day, day))


def products(**filters: str) -> str:
    """Return the list of products with these values."""
    return _list("product", filters)


def product(product_id: str) -> str:
    """Return a product's page."""
    return reverse("admin:analytics_product_change", args=[product_id])


def posts(chosen: Range, tier: str) -> str:
    """Return the list of the posts of a tier that were published in the range."""
    days = {"published_at_from": str(chosen.period.start), "published_at_to": str(chosen.last_day)}
    return _list("post", {"tier": tier} | days)


def dead_letters() -> str:
    """Return the list of dead letters."""
    return _list("deadletter", {})


def _created(first: date, last: date) -> dict[str, str]:
    return {"created_at_from": str(first), "created_at_to": str(last)}


def _list(model: str, query: Mapping[str, str]) -> str:
    url = reverse(f"admin:analytics_{model}_changelist")
    return f"{url}?{urlencode(query)}" if query else url
