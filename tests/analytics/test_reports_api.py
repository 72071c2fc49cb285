"""Reports over HTTP: who gets them, what may be asked, and that JSON, CSV and page are the same rows."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.urls import path

from analytics.csv_stream import cell
from analytics.models import OrderItem
from analytics.reports import periods
from analytics.reports.catalogue import REPORTS
from analytics.reports.report import Column, Question, Report, Row
from analytics.views import ReportView
from marketplace import policy
from marketplace.urls import handler404, handler500
from marketplace.urls import urlpatterns as routes
from tests.analytics import shop
from tests.api import ANYONE, NOBODY, Api, Json, answered, new_supplier, new_user, refused_fields

NAMES = [name.removeprefix("GET /reports/") for name in policy.ROUTES if name.startswith("GET /reports/")]
REQUIRED = {"supplier-orders": f"supplier_id={NOBODY}"}
PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}

# Routes with a report of this test's own in the place of one that exists.
asked: list[Question] = []
rows: list[Row] = []
ODD = Report(
    name="daily-revenue",
    title="Odd things",
    definition="What is odd.",
    columns=tuple(Column(name, "text", "A column.") for name in ("text", "number", "nothing", "day", "at", "counts")),
    rows=lambda question: (asked.append(question), iter(rows))[1],
    parameters=("start", "end", "limit", "supplier_id", "threshold", "months"),
    default_limit=20,
)
urlpatterns = [path("reports/daily-revenue", ReportView.as_view(report=ODD)), *routes]
__all__ = ["handler404", "handler500"]
own_report = pytest.mark.urls(__name__)
ODD_PATH = f"/reports/daily-revenue?supplier_id={NOBODY}"


@pytest.fixture(autouse=True)
def _nothing_asked() -> None:
    asked.clear()
    rows.clear()


def url(name: str, *parameters: str) -> str:
    return f"/reports/{name}?{'&'.join([*filter(None, [REQUIRED.get(name)]), *parameters])}"


def lines(response: Any) -> list[list[str]]:
    """Return the lines of a CSV answer."""
    assert response.status_code == 200
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.reader(io.StringIO(response.getvalue().decode(), newline=""), strict=True))


def plain(caller: Api, address: str, **headers: str) -> Any:
    """Return an answer that is not held against openapi.yaml."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return caller.client.get(address, headers=named)


def a_seller() -> str:
    """Return the id of a supplier who has sold something."""
    return OrderItem.objects.values_list("supplier_id", flat=True)[0]


def at_one_time(texts: list[list[str]]) -> list[list[str]]:
    """Return the lines without the moments of the last minute: the pipeline is looked at twice."""
    minute = f"{datetime.now(UTC):%Y-%m-%dT%H:%M}"
    return [["now" if text.startswith(minute) else text for text in line] for line in texts]


# --- Each route ---


def test_every_report_has_its_route() -> None:
    assert set(NAMES) == set(REPORTS)
    assert len(NAMES) == 13


@pytest.mark.parametrize("name", REPORTS)
def test_json_csv_and_page_have_the_same_rows(name: str, staff: Api) -> None:
    shop.fill()
    shop.project()
    report, names = REPORTS[name], [column.name for column in REPORTS[name].columns]
    parameters = f"start={periods.today() - timedelta(days=90)}&threshold=1000000&supplier_id={a_seller()}"
    found = staff.get(f"/reports/{name}?{parameters}")
    header, *texts = lines(plain(staff, f"/reports/{name}?{parameters}&format=csv"))
    assert header == names
    assert texts, "no rows to compare"
    if name != "dashboard":  # one object
        assert at_one_time(texts) == at_one_time([[cell(row[column]) for column in names] for row in found])
    text = plain(staff, url(name), **PAGE).content.decode()
    assert report.title in text
    assert "format=csv" in text


