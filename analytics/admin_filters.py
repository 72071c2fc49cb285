"""The filters of the admin's lists. Each runs along an index."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db import models
from django.http import HttpRequest
from django.utils.http import urlencode

from analytics.admin_columns import label, target
from analytics.models import OrderItem

Rows = models.QuerySet[Any]


def range_parameters(column: str) -> tuple[str, str]:
    """Return the names of the parameters that hold the first and the last day of a column's range."""
    return f"{column}_from", f"{column}_to"


class DateRangeFilter(admin.FieldListFilter):
    """Two date inputs, first and last day, both in UTC and included. The list is then in the order of that column."""

    template = "analytics/date_range_filter.html"

    def __init__(self, field: Any, request: HttpRequest, params: dict[str, Any], *args: Any, **kwargs: Any) -> None:
        self.names = range_parameters(kwargs["field_path"])
        super().__init__(field, request, params, *args, **kwargs)
        self.title = label(self.field_path)
        self.days = [_day(self.used_parameters.get(name)) for name in self.names]

    @property
    def is_active(self) -> bool:
        """Whether any day was given."""
        return any(self.days)

    def expected_parameters(self) -> list[str | None]:
        return list(self.names)

    def queryset(self, _request: HttpRequest, queryset: Rows) -> Rows:
        first, last = self.days
        if first:
            queryset = queryset.filter(**{f"{self.field_path}__gte": datetime.combine(first, time.min, UTC)})
        if last:  # to the microsecond, as columns have it: after 9999-12-31 there is no day to end before
            queryset = queryset.filter(**{f"{self.field_path}__lte": datetime.combine(last, time.max, UTC)})
        return queryset

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """Yield one choice: the form's values, and the other parameters that it has to keep.

        Those of another date range are not kept: no index serves two.
        """
        dropped = {name for one in changelist.filter_specs if isinstance(one, DateRangeFilter) for name in one.names}
        others = {key: value for key, value in changelist.get_filters_params().items() if key not in dropped}
        if changelist.query:
            others["q"] = changelist.query
        kept = [
            (key, item) for key, value in others.items() for item in (value if isinstance(value, list) else [value])
        ]
        inputs = [
            {"name": name, "label": title, "value": day.isoformat() if day else ""}
            for name, title, day in zip(self.names, ("From", "To"), self.days, strict=True)
        ]
        yield {"inputs": inputs, "kept": kept, "clear": f"?{urlencode(kept)}", "selected": self.is_active}


def _day(values: Any) -> date | None:
    """Return the day of a query parameter; what is none filters nothing."""
    value = values[-1] if isinstance(values, list) else values
    try:
        return date.fromisoformat(value) if value else None
    except ValueError:
        return None


class KeyFilter(admin.ListFilter):
    """The rows of one supplier, product, order or user: what links of other pages set. Shown only while it is on."""

    template = "analytics/key_filter.html"
    parameter: ClassVar[str]

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        values = params.pop(self.parameter, [])
        self.value = values[-1] if values else ""

    def has_output(self) -> bool:
        return bool(self.value)

    def expected_parameters(self) -> list[str | None]:
        return [self.parameter]

    def queryset(self, _request: HttpRequest, queryset: Rows) -> Rows:
        return queryset.filter(**{self.parameter: self.value})

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """Yield one choice: the name of what is looked at, or its id, and the way to all rows."""
        model, column = target(self.parameter)
        name = model._default_manager.filter(pk=self.value).values_list(column, flat=True).first()
        yield {"name": name or self.value, "clear": changelist.get_query_string(remove=[self.parameter])}


class LineKeyFilter(KeyFilter):
    """The orders that have a line of a product or supplier: by the lines' index."""

    def queryset(self, _request: HttpRequest, queryset: Rows) -> Rows:
        lines = OrderItem.objects.filter(**{self.parameter: self.value})
        return queryset.filter(pk__in=lines.values("order_id"))


def by_key(parameter: str, kind: type[KeyFilter] = KeyFilter) -> type[KeyFilter]:
    """Return a filter by the id of this name."""
    title = parameter.removesuffix("_id").removesuffix("_user")
    return type(f"{kind.__name__}_{parameter}", (kind,), {"parameter": parameter, "title": title})
