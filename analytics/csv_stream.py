"""CSV as it is sent: RFC 4180 in UTF-8, a header line, made and sent piece by piece. For reports and for tables.

Nothing is kept of what has been sent, so the memory that it takes doesn't grow with the rows.
"""

import csv
import io
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime

from django.http import StreamingHttpResponse

from analytics.reports.periods import DAY
from analytics.reports.report import Question, Report
from marketplace.representation import timestamp, to_json

logger = logging.getLogger("analytics.csv")

CONTENT_TYPE = "text/csv; charset=utf-8"
# A report that fits into one piece is made before anything is sent: an error in it gets the answer of an error.
PIECE_CHARACTERS = 1 << 16
# What makes a spreadsheet take a text for a formula (https://owasp.org/www-community/attacks/CSV_Injection).
_FORMULA_STARTS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")  # the last four are the signs in full width
# The end of a stream that broke off. The server ends such an answer like any other; so that nobody takes it for whole,
# the last field says what happened and its quote is never closed, which RFC 4180 forbids and parsers refuse.
BROKEN_OFF = b'"ERROR: THIS FILE IS NOT COMPLETE. PLEASE TRY AGAIN'


def cell(value: object) -> str:
    """Return the text of a value: as in JSON, but null empty, and texts that look like a formula after an apostrophe.

    Raises TypeError for a value that has no form in JSON.
    """
    match value:
        case None:
            return ""
        case str():
            return f"'{value}" if value.startswith(_FORMULA_STARTS) else value
        case datetime():
            return timestamp(value)
        case date():
            return value.isoformat()
    return to_json(value).decode()


def pieces(columns: Sequence[str], rows: Iterable[Iterable[object]], name: str) -> Iterator[bytes]:
    """Yield the header line and the rows as pieces of a CSV file. An error of a row is logged and raised again."""
    buffer = io.StringIO()
    write = csv.writer(buffer).writerow
    write(columns)
    try:
        for row in rows:
            write(map(cell, row))
            if buffer.tell() >= PIECE_CHARACTERS:
                yield _taken(buffer)
    except Exception:
        logger.exception("%s broke off", name)
        raise
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> bytes:
    """Return what is in the buffer and empty it."""
    taken = buffer.getvalue().encode()
    buffer.seek(0)
    buffer.truncate()
    return taken


def csv_response(
    method: str, name: str, columns: Sequence[str], rows: Iterable[Iterable[object]]
) -> StreamingHttpResponse:
    """Return a download named `<name>.csv`. Rows may be a generator, which is closed when the client goes away.

    The first piece is made here, so whatever it raises is raised here. HEAD gets no more than the headers.
    """
    body = pieces(columns, rows, name)
    first = next(body)
    headers = {"Content-Type": CONTENT_TYPE, "Content-Disposition": f'attachment; filename="{name}.csv"'}
    return StreamingHttpResponse(() if method == "HEAD" else _sent(first, body), headers=headers)


def _sent(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    """Yield all pieces; when one can't be made, what spoils the file, before the error ends it."""
    yield first
    try:
        yield from rest
    except Exception:
        yield BROKEN_OFF
        raise


def report_response(method: str, report: Report, question: Question) -> StreamingHttpResponse:
    """Return a report as a download whose name says which report it is, and of which days."""
    names = [column.name for column in report.columns]
    return csv_response(method, file_name(report, question), names, values(names, report.rows(question)))


def values(names: Sequence[str], rows: Iterable[Mapping[str, object]]) -> Iterator[list[object]]:
    """Yield the rows' values in the order of the names."""
    for row in rows:
        yield [row[name] for name in names]


def file_name(report: Report, question: Question) -> str:
    """Return the name of a report's file, without `.csv`. The last day in it is the last day that is counted."""
    if "start" not in report.parameters:
        return f"{report.name}-{question.today}"
    return f"{report.name}-{question.days.start}-to-{question.days.end - DAY}"
