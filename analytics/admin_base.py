"""What all analytics pages of the admin share: nothing can be changed, and pages stay quick on large tables.

Counts stop at a limit, filters offer declared choices, date ranges and searches run along indexes.
"""

import functools
import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db import models
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from analytics.decoding import ENVELOPE_COLUMNS

# Rows that are counted, and so can be paged through, at most.
COUNT_LIMIT = 10_000
CHILD_LIMIT = 100

Shown = str | Callable[[Any], Any]


def money(cents: int | None) -> str:
    """Return cents as an amount: 123456 as 1,234.56."""
    if cents is None:
        return "-"
    sign, cents = ("-", -cents) if cents < 0 else ("", cents)
    return f"{sign}{cents // 100:,}.{cents % 100:02}"


def pretty_json(value: Any) -> SafeString:
    """Return JSON, indented."""
    return format_html('<pre class="json">{}</pre>', json.dumps(value, indent=2, ensure_ascii=False))


def _column(name: str, label: str, show: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return an admin column that shows a field's value through a function."""

    @admin.display(description=label, ordering=name, empty_value="-")
    def column(row: models.Model) -> Any:
        value = getattr(row, name)
        return None if value is None else show(value)

    column.__name__ = name
    return column


@functools.cache
def shown(name: str) -> Shown:
    """Return what displays the field of this name: money as an amount, JSON indented, the rest as Django does.

    Always the same object for a name: Django compares the fields of a form with its read-only ones.
    """
    if name.endswith("_cents"):
        return _column(name, name.removesuffix("_cents").replace("_", " "), money)
    if name.endswith("_json"):
        return _column(name, name.removesuffix("_json").replace("_", " "), pretty_json)
    return name


class CappedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts at most COUNT_LIMIT rows: an exact count of a large table costs a scan."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        found: int = rows.order_by()[:COUNT_LIMIT].count()
        return found


class DateRangeFilter(admin.FieldListFilter):
    """Two date inputs, first and last day, both in UTC and included. Runs along the column's index."""

    template = "analytics/date_range_filter.html"

    def __init__(self, field: Any, request: HttpRequest, params: dict[str, Any], *args: Any, **kwargs: Any) -> None:
        self.names = (f"{kwargs['field_path']}_from", f"{kwargs['field_path']}_to")
        super().__init__(field, request, params, *args, **kwargs)
        self.days = [_day(self.used_parameters.get(name)) for name in self.names]

    def expected_parameters(self) -> list[str | None]:
        return list(self.names)

    def queryset(self, _request: HttpRequest, queryset: "models.QuerySet[Any]") -> "models.QuerySet[Any]":
        first, last = self.days
        if first:
            queryset = queryset.filter(**{f"{self.field_path}__gte": _midnight(first)})
        if last and last < date.max:
            queryset = queryset.filter(**{f"{self.field_path}__lt": _midnight(last + timedelta(days=1))})
        return queryset

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """Yield one choice: the form's values, and the other parameters that it has to keep."""
        others = {key: value for key, value in changelist.get_filters_params().items() if key not in self.names}
        if changelist.query:
            others["q"] = changelist.query
        kept = [
            (key, item) for key, value in others.items() for item in (value if isinstance(value, list) else [value])
        ]
        inputs = [
            {"name": name, "label": label, "value": day.isoformat() if day else ""}
            for name, label, day in zip(self.names, ("From", "To"), self.days, strict=True)
        ]
        yield {"inputs": inputs, "kept": kept, "clear": f"?{urlencode(kept)}", "selected": any(self.days)}


def _day(values: Any) -> date | None:
    """Return the day of a query parameter; what is none filters nothing."""
    value = values[-1] if isinstance(values, list) else values
    try:
        return date.fromisoformat(value) if value else None
    except ValueError:
        return None


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


class _ReadOnly:
    """Permissions of what only the consumer writes: Django's own `view` permission counts, nothing else."""

    def has_add_permission(self, *_args: Any, **_kwargs: Any) -> bool:
        return False

    def has_change_permission(self, *_args: Any, **_kwargs: Any) -> bool:
        return False

    def has_delete_permission(self, *_args: Any, **_kwargs: Any) -> bool:
        return False


class ReadOnlyAdmin(_ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Base of the table pages. `columns` are the list's; the detail page shows every field."""

    columns: tuple[str, ...] = ()
    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    list_max_show_all = 200

    def get_list_display(self, _request: HttpRequest) -> list[Shown]:
        return [shown(name) for name in self.columns]

    def get_sortable_by(self, _request: HttpRequest) -> list[Any]:
        """Let lists be sorted by indexed columns only: by another one, the whole table is sorted for a page."""
        indexed = {field.name for field in self.model._meta.concrete_fields if field.db_index or field.primary_key}
        return [name for name in self.columns if name in indexed]

    def get_fields(self, _request: HttpRequest, _obj: Any = None) -> list[Any]:
        names = [field.name for field in self.model._meta.concrete_fields]
        return [shown(name) for name in sorted(names, key=lambda name: name in ENVELOPE_COLUMNS)]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return self.get_fields(request, obj)


class _CappedFormSet(BaseInlineFormSet):  # type: ignore[type-arg]
    def get_queryset(self) -> Any:
        return super().get_queryset()[:CHILD_LIMIT]


class ReadOnlyInline(_ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    """The children of a row, the first CHILD_LIMIT of them."""

    columns: tuple[str, ...] = ()
    formset = _CappedFormSet
    extra = 0
    can_delete = False

    def get_fields(self, _request: HttpRequest, _obj: Any = None) -> list[Any]:
        return [shown(name) for name in self.columns]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return self.get_fields(request, obj)
