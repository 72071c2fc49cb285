"""Routes of the reports: each has its own."""

from typing import Final

from django.urls import path

from analytics.reports.catalogue import REPORTS
from analytics.reports.overview import DASHBOARD
from analytics.views import OverviewView, ReportView

_OTHERS: Final = {DASHBOARD.name: OverviewView}

urlpatterns = [
    path(f"reports/{name}", _OTHERS.get(name, ReportView).as_view(report=report)) for name, report in REPORTS.items()
]
