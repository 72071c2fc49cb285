"""The operators' port of a command: open before the work begins, so that a port that is taken costs nothing."""

from django.conf import settings
from django.core.management.base import CommandError
from prometheus_client import REGISTRY
from prometheus_client.registry import Collector

from marketplace.observability import metrics, server
from marketplace.observability.server import Probe


def open_port(*collectors: Collector, live: Probe, ready: Probe) -> None:
    """Answer /metrics, /live and /ready on METRICS_PORT, if it is set. Raises CommandError when it cannot be used."""
    try:
        server.start(metrics.registry(REGISTRY, *collectors), live=live, ready=ready)
    except OSError as error:
        address = f"{settings.METRICS_HOST}:{settings.METRICS_PORT}"
        raise CommandError(f"METRICS_PORT: {address} cannot be used: {error.strerror}") from error
