"""Where the dashboard's numbers lead: the admin's lists, filtered to the rows that a number counts."""

from datetime import date

from django.urls import reverse
from django.utils.http import urlencode

from analytics.dashboard_range import Range


def orders(chosen: Range, **filters: str) -> str:
    """Return the list of the orders that were placed in the range, of those with these values."""
    return _list("order", filters | _created(chosen.period.start, chosen.last_day))


def orders_of_day(day: date) -> str:
    """Return the list of the orders that were placed on a day."""
    return _list("order", _created(day, day))


def products(**filters: str) -> str:
    """Return the list of products with these values."""
    return _list("product", filters)


def product(product_id: str) -> str:
    """Return a product's page."""
    return reverse("admin:analytics_product_change", args=[product_id])


def posts(chosen: Range) -> str:
    """Return the list of the posts that were published in the range."""
    return _list("post", {"published_at_from": str(chosen.period.start), "published_at_to": str(chosen.last_day)})


def dead_letters() -> str:
    """Return the list of dead letters."""
    return _list("deadletter", {})


def _created(first: date, last: date) -> dict[str, str]:
    return {"created_at_from": str(first), "created_at_to": str(last)}


def _list(model: str, query: dict[str, str]) -> str:
    url = reverse(f"admin:analytics_{model}_changelist")
    return f"{url}?{urlencode(query)}" if query else url
