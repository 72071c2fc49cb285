"""The reports over HTTP: one view, of which each report has a route of its own."""

from typing import Any

from django.http import HttpResponseBase
from django.utils.html import format_html
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from analytics import csv_stream
from analytics.openapi import OverviewSchema, ReportSchema
from analytics.replica import read_from_replica
from analytics.reports.overview import overview
from analytics.reports.report import Question, Report
from analytics.serializers import query
from marketplace.api.limits import RateLimitedView
from marketplace.api.openapi.routes import may_answer
from marketplace.api.renderers import BrowsableRenderer, OrjsonRenderer
from marketplace.errors import ValidationError


class CsvRenderer(OrjsonRenderer):
    """Lets a client ask for text/csv. It renders errors only: rows are streamed."""

    media_type = "text/csv"
    format = "csv"


class ReportView(RateLimitedView):
    """Answers one report."""

    schema = ReportSchema()
    renderer_classes = (OrjsonRenderer, BrowsableRenderer, CsvRenderer)
    http_method_names = ["get", "head"]
    report: Report = None  # type: ignore[assignment]  # each route sets it

    @may_answer(ValidationError)
    def get(self, request: Request) -> HttpResponseBase:
        """As JSON, or as CSV with `format=csv` or `Accept: text/csv`: the same rows under the same names.

        In CSV null is an empty cell, and texts that a spreadsheet would take for a formula have an apostrophe before
        them. It is sent as it is made. When that fails on the way, the file ends in a field whose quote is never
        closed, and which says so.
        """
        read_from_replica()
        form, question = query(self.report)().run_validation(request.query_params.dict())
        if (form or self._negotiated) == "csv":
            return csv_stream.report_response(request.method or "", self.report, question)
        if form == "json":
            request.accepted_renderer, request.accepted_media_type = OrjsonRenderer(), OrjsonRenderer.media_type
        return Response(self.answer(question))

    def answer(self, question: Question) -> Any:
        """Return what JSON has."""
        return list(self.report.rows(question))

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[BaseRenderer, str]:  # noqa: FBT001, FBT002
        """Return the renderer of whatever is no CSV: errors are JSON for those who asked for CSV, too."""
        chosen = super().perform_content_negotiation(request, force)
        self._negotiated = chosen[0].format
        return (OrjsonRenderer(), OrjsonRenderer.media_type) if self._negotiated == "csv" else chosen

    def get_view_name(self) -> str:
        """Return the title of the page."""
        return self.report.title

    def get_view_description(self, html: bool = False) -> str:  # noqa: FBT001, FBT002  # DRF's signature
        """Return what the page says about the report, with links to its other forms."""
        if not html:
            return self.report.definition
        links = [self._link(form) for form in ("csv", "json")]
        return format_html(
            '<p>{}</p><p><a href="{}">CSV</a> · <a href="{}">JSON</a></p>', self.report.definition, *links
        )

    def _link(self, form: str) -> str:
        """Return the URL of this answer in another form."""
        parameters = self.request.query_params.copy()
        parameters["format"] = form
        return f"?{parameters.urlencode()}"


class OverviewView(ReportView):
    """Answers the report on everything: CSV has rows as all do, JSON has one object."""

    schema = OverviewSchema()

    def answer(self, question: Question) -> Any:
        """Return the object."""
        return overview(question)
