"""What the routes of reports take and answer: parameters and rows as the reports have them, and the dashboard's object.

Answers are sent as the reports make them; their serializers serve the OpenAPI document.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from rest_framework import serializers

from analytics.reports import periods
from analytics.reports.report import MAX_LIMIT, Column, Kind, Parameter, Question, Report
from marketplace.api.fields import ObjectIdField, OneOfField
from marketplace.representation import memoized

MAX_THRESHOLD = 1_000_000
MAX_MONTHS = 36
FORMATS = ("json", "csv")
_DEFAULTS = Question()

Field = serializers.Field[Any, Any, Any, Any]


class ReportQuery(serializers.Serializer):  # type: ignore[type-arg]
    """Parameters of a report: those that it names, and `format`. Gives the format, and the question that is asked."""

    report: Report

    def get_fields(self) -> dict[str, Field]:
        named: dict[str, Field] = {name: _parameter(name, self.report) for name in self.report.parameters}
        named["format"] = OneOfField(
            choices=FORMATS,
            component="ReportFormat",
            required=False,
            help_text="The form of the answer; without it the `Accept` header decides.",
        )
        return named

    def to_internal_value(self, data: Mapping[str, str]) -> tuple[str | None, Question]:
        """Raises serializers.ValidationError for a bad parameter, or a range that is none."""
        given: dict[str, Any] = super().to_internal_value(data)
        form = given.pop("format", None)
        start, end, today = given.pop("start", None), given.pop("end", None), periods.today()
        return form, Question(today=today, period=_period(start, end, today), **given)


def _period(start: date | None, end: date | None, today: date) -> periods.Period:
    try:
        return periods.asked(start, end, today)
    except ValueError as error:
        raise serializers.ValidationError({"end" if end else "start": [str(error)]}) from error


class SupplierIdField(ObjectIdField):
    """An id as the tables have it: in small letters."""

    def to_internal_value(self, data: Any) -> str:
        return str(super().to_internal_value(data))


def _parameter(name: Parameter, report: Report) -> Field:
    """Return the field of a parameter. Its default is the report's."""
    match name:
        case "start":
            return serializers.DateField(required=False, help_text="The first day, in UTC; by default 30 before `end`.")
        case "end":
            return serializers.DateField(
                required=False,
                help_text="The first day after the range, in UTC; by default tomorrow. At most 3,660 after `start`.",
            )
        case "limit":
            return _number(1, MAX_LIMIT, report.default_limit, "How many rows to answer at most.")
        case "threshold":
            return _number(0, MAX_THRESHOLD, _DEFAULTS.threshold, "Variants with less than this are low.")
        case "months":
            return _number(1, MAX_MONTHS, _DEFAULTS.months, "How many of the newest cohorts to answer.")
        case "supplier_id":
            return SupplierIdField(help_text="The supplier's id. One that nobody has answers no rows.")


def _number(lowest: int, highest: int, default: int, help_text: str) -> Field:
    return serializers.IntegerField(min_value=lowest, max_value=highest, default=default, help_text=help_text)


@memoized
def query(report: Report) -> type[ReportQuery]:
    """Return the serializer of a report's parameters."""
    return type("ReportQuery", (ReportQuery,), {"report": report, "__doc__": ReportQuery.__doc__})


_COLUMNS: dict[Kind, type[Field]] = {
    "text": serializers.CharField,
    "id": serializers.CharField,
    "count": serializers.IntegerField,
    "cents": serializers.IntegerField,
    "ratio": serializers.FloatField,
    "number": serializers.FloatField,
    "day": serializers.DateField,
    "month": serializers.DateField,
    "moment": serializers.DateTimeField,
    "flag": serializers.BooleanField,
}


def _column(column: Column) -> Field:
    """Return the field of a column, with its definition."""
    about: dict[str, Any] = {"help_text": column.definition, "allow_null": column.is_nullable}
    if column.kind == "counts":
        return serializers.DictField(child=serializers.IntegerField(), **about)
    return _COLUMNS[column.kind](**about)


@memoized
def row(report: Report) -> type[serializers.Serializer[Any]]:
    """Return the serializer of a report's rows."""
    fields = {column.name: _column(column) for column in report.columns}
    about = {"__doc__": f"A row of {report.title.lower()}."}
    return type(f"{report.name.title().replace('-', '')}Row", (serializers.Serializer,), about | fields)


_ENTITIES: dict[str, tuple[str, dict[str, Field]]] = {
    "users": ("user", {"display_name": serializers.CharField()}),
    "suppliers": (
        "supplier",
        {"legal_name": serializers.CharField(), "country": serializers.CharField(allow_null=True)},
    ),
    "products": ("product", {"name": serializers.CharField(), "base_price_cents": serializers.IntegerField()}),
    "orders": (
        "order",
        {
            "order_number": serializers.CharField(),
            "customer_display_name": serializers.CharField(),
            "total_cents": serializers.IntegerField(),
        },
    ),
    "posts": ("post", {"post_type": serializers.CharField(), "author_display_name": serializers.CharField()}),
}


def _object(name: str, about: str, fields: Mapping[str, Field]) -> type[serializers.Serializer[Any]]:
    """Return the serializer of an object that has these fields."""
    return type(name, (serializers.Serializer,), {"__doc__": about, **fields})


def _recent(one: str, columns: Mapping[str, Field]) -> Field:
    """Return the field with the newest of an entity."""
    key, status, at = serializers.CharField(), serializers.CharField(), serializers.DateTimeField()
    fields = {f"{one}_id": key, **columns, "status": status, "created_at": at}
    return _object(f"Recent{one.title()}", f"One of the newest {one}s.", fields)(
        many=True, help_text="The newest five."
    )


def _entity(name: str) -> Field:
    """Return the field with all that is told of an entity."""
    one, columns = _ENTITIES[name]
    fields: dict[str, Field] = {
        "total": serializers.IntegerField(help_text="How many there are now, of all time."),
        "in_range": serializers.IntegerField(help_text="How many of them were made in the range."),
        "by_status": serializers.DictField(child=serializers.IntegerField(), help_text="How many are what by now."),
    }
    if name == "orders":
        fields["revenue_cents"] = serializers.IntegerField(help_text="Of all orders that count as revenue.")
        fields["revenue_cents_in_range"] = serializers.IntegerField(help_text="Of those placed in the range.")
    fields["recent"] = _recent(one, columns)
    return _object(f"{name.title()}Overview", f"The {name} in numbers.", fields)()


OverviewSerializer = _object(
    "Overview",
    "Users, suppliers, products, orders and posts in numbers, and the newest of each.",
    {name: _entity(name) for name in _ENTITIES},
)
