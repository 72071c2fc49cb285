"""What the OpenAPI document says of the reports: taken from the reports, with an example made from their columns."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample

from analytics.csv_stream import pieces, values
from analytics.reports.report import Kind, Report
from analytics.serializers import query, row
from marketplace.api.openapi.operations import ApiSchema

JSON, CSV = "application/json", "text/csv"

_BY_KIND: dict[Kind, Any] = {
    "text": "Hammer",
    "id": "65f0c0ffee0123456789abcd",
    "count": 12,
    "cents": 129900,
    "ratio": 0.05,
    "number": 3.5,
    "day": "2026-03-01",
    "month": "2026-03-01",
    "moment": "2026-03-01T09:30:00.000Z",
    "flag": True,
    "counts": {"home_garden": 12},
}


class ReportSchema(ApiSchema):
    """Describes a ReportView."""

    @property
    def report(self) -> Report:
        """The report that is being described."""
        found: Report = self.view.report
        return found

    def get_summary(self) -> str:
        return self.report.title

    def get_description(self) -> str:  # type: ignore[override]  # the library's own signature
        return f"{self.report.definition}\n\n{super().get_description()}"

    def get_override_parameters(self) -> Any:
        return [query(self.report)()]

    def get_response_serializers(self) -> Any:
        return {(200, JSON): row(self.report)(many=True), (200, CSV): OpenApiTypes.STR}

    def get_examples(self) -> list[OpenApiExample]:
        """Return the same row in both forms."""
        example = {column.name: _BY_KIND[column.kind] for column in self.report.columns}
        text = b"".join(pieces([*example], values([*example], [example]), self.report.name)).decode()
        return [
            OpenApiExample("Answer", [example], response_only=True),
            OpenApiExample("File", text, response_only=True, media_type=CSV),
        ]
