"""What all analytics pages of the admin share: nothing can be changed, and pages stay quick on large tables.

Counts stop at a limit; filters, searches and orders each run along an index. What values look like is in
`admin_columns.py`, the filters are in `admin_filters.py`, and the CSV of a list is in `admin_export.py`.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final, Literal, cast

from django.contrib import admin
from django.contrib.admin.views.main import ORDER_VAR, SEARCH_VAR, ChangeList
from django.core.paginator import Paginator
from django.db import models
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.http import urlencode

from analytics.admin_columns import find_targets, shown
from analytics.admin_export import ExportedAdmin
from analytics.admin_filters import DateRangeFilter, LineKeyFilter, range_parameters

# Rows that are counted, and so can be paged through, at most.
COUNT_LIMIT = 10_000
CHILD_LIMIT = 100
STYLES: Final = "analytics/tables.css"

Columns = list[Any]


class CappedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts at most COUNT_LIMIT rows: an exact count of a large table costs a scan."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        found: int = rows.order_by()[:COUNT_LIMIT].count()
        return found

    @property
    def told_count(self) -> str:
        """The count for people, who are told when it went no further."""
        return f"{self.count:,}" + (" or more" if self.count >= COUNT_LIMIT else "")


class TableList(ChangeList):
    """A list in the order of one indexed column, either way: that of the active filter, else the admin's own.

    The key decides among equals in the same direction, as the index has it.
    """

    model_admin: "ReadOnlyAdmin"

    @property
    def order_column(self) -> str:
        """The column that the list is in the order of."""
        ranges = [one for one in self.filter_specs if isinstance(one, DateRangeFilter) and one.is_active]
        if ranges:
            return str(ranges[0].field_path)
        is_by_lines = any(isinstance(one, LineKeyFilter) for one in self.filter_specs)
        return "order_id" if is_by_lines else self.model_admin.order_column

    def get_ordering(self, request: HttpRequest, queryset: Any) -> list[Any]:  # noqa: ARG002
        """Return the order that the URL asks for, or the newest first; orders without an index are not to be had."""
        columns: list[Any] = [one for one in self.list_display if _name(one) == self.order_column]
        self.sortable_by = columns
        column, key = self.order_column, str(self.lookup_opts.pk.attname)
        sign = "" if self.params.get(ORDER_VAR) == str(self._place()) else "-"
        return [f"{sign}{name}" for name in dict.fromkeys((column, key))]

    def get_ordering_field_columns(self) -> dict[int, Literal["asc", "desc"]]:
        """Return the place of the column that the list is in the order of, and the direction, for the heads."""
        place = self._place()
        return {place: "asc" if self.params.get(ORDER_VAR) == str(place) else "desc"} if place >= 0 else {}

    @property
    def without_search(self) -> str:
        """The query string of the list without what was searched for."""
        return self.get_query_string(remove=[SEARCH_VAR])

    def get_results(self, request: HttpRequest) -> None:
        """Look up, for the page's rows all at once, what their links lead to."""
        super().get_results(request)
        self.result_list = list(self.result_list)
        find_targets(self.result_list, _may_see(request))

    def _place(self) -> int:
        names = [_name(one) for one in self.list_display]
        return names.index(self.order_column) if self.order_column in names else -1


def _name(column: Any) -> str:
    return column if isinstance(column, str) else column.__name__


def _may_see(request: HttpRequest) -> Callable[[type[models.Model]], bool]:
    return lambda model: request.user.has_perm(f"{model._meta.app_label}.view_{model._meta.model_name}")


class _ReadOnly:
    """Permissions of what only the consumer writes: Django's own `view` permission counts, nothing else."""

    def has_add_permission(self, *_args: Any, **_kwargs: Any) -> bool:
        return False

    def has_change_permission(self, *_args: Any, **_kwargs: Any) -> bool:
        return False

    def has_delete_permission(self, *_args: Any, **_kwargs: Any) -> bool:
        return False