@pytest.mark.parametrize("name", NAMES)
def test_reports_are_for_staff(name: str, staff: Api) -> None:
    assert answered(ANYONE("GET", url(name)), 401)["code"] == "AUTHENTICATION_FAILED"
    for caller in (new_user(), new_supplier()):
        for form in ("json", "csv"):
            assert answered(caller("GET", url(name, f"format={form}")), 403)["code"] == "FORBIDDEN"
    assert staff("GET", url(name)).status_code == 200


@pytest.mark.parametrize("form", ["json", "csv"])
def test_answers_are_not_kept_and_head_has_no_body(form: str, staff: Api) -> None:
    for name in NAMES:
        response = staff.client.head(url(name, f"format={form}"))
        assert response.status_code == 200
        assert response["Cache-Control"] == "no-store"
        assert "RateLimit" in response
        assert response.getvalue() == b"" if response.streaming else response.content == b""


def test_other_methods_and_a_trailing_slash(staff: Api) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        response = staff(method, "/reports/daily-revenue", {})
        assert answered(response, 405)["code"] == "VALIDATION_ERROR"
        assert response["Allow"] == "GET, HEAD"
    assert plain(staff, "/reports/daily-revenue/").content == plain(staff, "/reports/daily-revenue").content
    assert answered(staff("GET", "/reports/nope"), 404)["code"] == "RESOURCE_NOT_FOUND"


# --- Parameters ---

ALL = "start end"
REFUSED = [
    *((name, "format=xml", "format") for name in NAMES),
    *((name, "format=", "format") for name in NAMES),
    *(
        (name, parameters, field)
        for name in NAMES
        if name in REPORTS and "start" in REPORTS[name].parameters
        for parameters, field in (
            ("start=nope", "start"),
            ("end=2026-02-30", "end"),
            ("start=", "start"),
            ("start=2026-03-02&end=2026-03-02", "end"),
            ("start=2026-03-02&end=2026-03-01", "end"),
            ("start=2016-01-01&end=2026-01-09", "end"),
            ("start=2999-01-01", "start"),
            ("end=0001-01-01", "end"),
            ("start=1969-12-31&end=1970-01-02", "end"),
        )
    ),
    *(("top-products", f"limit={value}", "limit") for value in ("0", "-1", "100001", "x", "", "1.5", "9" * 30)),
    *(("low-stock", f"threshold={value}", "threshold") for value in ("-1", "1000001", "x")),
    *(("cohorts", f"months={value}", "months") for value in ("0", "37", "x")),
    *(("supplier-orders", f"supplier_id={value}", "supplier_id") for value in ("", "x", "z" * 24, "a" * 25)),
]


@pytest.mark.parametrize(("name", "parameters", "field"), REFUSED)
def test_bad_parameters_are_refused(name: str, parameters: str, field: str, staff: Api) -> None:
    error = answered(staff("GET", url(name, parameters)), 422)
    assert list(refused_fields(error)) == [field]


def test_a_supplier_must_be_named_and_may_be_unknown(staff: Api) -> None:
    error = answered(staff("GET", "/reports/supplier-orders"), 422)
    assert list(refused_fields(error)) == ["supplier_id"]
    assert staff.get(url("supplier-orders")) == []


TODAY = date(2026, 3, 31)
TOMORROW = date(2026, 4, 1)


