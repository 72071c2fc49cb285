"""The admin's site: its home is the dashboard for who may see it, and the list of tables for the rest of the staff.

Charts are downloaded from here, too, with the session that shows them: the same reports as under /reports.
"""

import functools
from typing import Any, cast

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_GET
from rest_framework import serializers

from analytics import csv_stream
from analytics.dashboard import dashboard
from analytics.dashboard_range import range_of
from analytics.exports import recorded
from analytics.replica import read_from_replica
from analytics.reports import shares
from analytics.reports.catalogue import REPORTS
from analytics.reports.periods import today
from analytics.reports.report import Question, Report
from analytics.serializers import query

# What can be downloaded: the reports of the API, and what only the dashboard has.
CHARTS = REPORTS | {report.name: report for report in (shares.ORDER_STATUS, shares.ENGAGEMENT_TIERS)}


class DashboardSite(AdminSite):
    """Django's admin with a dashboard."""

    site_header = site_title = "Marketplace analytics"
    index_title = "Tables"

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:  # noqa: FBT001, FBT002  # Django's signature
        """Have whatever is only looked at read from the replica."""

        @functools.wraps(view)
        def looked_at(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if request.method in ("GET", "HEAD"):
                read_from_replica()
            return view(request, *args, **kwargs)

        return super().admin_view(looked_at, cacheable)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Add the list of tables, which is the home no longer, and the charts' files."""
        own: list[URLPattern | URLResolver] = [
            path("tables/", self.admin_view(self.tables), name="tables"),
            path("reports/<slug:name>.csv", self.admin_view(self.report_csv), name="report_csv"),
        ]
        return own + super().get_urls()

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Show the dashboard of the range that the URL names."""
        if not request.user.has_perm("analytics.view_dashboard"):
            return self.tables(request, extra_context)
        shown = dashboard(range_of(request.GET.dict(), today()))
        context = self.each_context(request) | {"title": None, "subtitle": None, "dashboard": shown}
        return TemplateResponse(request, "analytics/dashboard/page.html", context | (extra_context or {}))

    def tables(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Show the list of tables: what is the home of Django's own admin."""
        return super().index(request, extra_context)

    @method_decorator(require_GET)
    def report_csv(self, request: HttpRequest, name: str) -> HttpResponseBase:
        """Send a report of what the URL asks for, and record who took it. It takes what the API takes, and `range`.

        Raises PermissionDenied without the permission to export; an unknown report is not found, a bad parameter is
        refused: other numbers than asked for would go unnoticed in a file.
        """
        if not request.user.has_perm("analytics.export"):
            raise PermissionDenied
        if name not in CHARTS:
            raise Http404
        try:
            question = _question(CHARTS[name], request.GET.dict())
        except ValueError as error:
            return HttpResponse(str(error), status=422, content_type="text/plain; charset=utf-8")
        return _download(request, CHARTS[name], question)


def _question(report: Report, given: dict[str, str]) -> Question:
    """Return what is asked of a report. Raises ValueError, for people to read, for a parameter that is wrong."""
    shown = range_of(given, today())
    if shown.complaint:
        raise ValueError(shown.complaint)
    days = {"start": str(shown.period.start), "end": str(shown.period.end)}
    try:
        _, question = query(report)().run_validation(given | days)
    except serializers.ValidationError as error:
        problems = cast(dict[str, list[str]], error.detail)
        raise ValueError("\n".join(f"{name}: {' '.join(said)}" for name, said in problems.items())) from error
    return cast(Question, question)


def _download(request: HttpRequest, report: Report, question: Question) -> HttpResponseBase:
    columns = [column.name for column in report.columns]
    rows = csv_stream.values(columns, report.rows(question))
    kept = recorded(rows, actor=request.user.get_username(), what=report.name, filters=request.META["QUERY_STRING"])
    return csv_stream.csv_response(request.method or "", csv_stream.file_name(report, question), columns, kept)
