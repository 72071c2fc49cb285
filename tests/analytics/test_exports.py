"""The record of exports: who took out what, and whether all of it."""

import logging
from collections.abc import Iterable, Iterator

import pytest
from django.core.signals import request_finished
from django.db import close_old_connections

from analytics import exports
from analytics.csv_stream import csv_response
from analytics.models import Export

pytestmark = pytest.mark.django_db

LINE = "ann exported orders?status__exact=pending: "


def export(rows: Iterable[list[int]]) -> Iterator[list[int]]:
    return exports.recorded(rows, actor="ann", what="orders", filters="status__exact=pending")


def stored() -> list[tuple[str, str, str, int | None]]:
    return list(Export.objects.values_list("actor", "what", "filters", "rows"))


@pytest.mark.parametrize("count", [0, 1, 3])
def test_an_export_is_recorded_before_its_first_row_and_counted_after_its_last(
    count: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    rows = export([n] for n in range(count))
    assert stored() == [("ann", "orders", "status__exact=pending", None)]
    assert [next(rows) for _ in range(count)] == [[n] for n in range(count)]
    assert stored()[0][3] is None
    assert list(rows) == []
    assert stored()[0][3] == count
    assert [one.getMessage() for one in caplog.records if one.name == "analytics.exports"] == [
        f"{LINE}{count} rows, in full"
    ]


def test_a_client_that_goes_away_leaves_no_number(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    response = csv_response("GET", "orders", ["n"], export([n] for n in range(1_000_000)))
    next(iter(response))
    # As Django's test client does: the end of a request closes connections to SQL, which this test goes on with.
    request_finished.disconnect(close_old_connections)
    response.close()
    request_finished.connect(close_old_connections)
    del response
    assert stored()[0][3] is None
    assert caplog.messages[-1].startswith(LINE)
    assert caplog.messages[-1].endswith("rows, cut off")


def test_an_error_on_the_way_is_no_success(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    def broken() -> Iterator[list[int]]:
        yield [1]
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        list(export(broken()))
    assert stored()[0][3] is None
    assert f"{LINE}1 rows, cut off" in caplog.messages