@own_report
@pytest.mark.parametrize(
    ("parameters", "start", "end"),
    [
        ("", date(2026, 3, 2), TOMORROW),
        ("start=2026-03-30", date(2026, 3, 30), TOMORROW),
        ("end=2026-02-01", date(2026, 1, 2), date(2026, 2, 1)),
        ("start=2026-03-01&end=2026-03-02", date(2026, 3, 1), date(2026, 3, 2)),
        ("start=2016-01-01&end=2026-01-08", date(2016, 1, 1), date(2026, 1, 8)),  # 3,660 days
        ("start=9999-12-30&end=9999-12-31", date(9999, 12, 30), date(9999, 12, 31)),
        ("end=1970-01-02", date(1970, 1, 1), date(1970, 1, 2)),
    ],
)
def test_ranges(parameters: str, start: date, end: date, staff: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(periods, "today", lambda: TODAY)
    assert plain(staff, f"{ODD_PATH}&{parameters}").status_code == 200
    assert asked.pop().days == periods.Period(start, end)


@own_report
def test_other_parameters_reach_the_report_and_unknown_ones_are_ignored(staff: Api) -> None:
    plain(staff, "/reports/daily-revenue?limit=7&threshold=0&months=36&nope=1&skip=-1&supplier_id=" + "AB" * 12)
    plain(staff, ODD_PATH)
    given, default = asked
    assert (given.limit, given.threshold, given.months, given.supplier_id) == (7, 0, 36, "ab" * 12)
    assert (default.limit, default.threshold, default.months) == (20, 10, 12)


# --- Forms ---

ODD_ROW = {
    "text": "=HYPERLINK(1)",
    "number": -5,
    "nothing": None,
    "day": date(2026, 3, 1),
    "at": datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC),
    "counts": {"ö, ü": 2},
}


@own_report
def test_values_in_both_forms(staff: Api) -> None:
    rows.append(ODD_ROW)
    assert plain(staff, ODD_PATH).json() == [
        ODD_ROW | {"day": "2026-03-01", "at": "2026-03-01T12:00:00.123Z"},
    ]
    _, values = lines(plain(staff, f"{ODD_PATH}&format=csv"))
    assert values == ["'=HYPERLINK(1)", "-5", "", "2026-03-01", "2026-03-01T12:00:00.123Z", '{"ö, ü":2}']


@own_report
@pytest.mark.parametrize(
    ("accept", "form", "kind"),
    [
        ("*/*", "", "application/json"),
        ("text/csv", "", "text/csv; charset=utf-8"),
        ("text/csv", "json", "application/json"),
        ("application/json", "csv", "text/csv; charset=utf-8"),
        (PAGE["Accept"], "", "text/html; charset=utf-8"),
        (PAGE["Accept"], "json", "application/json"),
        (PAGE["Accept"], "csv", "text/csv; charset=utf-8"),
    ],
)
def test_the_form_is_that_of_the_parameter_or_else_of_accept(accept: str, form: str, kind: str, staff: Api) -> None:
    answer = plain(staff, f"{ODD_PATH}&{f'format={form}' if form else ''}", Accept=accept)
    assert answer["Content-Type"] == kind
    assert {"Accept", "Authorization", "Cookie"} <= {*answer["Vary"].split(", ")}


@pytest.mark.parametrize("accept", ["text/csv", "application/json"])
def test_errors_are_json_for_those_who_want_csv(accept: str, staff: Api) -> None:
    for caller, query, status in ((staff, "&start=x", 422), (ANYONE, "", 401)):
        answer = caller("GET", f"/reports/daily-revenue?format=csv{query}", Accept=accept)
        assert answer["Content-Type"] == "application/json"
        answered(answer, status)
    assert answered(staff("GET", "/reports/daily-revenue", Accept="image/png"), 406)["code"] == "VALIDATION_ERROR"


def test_a_page_of_bad_credentials_is_a_page(api: None, db: None) -> None:
    answer = plain(ANYONE, "/reports/daily-revenue", Authorization="Bearer nonsense", **PAGE)
    assert answer.status_code == 401
    assert "AUTHENTICATION_FAILED" in answer.content.decode()


@own_report
def test_a_page_links_to_its_other_forms(staff: Api) -> None:
    page = plain(staff, f"{ODD_PATH}&start=2026-03-01&end=2026-03-09", **PAGE).content.decode()
    for form in ("csv", "json"):
        link = f"?supplier_id={NOBODY}&amp;start=2026-03-01&amp;end=2026-03-09&amp;format={form}"
        assert f'href="{link}"' in page


def test_json_of_the_dashboard_is_an_object(staff: Api) -> None:
    found: Json = staff.get("/reports/dashboard")
    assert isinstance(found, dict)
