"""The port of operators, one for each process: /metrics for Prometheus, /live and /ready for whoever restarts it.

Plain HTTP, in a daemon thread that nothing waits for. `make_server` of the standard library is enough: the only clients
are a scraper and a prober, and prometheus_client's own server has room for no other path.
"""

import json
import logging
from collections.abc import Callable, Iterable
from http import HTTPStatus
from socketserver import ThreadingMixIn
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from django.conf import settings
from prometheus_client import CollectorRegistry, make_wsgi_app

logger = logging.getLogger("marketplace.observability")

# Each returns what is wrong, in sentences; nothing means that all is well.
Probe = Callable[[], list[str]]


class _Server(ThreadingMixIn, WSGIServer):
    """Answers each request in a thread of its own, so that a slow scraper keeps no prober waiting."""

    daemon_threads = True


class _Handler(WSGIRequestHandler):
    timeout = 10  # seconds, for a client that sends nothing

    def log_message(self, *arguments: Any) -> None:
        """Log nothing: probes and scrapes come every few seconds."""


def start(registry: CollectorRegistry, *, live: Probe, ready: Probe) -> int | None:
    """Serve until the process ends, if METRICS_PORT is set. Return the port.

    `live` says whether the process should be restarted, `ready` whether it does its work. Raises OSError when the port
    is taken.
    """
    if not settings.METRICS_PORT:
        return None
    server = make_server(
        settings.METRICS_HOST, settings.METRICS_PORT, _application(registry, live, ready), _Server, _Handler
    )
    Thread(target=server.serve_forever, name="observability", daemon=True).start()
    logger.info("metrics and probes at http://%s:%d", settings.METRICS_HOST, server.server_port)
    return int(server.server_port)


def _application(registry: CollectorRegistry, live: Probe, ready: Probe) -> Callable[..., Iterable[bytes]]:
    metrics = make_wsgi_app(registry)
    probes = {"/live": live, "/ready": ready}

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/metrics":
            answered: Iterable[bytes] = metrics(environ, start_response)
            return answered
        if path not in probes:
            return _answer(start_response, HTTPStatus.NOT_FOUND, {"paths": ["/live", "/metrics", "/ready"]})
        problems = probes[path]()
        status = HTTPStatus.SERVICE_UNAVAILABLE if problems else HTTPStatus.OK
        return _answer(start_response, status, {"status": "unavailable" if problems else "ok", "problems": problems})

    return application


def _answer(start_response: Callable[..., Any], status: HTTPStatus, body: dict[str, Any]) -> list[bytes]:
    start_response(f"{status.value} {status.phrase}", [("Content-Type", "application/json")])
    return [json.dumps(body).encode()]
