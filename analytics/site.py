"""The admin's site: its home is the dashboard for who may see it, and the list of tables for the rest of the staff.

Charts are downloaded from here, too, with the session that shows them: the same reports as under /reports.
"""

from typing import Any

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path

from analytics import csv_stream
from analytics.dashboard import dashboard
from analytics.dashboard_range import range_of
from analytics.exports import recorded
from analytics.reports import shares
from analytics.reports.catalogue import REPORTS
from analytics.reports.periods import today
from analytics.reports.report import Question

# What can be downloaded: the reports of the API, and what only the dashboard has.
CHARTS = REPORTS | {report.name: report for report in (shares.ORDER_STATUS, shares.ENGAGEMENT_TIERS)}


class DashboardSite(AdminSite):
    """Django's admin with a dashboard."""

    site_header = site_title = "Marketplace analytics"
    index_title = "Tables"

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

    def report_csv(self, request: HttpRequest, name: str) -> HttpResponseBase:
        """Send a report of the range that the URL names, and record who took it.

        Raises PermissionDenied without the permission to export; an unknown report is not found, a range that is none
        is refused: other numbers than asked for would go unnoticed in a file.
        """
        if not request.user.has_perm("analytics.export"):
            raise PermissionDenied
        if name not in CHARTS:
            raise Http404
        shown = range_of(request.GET.dict(), today())
        if shown.complaint:
            return HttpResponse(shown.complaint, status=422, content_type="text/plain; charset=utf-8")
        return _download(request, name, Question(period=shown.period))


def _download(request: HttpRequest, name: str, question: Question) -> HttpResponseBase:
    report = CHARTS[name]
    columns = [column.name for column in report.columns]
    rows = csv_stream.values(columns, report.rows(question))
    kept = recorded(rows, actor=request.user.get_username(), what=name, filters=request.META["QUERY_STRING"])
    return csv_stream.csv_response(request.method or "", csv_stream.file_name(report, question), columns, kept)
