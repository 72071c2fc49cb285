"""What the OpenAPI document says of the reports: taken from the reports themselves."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample

from analytics import examples
from analytics.csv_stream import pieces, values
from analytics.reports.report import Report
from analytics.serializers import OverviewSerializer, query, row
from marketplace.api.openapi.operations import ApiSchema

JSON, CSV = "application/json", "text/csv"


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
        return {(200, JSON): self.answer(), (200, CSV): OpenApiTypes.STR}

    def answer(self) -> Any:
        """Return the serializer of what JSON has."""
        return row(self.report)(many=True)

    def get_examples(self) -> list[OpenApiExample]:
        """Return an answer in both forms."""
        row = examples.row(self.report)
        text = b"".join(pieces([*row], values([*row], [row]), self.report.name)).decode()
        return [
            OpenApiExample("Answer", self.example(), response_only=True),
            OpenApiExample("File", text, response_only=True, media_type=CSV),
        ]

    def example(self) -> Any:
        """Return what JSON may have; of a list, an entry."""
        return examples.row(self.report)


class OverviewSchema(ReportSchema):
    """Describes the OverviewView."""

    def answer(self) -> Any:
        return OverviewSerializer()

    def example(self) -> Any:
        return examples.OVERVIEW
