"""The W3C trace context and request id of the request that is running, for events and log lines."""

import re
import secrets
from contextvars import ContextVar

_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")

_current: ContextVar[str] = ContextVar("traceparent", default="")
request_id: ContextVar[str] = ContextVar("request_id", default="-")


def start(identifier: str, header: str) -> None:
    """Begin a request: its id, and the client's `traceparent` if valid (else a trace begins at the first event)."""
    request_id.set(identifier)
    _current.set(header if _TRACEPARENT.fullmatch(header) else "")


def traceparent() -> str:
    """Return the trace context for an event: the request's, else a new one (https://www.w3.org/TR/trace-context/)."""
    if not _current.get():
        _current.set(f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01")
    return _current.get()


def trace_id() -> str:
    """Return the id of the trace that the request belongs to."""
    return traceparent().split("-")[1]
