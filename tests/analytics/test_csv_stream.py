"""CSV: what its cells look like, and what a client gets of a stream while it is made, and when it fails."""

import csv
import io
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from analytics.csv_stream import BROKEN_OFF, CONTENT_TYPE, PIECE_CHARACTERS, cell, csv_response, file_name
from analytics.reports.periods import Period
from analytics.reports.report import Question, Report
from marketplace.embedded.mongod import free_port
from marketplace.embedded.processes import start_child, stop_child
from tests.waiting import until

NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (-5, "-5"),
        (0.05, "0.05"),
        (-1.5, "-1.5"),
        (NOON, "2026-03-01T12:00:00.123Z"),
        (date(2026, 3, 1), "2026-03-01"),
        ({"a": 1, "ö": 2}, '{"a":1,"ö":2}'),
        ([], "[]"),
        ("plain =1", "plain =1"),
        ("", ""),
        *((f"{start}1+1", f"'{start}1+1") for start in "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"),
        ("'=1", "'=1"),
    ],
)
def test_cells(value: object, text: str) -> None:
    assert cell(value) == text


def test_a_value_that_json_does_not_know_is_refused() -> None:
    with pytest.raises(TypeError):
        cell(object())


def body(rows: Any, columns: tuple[str, ...] = ("a", "b")) -> bytes:
    return b"".join(csv_response("GET", "test", columns, rows))


def test_lines_are_those_of_rfc_4180() -> None:
    assert body([['say "so"', "a,b"], ["two\r\nlines", None], ["ö", ""]]) == (
        'a,b\r\n"say ""so""","a,b"\r\n"two\r\nlines",\r\nö,\r\n'.encode()
    )
    assert body([]) == b"a,b\r\n"


def test_a_download_has_a_name_and_head_no_body() -> None:
    for method, rows in (("GET", b"a\r\n1\r\n"), ("HEAD", b"")):
        response = csv_response(method, "test", ["a"], [[1]])
        assert response["Content-Type"] == CONTENT_TYPE
        assert response["Content-Disposition"] == 'attachment; filename="test.csv"'
        assert b"".join(response) == rows


def test_the_name_of_a_file_says_report_and_days() -> None:
    march = Period(date(2026, 3, 1), date(2026, 4, 1))
    question = Question(today=date(2026, 5, 6), period=march)
    ranged = Report("daily-revenue", "", "", (), lambda _: ())
    other = Report("low-stock", "", "", (), lambda _: (), parameters=("threshold",))
    assert file_name(ranged, question) == "daily-revenue-2026-03-01-to-2026-03-31"
    assert file_name(other, question) == "low-stock-2026-05-06"


def test_what_is_sent_is_not_kept() -> None:
    made: list[int] = []

    def rows() -> Iterator[list[object]]:
        for number in range(10_000):
            made.append(number)
            yield [number, "x" * 100]

    pieces = iter(csv_response("GET", "test", ["n", "text"], rows()))
    assert made[-1] < 1000
    sizes = [len(piece) for piece in pieces]
    assert made[-1] == 9999
    assert max(sizes) < 2 * PIECE_CHARACTERS


def test_rows_are_closed_with_the_answer(db: None) -> None:  # an answer that ends closes old connections
    closed: list[bool] = []

    def rows() -> Iterator[list[object]]:
        try:
            for number in range(100_000):
                yield [number]
        finally:
            closed.append(True)

    response = csv_response("GET", "test", ["n"], rows())
    next(iter(response))
    response.close()
    assert closed


def failing(number: int) -> Iterator[list[object]]:
    yield from ([index] for index in range(number))
    raise RuntimeError("the database went away")


def test_an_error_before_anything_is_sent_is_raised(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(RuntimeError):
        csv_response("GET", "few", ["n"], failing(10))
    assert "few broke off" in caplog.text


def test_an_error_on_the_way_spoils_the_file(caplog: pytest.LogCaptureFixture) -> None:
    response, sent = csv_response("GET", "many", ["n"], failing(100_000)), []
    with pytest.raises(RuntimeError):
        sent += response
    assert "many broke off" in caplog.text
    assert "the database went away" in caplog.text
    assert sent.pop() == BROKEN_OFF
    *_, last = csv.reader(io.StringIO((b"".join(sent) + BROKEN_OFF).decode(), newline=""))
    assert last == ["ERROR: THIS FILE IS NOT COMPLETE. PLEASE TRY AGAIN"]
    with pytest.raises(csv.Error, match="unexpected end of data"):
        list(csv.reader(io.StringIO((b"".join(sent) + BROKEN_OFF).decode(), newline=""), strict=True))


# --- As granian sends it ---


@contextmanager
def granian(log: Path) -> Iterator[Callable[[str], HTTPResponse]]:
    """Serve streaming_app.py; give a function that opens a path of it."""
    port = str(free_port())
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--port", port, "--blocking-threads", "2"]
    with log.open("wb") as output:
        process = start_child(
            [*command, "tests.analytics.streaming_app:application"],
            cwd=settings.BASE_DIR,
            env={"DEBUG": "true", "DATA_DIR": str(log.parent)},
            stdout=output,
            stderr=output,
        )
        try:
            until(lambda: b"Started worker" in log.read_bytes(), 30, "granian")
            yield lambda path: urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20)  # noqa: S310
        finally:
            stop_child(process, 10)


@pytest.mark.parametrize(
    ("path", "end"), [("/go", b"\r\n1000,the end\r\n"), ("/fail", b"\r\n" + BROKEN_OFF)], ids=["whole", "broken off"]
)
def test_granian_sends_what_is_there_before_the_last_row_is_made(tmp_path: Path, path: str, end: bytes) -> None:
    log = tmp_path / "log"
    with granian(log) as opened, opened("/rows") as answer:
        assert answer.headers["Transfer-Encoding"] == "chunked"
        first = answer.read(500_000)  # of a million: the last row waits for somebody to ask
        opened(path).close()
        assert (first + answer.read()).endswith(end)
    assert ("rows broke off" in log.read_text()) == (path == "/fail")
