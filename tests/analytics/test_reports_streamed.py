"""Reports over HTTP while their rows are made: what is sent when, and what a database that goes away leaves."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import OperationalError

from analytics.csv_stream import BROKEN_OFF
from analytics.reports.report import Row
from tests.analytics.test_reports_api import ODD, ODD_PATH, ODD_ROW, own_report, plain
from tests.api import Api, answered


@pytest.fixture
def make_rows(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Iterator[Row]]], None]:
    """A function that sets what makes the rows of the report of this test's own."""
    return lambda made: object.__setattr__(ODD, "rows", lambda _: made())


@pytest.fixture(autouse=True)
def _rows_as_before() -> Iterator[None]:
    before = ODD.rows
    yield
    object.__setattr__(ODD, "rows", before)


@own_report
def test_the_first_bytes_come_before_the_last_row_is_made(staff: Api, make_rows: Any) -> None:
    made: list[int] = []

    def many() -> Iterator[Row]:
        for number in range(20_000):
            made.append(number)
            yield ODD_ROW

    make_rows(many)
    answer = plain(staff, f"{ODD_PATH}&format=csv")
    pieces = iter(answer)
    assert next(pieces).startswith(b"text,number,nothing,day,at,counts\r\n'=HYPERLINK")
    assert len(made) < 2000
    assert sum(piece.count(b"\r\n") for piece in pieces) > 18_000
    assert len(made) == 20_000


def failing_after(number: int) -> Callable[[], Iterator[Row]]:
    def failing() -> Iterator[Row]:
        yield from (ODD_ROW for _ in range(number))
        raise OperationalError("gone away")

    return failing


@own_report
@pytest.mark.parametrize("form", ["json", "csv"])
@pytest.mark.parametrize("number", [0, 10])
def test_a_database_that_is_away_is_a_503(form: str, number: int, staff: Api, make_rows: Any) -> None:
    make_rows(failing_after(number))
    answer = plain(staff, f"{ODD_PATH}&format={form}")
    assert answered(answer, 503)["code"] == "INTERNAL_ERROR"
    assert answer["Content-Type"] == "application/json"
    assert int(answer["Retry-After"]) >= 1


@own_report
def test_a_database_that_goes_away_on_the_way_spoils_the_file(staff: Api, make_rows: Any) -> None:
    make_rows(failing_after(20_000))
    sent: list[bytes] = []
    with pytest.raises(OperationalError):
        sent += plain(staff, f"{ODD_PATH}&format=csv")
    assert sent[-1] == BROKEN_OFF
