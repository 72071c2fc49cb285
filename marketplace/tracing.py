"""The W3C trace context and request id of the request that is running, for events, log lines and spans.

Spans meet by `traceparent` alone, in one process as between two: requests, the outbox and Kafka's headers carry it.
OpenTelemetry records them (marketplace/observability/traces.py), and is imported only if TRACES_ENDPOINT is set.
"""

import random
import re
import secrets
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from typing import Any

from django.conf import settings

_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_SAMPLED = 1  # a bit of the last part, https://www.w3.org/TR/trace-context/#trace-flags

_current: ContextVar[str] = ContextVar("traceparent", default="")
request_id: ContextVar[str] = ContextVar("request_id", default="")

# Where a message stands in Kafka: topic and partition, and offset.
Place = tuple[tuple[str, int], int]


def start(identifier: str, header: str) -> None:
    """Begin a request: its id, and the client's `traceparent` if valid (else a trace begins when it is asked for)."""
    request_id.set(identifier)
    go_on_from(header if _TRACEPARENT.fullmatch(header) else "")


def go_on_from(traceparent: str) -> None:
    """Have what follows belong to this trace context; to a new one if it is empty."""
    _current.set(traceparent)


def given() -> str:
    """Return the trace context that the request has, or nothing as long as none has begun."""
    return _current.get()


def traceparent() -> str:
    """Return the trace context for an event: the request's, else a new one (https://www.w3.org/TR/trace-context/).

    Outside of requests each event begins a trace: those of a whole command would be one of any size.
    """
    context = _current.get()
    if not context:
        flags = _SAMPLED if random.random() < settings.TRACES_SHARE else 0
        context = f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-{flags:02x}"
        if request_id.get():
            _current.set(context)
    return context


def trace_id() -> str:
    """Return the id of the trace that the request belongs to."""
    return traceparent().split("-")[1]


def is_recorded(header: str) -> bool:
    """Return whether a text is a trace context, of a trace that is recorded."""
    return _TRACEPARENT.fullmatch(header) is not None and bool(int(header[-2:], 16) & _SAMPLED)


def publishing(events: Sequence[dict[str, Any]]) -> AbstractContextManager[list[str]]:
    """Record that outbox events are published. The block gets the `traceparent` that each is sent with."""
    if not settings.TRACES_ENDPOINT:
        return nullcontext([event["traceparent"] for event in events])
    from marketplace.observability import traces  # noqa: PLC0415  # only where they are wanted

    return traces.publishing(events)


def applying(messages: Sequence[tuple[Place, str]], batch: int) -> AbstractContextManager[set[Place]]:
    """Record that messages of a batch become rows: of each that is recorded, its place and `traceparent`.

    The block gets a set, and puts the places of those into it that became none.
    """
    if not settings.TRACES_ENDPOINT:
        return nullcontext(set())
    from marketplace.observability import traces  # noqa: PLC0415

    return traces.applying(messages, batch)
