"""How a process makes the registry that it exposes.

Each module defines the metrics of what it does at its top, in prometheus_client's default registry. Names follow
https://prometheus.io/docs/practices/naming/; labels have few values, never ids, paths or what a client sent.
"""

import prometheus_client
from django.conf import settings
from prometheus_client import REGISTRY, CollectorRegistry, Info
from prometheus_client.registry import Collector

prometheus_client.disable_created_metrics()  # one more series for each counter and histogram, which nobody asks for


def registry(*collectors: Collector) -> CollectorRegistry:
    """Return what a process exposes: what it is, and what the collectors give.

    Without collectors these are all metrics of the modules that are imported, and those of the process itself.
    """
    made = CollectorRegistry()
    Info("marketplace_build", "Version and role of the process.", registry=made).info(
        {"version": settings.VERSION, "role": settings.ROLE}
    )
    for collector in collectors or (REGISTRY,):
        made.register(collector)
    return made