class ReadOnlyAdmin(_ReadOnly, ExportedAdmin):
    """Base of the table pages. `columns` are the list's; the detail page shows every field.

    `order_column` is what the list is in the order of. `search_fields` are tried one after the other, until one finds
    something: `=` the exact value, `^` its beginning. `related` are the lists that the page of a row leads to: label,
    table, and the filter that takes the row's key.
    """

    columns: tuple[str, ...] = ()
    order_column = "created_at"
    related: tuple[tuple[str, type[models.Model], str], ...] = ()
    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    list_max_show_all = 200

    class Media:
        css = {"all": (STYLES,)}  # noqa: RUF012  # as Django has it

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:  # noqa: ARG002
        return TableList

    def get_list_display(self, _request: HttpRequest) -> Columns:
        return self._shown(self.columns, is_list=True)

    def get_fields(self, _request: HttpRequest, _obj: Any = None) -> Columns:
        return self._shown(self.all_columns(), is_list=False)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Columns:
        return self.get_fields(request, obj)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return a row with what its links lead to."""
        row = super().get_object(request, object_id, from_field)
        find_targets([row] if row else [], _may_see(request))
        return row

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[Any], search_term: str
    ) -> tuple[models.QuerySet[Any], bool]:
        """Return the rows that the first of the search fields finds. One field at a time has an index to go by."""
        term = search_term.strip()
        if not term:
            return queryset, False
        for field in self.search_fields:
            found = _found(queryset, field, term)
            if found.exists():
                return self._ordered(request, found, field), False
        return queryset.none(), False

    def _ordered(self, request: HttpRequest, found: models.QuerySet[Any], field: str) -> models.QuerySet[Any]:
        """Put what begins with a term into the order of its index, unless a date range has one to go by."""
        ranges = [one[0] for one in self.list_filter if isinstance(one, tuple)]
        is_ranged = any(request.GET.get(name) for one in ranges for name in range_parameters(str(one)))
        return found if is_ranged or not field.startswith("^") else found.order_by(field[1:], "pk")

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Add the lists of what belongs to the row."""
        may_see = _may_see(request)
        key = context["original"].pk
        context["related"] = [
            {"label": text, "url": f"{list_url(model)}?{urlencode({parameter: key})}"}
            for text, model, parameter in self.related
            if may_see(model)
        ]
        return cast(TemplateResponse, super().render_change_form(request, context, *args, **kwargs))

    def _shown(self, names: Iterable[str], *, is_list: bool) -> Columns:
        columns = self.all_columns()
        return [shown(self.opts.label, name, is_list=is_list) if name in columns else name for name in names]


def _found(queryset: models.QuerySet[Any], field: str, term: str) -> models.QuerySet[Any]:
    """Return the rows whose field is the term, begins with it, or contains it."""
    match field[0], field[1:]:
        case "=", name:
            return queryset.filter(**{name: term})
        case "^", name:
            return queryset.filter(**{f"{name}__istartswith": term})
    return queryset.filter(**{f"{field}__icontains": term})


def list_url(model: type[models.Model]) -> str:
    """Return the URL of a table's list."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


class _CappedFormSet(BaseInlineFormSet):  # type: ignore[type-arg]
    may_see: Callable[[type[models.Model]], bool]

    @cached_property
    def _rows(self) -> list[Any]:
        rows = list(super().get_queryset()[:CHILD_LIMIT])
        find_targets(rows, self.may_see)
        return rows

    def get_queryset(self) -> Any:
        return self._rows


class ReadOnlyInline(_ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    """The children of a row, the first CHILD_LIMIT of them."""

    columns: tuple[str, ...] = ()
    formset = _CappedFormSet
    extra = 0
    can_delete = False

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """Return the formset class, which knows what the viewer may see."""
        formset = super().get_formset(request, obj, **kwargs)
        return type(formset.__name__, (formset,), {"may_see": staticmethod(_may_see(request))})

    def get_fields(self, _request: HttpRequest, _obj: Any = None) -> Columns:
        return [shown(self.opts.label, name, is_list=True) for name in self.columns]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Columns:
        return self.get_fields(request, obj)
