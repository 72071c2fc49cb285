"""All reports, by the name that they have in URLs, in the order in which they are listed."""

from typing import Final

from analytics.reports import pipeline
from analytics.reports.report import Report

REPORTS: Final[dict[str, Report]] = {report.name: report for report in (pipeline.REPORT,)}
