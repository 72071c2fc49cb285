"""Log lines: one per request, and on every line which request, caller, route and trace it belongs to.

A line never has a query string, a header or a body: tokens and passwords come in these. What clients send (paths, and
whatever an exception quotes) can't forge a line: control characters are written as escapes, tracebacks are indented.
Lines are for people (LineFormatter) or one JSON object each, for whoever collects them (JsonFormatter).
"""

import json
import logging.config
import re
import sys
import time
from collections.abc import Callable
from contextvars import ContextVar
from types import TracebackType
from typing import Any

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from structlog.typing import EventDict

from marketplace import routes, tracing
from marketplace.callers import ANONYMOUS, Caller

MAX_PATH = 300
UNKNOWN = "-"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# What is written beside a record's text, and nothing else: about the request that is running, and in its access line.
_CONTEXT = ("request_id", "caller", "route", "trace_id")
_ACCESS = ("method", "path", "status", "duration_ms", "address")

access = logging.getLogger("marketplace.access")
_uncaught = logging.getLogger("marketplace")
_running: ContextVar[HttpRequest | None] = ContextVar("request", default=None)


def logged(request: HttpRequest, answer: Callable[[HttpRequest], HttpResponseBase], address: str) -> HttpResponseBase:
    """Answer a request, with a line in the log about it; lines written meanwhile name it, too."""
    started = time.perf_counter()
    _running.set(request)
    try:
        response = answer(request)
        if access.isEnabledFor(logging.INFO):
            milliseconds = round((time.perf_counter() - started) * 1000, 1)
            what = (request.method, request.path[:MAX_PATH], response.status_code, milliseconds, address)
            access.info("%s %s %d in %.1f ms, from %s", *what, extra=dict(zip(_ACCESS, what, strict=True)))
    finally:
        _running.set(None)
    return response


class RequestFilter(logging.Filter):
    """Gives log records id, caller, route and trace of the request that is running, `-` for what is not known."""

    def filter(self, record: logging.LogRecord) -> bool:
        request = _running.get()
        record.request_id = tracing.request_id.get() if request else UNKNOWN
        record.caller = _caller(request) if request else UNKNOWN
        record.route = (routes.of(request) if request else "") or UNKNOWN
        record.trace_id = tracing.trace_id() if request else UNKNOWN
        return True


def _caller(request: HttpRequest) -> str:
    """Return kind and id of the caller, once authentication has found one. Asks no database."""
    found = vars(request).get("user")
    if type(found) is Caller:  # isinstance would make Django's lazy one read the session
        return "anonymous" if found == ANONYMOUS else f"{found.kind}:{found.id}"
    account = vars(request).get("_cached_user")  # what became of the lazy one
    return f"staff:{account.pk}" if account is not None and account.is_authenticated else UNKNOWN


class UnforeseenFilter(logging.Filter):
    """Lets through what Django logs about an exception, not what it logs about an answer that says 500 or 503."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.exc_info is not None


class LineFormatter(logging.Formatter):
    """Writes a record as one line; the lines of a traceback follow it, indented."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s [%(request_id)s %(caller)s %(route)s] %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        record.exc_text = None  # another handler's, not escaped
        return super().format(record)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # the library's name
        return _escaped(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802
        return _indented(super().formatException(ei))

    def formatStack(self, stack_info: str) -> str:  # noqa: N802
        return _indented(super().formatStack(stack_info))


class JsonFormatter(structlog.stdlib.ProcessorFormatter):
    """Writes a record as a JSON object without line breaks; what is not known is left out."""

    def __init__(self) -> None:
        super().__init__(
            processors=[
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                _told,
                structlog.processors.format_exc_info,  # the traceback, as text in `exception`
                self.remove_processors_meta,
                structlog.processors.JSONRenderer(serializer=_ascii),
            ]
        )


def _told(_logger: object, _level: str, event: EventDict) -> EventDict:
    """Add what a record says about itself, its process and its request."""
    known = vars(event["_record"])
    event.update(level=known["levelname"], logger=known["name"], role=settings.ROLE)
    event.update((name, known[name]) for name in (*_CONTEXT, *_ACCESS) if known.get(name, UNKNOWN) != UNKNOWN)
    return event


_encode = json.JSONEncoder(default=repr).encode


def _ascii(event: EventDict, **_options: Any) -> str:
    """Return JSON in which every character that is not printable ASCII is an escape."""
    return _encode(event).replace("\x7f", "\\u007f")


def apply(configuration: dict[str, Any]) -> None:
    """Configure logging, as Django's LOGGING_CONFIG. Python's warnings go there and, in JSON, what ends a process."""
    logging.config.dictConfig(configuration)
    logging.captureWarnings(True)
    if settings.LOG_FORMAT == "json":
        sys.excepthook = _log_uncaught


def _log_uncaught(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    if issubclass(kind, Exception):
        _uncaught.critical("%s ends this process", kind.__name__, exc_info=(kind, error, traceback))
    else:
        sys.__excepthook__(kind, error, traceback)


class Seldom(logging.Filter):
    """Lets one record through in `seconds`, of those that it is concerned with: all, unless a subclass says which."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds
        self._silent_until = 0.0

    def concerns(self, record: logging.LogRecord) -> bool:  # noqa: ARG002  # for subclasses
        """Return whether the record is of the kind that comes too often."""
        return True

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to log the record."""
        if not self.concerns(record):
            return True
        if time.monotonic() < self._silent_until:
            return False
        self._silent_until = time.monotonic() + self.seconds
        return True


def _escaped(text: str) -> str:
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def _indented(text: str) -> str:
    return "\n".join(f"    {_escaped(line)}" for line in text.split("\n"))
