"""A WSGI application for granian that streams a CSV without end, until somebody asks for /go or /fail.

Run by test_csv_stream.py; the answer is made as that of a report is.
"""

import os
import threading
from collections.abc import Iterable, Iterator
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")

import django

django.setup()

from analytics.csv_stream import csv_response  # noqa: E402  # needs Django's set-up

_asked = threading.Event()
_path = ""


def _rows() -> Iterator[list[object]]:
    yield from ([number, "x" * 1000] for number in range(1000))
    if not _asked.wait(30):
        raise TimeoutError("nobody asked to go on")
    if _path == "/fail":
        raise RuntimeError("the database went away")
    yield [1000, "the end"]


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Answer /rows with the stream, anything else by letting that go on."""
    global _path  # noqa: PLW0603  # one test, one process
    if environ["PATH_INFO"] != "/rows":
        _path = environ["PATH_INFO"]
        _asked.set()
        start_response("200 OK", [])
        return [b""]
    response = csv_response(environ["REQUEST_METHOD"], "rows", ["number", "text"], _rows())
    start_response("200 OK", list(response.items()))
    return response
