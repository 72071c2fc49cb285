"""Log lines: one per request, and on every line which request, caller and route it belongs to.

A line never has a query string, a header or a body: tokens and passwords come in these. What clients send (paths, and
whatever an exception quotes) can't forge a line: control characters are written as escapes, tracebacks are indented.
"""

import logging
import re
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from django.http import HttpRequest, HttpResponseBase

from marketplace import tracing
from marketplace.callers import ANONYMOUS, Caller
from marketplace.routes import template

MAX_PATH = 300
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

access = logging.getLogger("marketplace.access")
_running: ContextVar[HttpRequest | None] = ContextVar("request", default=None)


def logged(request: HttpRequest, answer: Callable[[HttpRequest], HttpResponseBase], address: str) -> HttpResponseBase:
    """Answer a request, with a line in the log about it; lines written meanwhile name it, too."""
    started = time.perf_counter()
    _running.set(request)
    try:
        response = answer(request)
        if access.isEnabledFor(logging.INFO):
            milliseconds = (time.perf_counter() - started) * 1000
            what = (request.method, request.path[:MAX_PATH], response.status_code, milliseconds, address)
            access.info("%s %s %d in %.1f ms, from %s", *what)
    finally:
        _running.set(None)
    return response


class RequestFilter(logging.Filter):
    """Gives log records the id, caller and route of the request that is running, `-` for what is not known."""

    def filter(self, record: logging.LogRecord) -> bool:
        request = _running.get()
        record.request_id = tracing.request_id.get() if request else "-"
        record.caller = _caller(request) if request else "-"
        record.route = _route(request) if request else "-"
        return True


def _caller(request: HttpRequest) -> str:
    """Return kind and id of the caller, once authentication has found one. Asks no database."""
    found = vars(request).get("user")
    if type(found) is Caller:  # isinstance would make Django's lazy one read the session
        return "anonymous" if found == ANONYMOUS else f"{found.kind}:{found.id}"
    account = vars(request).get("_cached_user")  # what became of the lazy one
    return f"staff:{account.pk}" if account is not None and account.is_authenticated else "-"


def _route(request: HttpRequest) -> str:
    match = request.resolver_match
    return template(match.route) if match and not match.route.startswith("^") else "-"


class UnforeseenFilter(logging.Filter):
    """Lets through what Django logs about an exception, not what it logs about an answer that says 500 or 503."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.exc_info is not None


class LineFormatter(logging.Formatter):
    """Writes a record as one line; the lines of a traceback follow it, indented."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s [%(request_id)s %(caller)s %(route)s] %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # the library's name
        return _escaped(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802
        return _indented(super().formatException(ei))

    def formatStack(self, stack_info: str) -> str:  # noqa: N802
        return _indented(super().formatStack(stack_info))


def _escaped(text: str) -> str:
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def _indented(text: str) -> str:
    return "\n".join(f"    {_escaped(line)}" for line in text.split("\n"))
