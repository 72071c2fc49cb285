"""The CSV of a list: every row that its filters and its search leave, in its order, with all columns of the table.

Read in portions, each after the last row of the one before: the MySQL driver keeps whole results in memory.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_GET

from analytics.csv_stream import csv_response
from analytics.decoding import ENVELOPE_COLUMNS
from analytics.exports import recorded

PORTION: Final = 2000
PERMISSION: Final = "analytics.export"


class ExportedAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """An admin whose lists can be taken out as CSV, by who has the permission to export besides that to look."""

    def get_urls(self) -> list[URLPattern]:
        """Add the list's CSV. It takes the list's own query string."""
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"
        return [path("export/", self.admin_site.admin_view(self.export_view), name=name), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        may_export = {"may_export": request.user.has_perm(PERMISSION)}
        return super().changelist_view(request, may_export | (extra_context or {}))

    @method_decorator(require_GET)
    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """Send the list as CSV, and record who took it. Raises PermissionDenied."""
        if not (self.has_view_permission(request) and request.user.has_perm(PERMISSION)):
            raise PermissionDenied
        try:
            rows = self.get_changelist_instance(request).queryset
        except IncorrectLookupParameters:
            return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        columns, table = self.export_columns(), self.opts.db_table
        taken = recorded(
            in_portions(rows, columns),
            actor=request.user.get_username(),
            what=table,
            filters=request.META.get("QUERY_STRING", ""),
        )
        return csv_response("GET", table, columns, taken)

    def export_columns(self) -> list[str]:
        """Return the columns of the table; of bytes there is no CSV."""
        binary = {field.attname for field in self.opts.concrete_fields if isinstance(field, models.BinaryField)}
        return [name for name in self.all_columns() if name not in binary]

    def all_columns(self) -> list[str]:
        """Return the columns of the table, with those of the event that wrote the row at the end."""
        return sorted((field.attname for field in self.opts.concrete_fields), key=ENVELOPE_COLUMNS.__contains__)


def in_portions(rows: models.QuerySet[Any], columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """Yield the values of all rows in the queryset's order: a column and the key, or the key alone."""
    order = [_attname(rows.model, str(name)) for name in rows.query.order_by]
    rest = rows
    while portion := list(rest.values_list(*columns)[:PORTION]):
        yield from portion
        last = dict(zip(columns, portion[-1], strict=True))
        rest = rows.filter(_after(order, last))


def _attname(model: type[models.Model], name: str) -> str:
    """Return the name of a column, with the sign of its order, where it may be `pk`."""
    sign = "-" if name.startswith("-") else ""
    field = model._meta.pk if name == f"{sign}pk" else model._meta.get_field(name.removeprefix("-"))
    return f"{sign}{field.attname}"  # type: ignore[union-attr]  # no relation to many is ordered by


def _after(order: list[str], last: dict[str, Any]) -> models.Q:
    """Return what finds the rows after the last one. The first term, implied by the second, is what an index serves."""
    first, *rest = order
    name, lookup = first.removeprefix("-"), "lt" if first.startswith("-") else "gt"
    beyond = models.Q(**{f"{name}__{lookup}": last[name]})
    if not rest:
        return beyond
    return models.Q(**{f"{name}__{lookup}e": last[name]}) & (beyond | _after(rest, last))
