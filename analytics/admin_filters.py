"""The filters of the admin's lists. Each runs along an index."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import SEARCH_VAR, ChangeList
from django.db import models
from django.db.models import Exists, OuterRef, Subquery
from django.http import HttpRequest
from django.utils.http import urlencode

from analytics.admin_columns import label, target
from analytics.daily import LOW, TIERS, UNCOUNTED
from analytics.dashboard_values import band
from analytics.models import OrderItem
from analytics.reports.products import BANDS

Rows = models.QuerySet[Any]
# More lines than this are not all read for a page of orders that are in another order than the lines.
MANY_LINES = 10_000


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
    """The rows of one supplier, product, order or user: what links of other pages set. Shown only while it is on.

    Those that filter by something else name it by `called`.
    """

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
        yield {"name": self.called(), "clear": changelist.get_query_string(remove=[self.parameter])}

    def called(self) -> str:
        """Return what people call the value."""
        model, column = target(self.parameter)
        return model._default_manager.filter(pk=self.value).values_list(column, flat=True).first() or self.value


class LineKeyFilter(KeyFilter):
    """The orders that have a line of a product or supplier, in the order of the lines' index: that of order ids.

    A date range or a search has an order of its own, which the lines' index does not have. Then lines are read first
    only where they are few; else orders are, along the index of that order, and each is looked up among the lines.
    """

    def queryset(self, request: HttpRequest, queryset: Rows) -> Rows:
        lines = OrderItem.objects.filter(**{self.parameter: self.value})
        if self._is_ordered_otherwise(request) and lines[MANY_LINES:].exists():
            # A LIMIT keeps the planner from beginning with the lines.
            return queryset.filter(pk=Subquery(lines.filter(order_id=OuterRef("pk")).values("order_id")[:1]))
        earlier = lines.filter(order_id=OuterRef("items__order_id"), pk__lt=OuterRef("items__pk"))
        return queryset.filter(~Exists(earlier), **{f"items__{self.parameter}": self.value})

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        by_id = changelist.queryset.query.order_by[0] in {"order_id", "-order_id"}
        yield from ({**choice, "by_id": by_id} for choice in super().choices(changelist))

    def _is_ordered_otherwise(self, request: HttpRequest) -> bool:
        return any(request.GET.get(name) for name in (SEARCH_VAR, *range_parameters("created_at")))


class CountedFilter(KeyFilter):
    """The orders that revenue counts, along the range of days that links set besides."""

    parameter = "counted"
    title = "kind"

    def queryset(self, _request: HttpRequest, queryset: Rows) -> Rows:
        return queryset.exclude(status__in=UNCOUNTED)

    def called(self) -> str:
        return "Orders that revenue counts"


class BandFilter(KeyFilter):
    """The products whose price lies in the band that begins with so many cents. No index: the catalogue is short."""

    parameter = "price_band"
    title = "price"

    def queryset(self, _request: HttpRequest, queryset: Rows) -> Rows:
        lowest, above = self._band()
        found = queryset.filter(base_price_cents__gte=lowest)
        return found if above is None else found.filter(base_price_cents__lt=above)

    def called(self) -> str:
        return band(*self._band())

    def _band(self) -> tuple[int, int | None]:
        for lowest, above in BANDS:
            if str(lowest) == self.value:
                return lowest, above
        raise IncorrectLookupParameters(f"no price band begins with {self.value}")


class TierFilter(KeyFilter):
    """The posts of an engagement tier that are not deleted, along the range of days that links set besides."""

    parameter = "tier"
    title = "engagement"

    def queryset(self, _request: HttpRequest, queryset: Rows) -> Rows:
        if self.value not in (*dict(TIERS), LOW):
            raise IncorrectLookupParameters(f"there is no tier {self.value}")
        published = queryset.filter(deleted_at=None, published_at__isnull=False)
        for tier, per_like in TIERS:
            reached = models.Q(view_count__gt=0, view_count__lte=models.F("like_count") * per_like)
            if tier == self.value:
                return published.filter(reached)
            published = published.exclude(reached)
        return published

    def called(self) -> str:
        return self.value


def by_key(parameter: str, kind: type[KeyFilter] = KeyFilter) -> type[KeyFilter]:
    """Return a filter by the id of this name."""
    title = parameter.removesuffix("_id").removesuffix("_user")
    return type(f"{kind.__name__}_{parameter}", (kind,), {"parameter": parameter, "title": title})
