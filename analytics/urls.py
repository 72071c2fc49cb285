"""Routes of the reports: each has its own."""

from django.urls import path

from analytics.reports.catalogue import REPORTS
from analytics.views import ReportView

urlpatterns = [path(f"reports/{name}", ReportView.as_view(report=report)) for name, report in REPORTS.items()]
