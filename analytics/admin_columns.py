"""How values look in the admin: money as amounts, times in UTC, statuses as badges, JSON in words or indented,
and ids and names as links to the pages of what they name, while that is still there.

A list shows texts shortened, and whoever opens a row sees the whole.
"""

import functools
import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, Final

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.db import models
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator

NOTHING: Final = "-"
SHORT: Final = 60  # characters of a text in a list
# Which table an id leads to, and the column that names a row of it.
TARGETS: Final = {
    "supplier_id": ("Supplier", "legal_name"),
    "product_id": ("Product", "name"),
    "order_id": ("Order", "order_number"),
    "customer_user_id": ("User", "display_name"),
    "author_user_id": ("User", "display_name"),
}
# Columns that name what another column has the id of.
NAMES: Final = {
    "supplier_name": "supplier_id",
    "product_name": "product_id",
    "customer_display_name": "customer_user_id",
    "author_display_name": "author_user_id",
}
BADGES: Final = ("status", "fulfillment_status", "state")
LABELS: Final = {
    "supplier_name": "supplier",
    "product_name": "product",
    "customer_display_name": "customer",
    "author_display_name": "author",
    "display_name": "name",
    "shipping_country": "country",
    "item_count": "units",
    "base_price_cents": "price",
    "fulfillment_status": "fulfillment",
    "variant_attributes_json": "attributes",
    "variant_name": "variant",
    "text_content": "text",
    "post_type": "type",
    "created_at": "created",
    "published_at": "published",
    "deleted_at": "deleted",
    "view_count": "views",
    "like_count": "likes",
}

Shown = Callable[[Any], Any]


def target(name: str) -> tuple[type[models.Model], str]:
    """Return the table that an id of this name leads to, and the column that names its rows."""
    model, label = TARGETS[name]
    return apps.get_model("analytics", model), label


def money(cents: int | None) -> str:
    """Return cents as an amount: 123456 as 1,234.56."""
    if cents is None:
        return NOTHING
    sign, cents = ("-", -cents) if cents < 0 else ("", cents)
    return f"{sign}{cents // 100:,}.{cents % 100:02}"


def pretty_json(value: Any) -> SafeString:
    """Return JSON, indented."""
    return format_html('<pre class="json">{}</pre>', json.dumps(value, indent=2, ensure_ascii=False))


def in_words(value: Any) -> str:
    """Return attributes as "Color: red, Size: M"; other JSON as it is."""
    if isinstance(value, list) and all(isinstance(one, dict) and "attribute_name" in one for one in value):
        value = {one["attribute_name"]: one.get("attribute_value") for one in value}
    if isinstance(value, dict):
        return ", ".join(f"{name}: {one}" for name, one in value.items())
    return json.dumps(value, ensure_ascii=False)


def moment(value: datetime) -> SafeString:
    """Return a time in UTC, to the second."""
    return _time(value, "%Y-%m-%d %H:%M:%S UTC")


def short_moment(value: datetime) -> SafeString:
    """Return a time in UTC, to the minute. The tooltip has all of it."""
    return _time(value, "%Y-%m-%d %H:%M")


def _time(value: datetime, form: str) -> SafeString:
    utc = value.astimezone(UTC)
    title, text = f"{utc:%Y-%m-%d %H:%M:%S.%f UTC}", utc.strftime(form)
    return format_html('<time datetime="{}" title="{}">{}</time>', utc.isoformat(), title, text)


def badge(value: str) -> SafeString:
    """Return a status as a badge; its class says which, for the colour."""
    return format_html('<span class="badge badge-{}">{}</span>', value, _spaced(value))


def _spaced(value: str) -> str:
    return value.replace("_", " ")


def shortened(text: str) -> str:
    """Return what fits into a list."""
    return Truncator(text).chars(SHORT)


def find_targets(rows: Iterable[models.Model], may_see: Callable[[type[models.Model]], bool]) -> None:
    """Look up what the rows' ids lead to, once per kind of it, and note on each row what people call those there are.

    What is gone, or may not be seen, is None: it becomes plain text.
    """
    rows = list(rows)
    names = [name for name in TARGETS if rows and _leads_away(type(rows[0]), name)]
    there = {name: _there(name, {getattr(row, name) for row in rows}, may_see) for name in names}
    for row in rows:
        row.__dict__["targets"] = {name: there[name].get(getattr(row, name)) for name in names}


def _there(name: str, ids: set[Any], may_see: Callable[[type[models.Model]], bool]) -> dict[Any, str]:
    """Return what people call the rows that are there, by id."""
    model, column = target(name)
    return dict(model._default_manager.filter(pk__in=ids).values_list("pk", column)) if may_see(model) else {}


def _leads_away(model: type[models.Model], name: str) -> bool:
    """Tell whether a column is the key of a table with pages, and not the row's own."""
    key = model._meta.pk
    return name in TARGETS and name in _columns(model) and (key is None or name != key.attname)


def _columns(model: type[models.Model]) -> dict[str, Any]:
    return {field.attname: field for field in model._meta.concrete_fields}


def linked(row: Any, name: str, text: str | None) -> str:
    """Return a text, by default what people call it, as a link to what the id of this name leads to.

    When that is gone, the text is as it is, or the id.
    """
    called = row.__dict__.get("targets", {}).get(name)
    if called is None:
        return str(getattr(row, name)) if text is None else text
    url = reverse(f"admin:analytics_{TARGETS[name][0].lower()}_change", args=[quote(getattr(row, name))])
    return format_html('<a href="{}">{}</a>', url, shortened(called) if text is None else text)


def _presentation(field: Any, *, is_list: bool) -> Callable[[Any], Any]:
    """Return what makes something to look at out of a column's values."""
    if field.attname.endswith("_cents"):
        return money
    if isinstance(field, models.JSONField):
        return in_words if is_list else pretty_json
    if isinstance(field, models.DateTimeField):
        return short_moment if is_list else moment
    if field.attname in BADGES:
        return badge
    if field.choices:
        return _spaced
    if isinstance(field, models.IntegerField) and not field.primary_key:
        return "{:,}".format
    return shortened if is_list else str


@functools.cache
def shown(table: str, name: str, *, is_list: bool) -> Shown:
    """Return what displays a column of a model, given by its label, in a list or on the page of a row.

    Always the same object for the same column: Django compares the fields of a form with its read-only ones.
    """
    model = apps.get_model(table)
    present = _presentation(_columns(model)[name], is_list=is_list)
    leads = next((key for key in (name, NAMES.get(name)) if key and _leads_away(model, key)), None)

    title = label(name.removesuffix("_id") if is_list and leads == name else name)

    @admin.display(description=title, ordering=name)
    def column(row: models.Model) -> Any:
        value = getattr(row, name)
        if value is None or value == "":
            return NOTHING
        text = None if is_list and leads == name else present(value)
        return linked(row, leads, text) if leads else text

    column.__name__ = name
    return column


def label(name: str) -> str:
    """Return what a column is called for people."""
    return LABELS.get(name) or name.removesuffix("_cents").removesuffix("_json").replace("_", " ")
