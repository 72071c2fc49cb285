"""Metrics of requests: how long each kind takes and how it ends. Only where METRICS_PORT is set."""

import time
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponseBase
from prometheus_client import Counter, Gauge, Histogram

from marketplace import routes

# A read takes 1 to 5 ms and a write 5 to 25; 50 to 250 is a password's hash or a list of reports. MongoDB has 1.5 s for
# a request, and 3 are promised for the answer when it is away.
SECONDS = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 1.5, 3, 10)
METHODS = frozenset(("GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS", "PUT"))  # a client can send any word

DURATION = Histogram(
    "marketplace_http_request_duration_seconds",
    "Time from a request's head to its answer's head.",
    ("method", "route", "status"),
    buckets=SECONDS,
)
IN_PROGRESS = Gauge(
    "marketplace_http_requests_in_progress", "Requests that are being answered.", multiprocess_mode="livesum"
)
REPLAYED = Counter("marketplace_http_replayed_answers_total", "Answers repeated for an Idempotency-Key.")


class MetricsMiddleware:
    """Counts every answer, also those that other middleware gives. The outermost."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        if not settings.METRICS_PORT:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        with IN_PROGRESS.track_inprogress():
            response = self.get_response(request)
        method = request.method if request.method in METHODS else "other"
        route = routes.of(request) or "-"
        DURATION.labels(method, route, response.status_code).observe(time.perf_counter() - started)
        if response.has_header("Idempotent-Replayed"):
            REPLAYED.inc()
        return response
