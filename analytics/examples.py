"""What the OpenAPI document shows as answers of the reports: a row of each, and the dashboard's object."""

from typing import Any, Final

from analytics.reports.report import Column, Kind, Report

_ID = "65f0c0ffee0123456789abcd"

_BY_KIND: Final[dict[Kind, Any]] = {
    "id": _ID,
    "count": 12,
    "cents": 129900,
    "ratio": 0.05,
    "number": 3.5,
    "day": "2026-03-01",
    "month": "2026-03-01",
    "moment": "2026-03-01T09:30:00.000Z",
    "flag": False,
}
_BY_NAME: Final[dict[str, Any]] = {
    "author_display_name": "Ada",
    "below_cents": 250000,
    "categories": {"electronics": 7, "home_garden": 5},
    "category": "home_garden",
    "current_product_name": "Hammer",
    "current_product_status": "active",
    "engagement_tier": "high",
    "entity": "orders",
    "fulfillment_status": "pending",
    "item_id": "item_1",
    "measure": "by_status",
    "name": "pending",
    "note": "",
    "order_number": "ORD-20260301-7K3M9QXV",
    "order_status": "pending",
    "post_type": "image",
    "product_name": "Hammer",
    "reasons": {"Found it cheaper elsewhere": 3},
    "subject": "order/0",
    "supplier_name": "Tools Ltd",
    "unit": "events",
    "value": 12,
    "variant_key": "Red",
    "variant_name": "Red",
}


def _value(column: Column) -> Any:
    return _BY_NAME[column.name] if column.name in _BY_NAME else _BY_KIND[column.kind]


def row(report: Report) -> dict[str, Any]:
    """Return a row of a report. Raises KeyError for a column of texts or counts that has no example."""
    return {column.name: _value(column) for column in report.columns}


def _part(by_status: dict[str, int], key: str, status: str, **recent: Any) -> dict[str, Any]:
    newest = {key: _ID, **recent, "status": status, "created_at": _BY_KIND["moment"]}
    return {"total": sum(by_status.values()), "in_range": 12, "by_status": by_status, "recent": [newest]}


_REVENUE: Final = {"revenue_cents": 912300, "revenue_cents_in_range": 129900}
OVERVIEW: Final[dict[str, Any]] = {
    "users": _part({"active": 40, "deleted": 2}, "user_id", "active", display_name="Ada"),
    "suppliers": _part({"selling": 25}, "supplier_id", "selling", legal_name="Tools Ltd", country="AT"),
    "products": _part({"active": 50}, "product_id", "active", name="Hammer", base_price_cents=1500),
    "orders": _part(
        {"cancelled": 3, "pending": 61},
        "order_id",
        "pending",
        order_number="ORD-20260301-7K3M9QXV",
        customer_display_name="Ada",
        total_cents=3000,
    )
    | _REVENUE,
    "posts": _part({"draft": 3, "published": 90}, "post_id", "published", post_type="image", author_display_name="Ada"),
}
