"""Events with short ids and times of March 2026, for data sets that are small enough to reckon up by hand."""

from datetime import date
from typing import Any

from analytics.reports.catalogue import REPORTS
from analytics.reports.periods import Period
from analytics.reports.report import Question
from tests.analytics.events import event, item
from tests.analytics.events import order as order_data

JUST_BEFORE_MIDNIGHT = "T23:59:59.999999Z"
MIDNIGHT = "T00:00:00Z"


def day(number: int) -> date:
    return date(2026, 3, number)


def days(first: int, end: int) -> Period:
    return Period(day(first), day(end))


def moment(at: str) -> str:
    """Return the time of `10 12:30` or `10T23:59:59.999999Z` in March, or of a whole date."""
    at = at if at[4:5] == "-" else f"2026-03-{at}"
    return at if "T" in at else f"{at.replace(' ', 'T')}:00Z"


def made(entity: str, entity_id: str, at: str, **changes: Any) -> dict[str, Any]:
    """Return the event of an entity that was made at a time; changes go to its data."""
    one = event(f"{entity}.created", entity_id, **changes)
    one["data"]["created_at"] = moment(at)
    return one


def deleted(entity: str, entity_id: str, version: int = 2) -> dict[str, Any]:
    return event(f"{entity}.deleted", entity_id, version)


def line(product: str, supplier: str, quantity: int, cents: int, variant: str | None = None) -> dict[str, Any]:
    """Return an order line; its names are those of long ago."""
    found = item(1, quantity, cents)
    found["product_snapshot"] |= {
        "product_id": product,
        "supplier_id": supplier,
        "product_name": f"Old {product}",
        "supplier_name": f"Old {supplier}",
        "variant_name": variant,
    }
    return found


def order(order_id: str, at: str, customer: str, *lines: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return the event of an order; `reason` makes it a cancelled one."""
    if "reason" in changes:
        changes["cancellation"] = {"reason": changes.pop("reason"), "cancelled_at": "2026-03-20T00:00:00Z"}
        changes["status"] = "cancelled"
    one = made("order", order_id, at, **changes)
    person = {"user_id": customer, "display_name": customer, "email": "a@example.com", "phone": None}
    numbered = [entry | {"item_id": f"item_{number}"} for number, entry in enumerate(lines, 1)]
    one["data"] |= order_data(*numbered, **changes) | {"customer": person, "order_number": f"ORD-{order_id}"}
    return one


def answer(name: str, period: Period | None = None, **asked: Any) -> list[dict[str, Any]]:
    """Ask a report on the last day of March, and see that its rows have its columns."""
    report = REPORTS[name]
    question = Question(period=period, **{"today": day(31), "limit": report.default_limit} | asked)
    rows = [dict(row) for row in report.rows(question)]
    columns = [column.name for column in report.columns]
    assert [list(row) for row in rows] == [columns] * len(rows)
    return rows


def values(name: str, period: Period | None = None, **asked: Any) -> list[tuple[Any, ...]]:
    """Ask a report; return its rows as tuples."""
    return [tuple(row.values()) for row in answer(name, period, **asked)]
