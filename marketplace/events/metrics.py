"""The relay's metrics. What it counts is here; what a scrape looks up comes from RelayCollector."""

from collections import Counter as Counted
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final, Protocol

from prometheus_client import Counter, Histogram, Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from pymongo.errors import PyMongoError

from marketplace import mongo
from marketplace.events.outbox import backlog

# Counted no further: what matters is that there are many.
MOST_EVENTS: Final = 10_000
LOOK_SECONDS: Final = 1.0

PUBLISHED: Final = Counter(
    "marketplace_relay_published_events_total", "Events that Kafka has and the outbox no longer.", ["topic"]
)
ERRORS: Final = Counter(
    "marketplace_relay_errors_total",
    "Failed attempts: MongoDB or Kafka was away, Kafka rejected a batch, or the producer had to be replaced.",
    ["reason"],
)
BATCH_EVENTS: Final = Histogram(
    "marketplace_relay_batch_events", "Events of a published batch.", buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500)
)
BATCH_SECONDS: Final = Histogram(
    "marketplace_relay_batch_duration_seconds", "From handing a batch to Kafka until its readers get it."
)
for _reason in ("mongodb", "unreachable", "rejected", "broken"):
    ERRORS.labels(_reason)  # 0 until it happens, so that the first time shows as a rise


def count_published(events: Iterable[mongo.Stored]) -> None:
    """Count events by topic."""
    for topic, number in Counted(event["topic"] for event in events).items():
        PUBLISHED.labels(topic).inc(number)


class Looked(Protocol):
    """What a scrape wants to know of a relay, in another thread than its own."""

    @property
    def is_active(self) -> bool: ...
    @property
    def rejected(self) -> list[str]: ...


class RelayCollector(Collector):
    """Looks at a relay, and at the outbox if it is the active one: in the scrape's thread, so nothing waits for it."""

    def __init__(self, relay: Looked) -> None:
        self._relay = relay

    def describe(self) -> Iterable[Metric]:
        """Return nothing: registering it must not ask MongoDB."""
        return []

    def collect(self) -> Iterable[Metric]:
        """Yield what there is to see. Of the outbox nothing while MongoDB does not answer."""
        active = self._relay.is_active
        yield GaugeMetricFamily("marketplace_relay_active", "1: this relay publishes; 0: it stands by.", int(active))
        yield GaugeMetricFamily(
            "marketplace_relay_held_entities", "Entities of which Kafka rejects an event.", len(self._relay.rejected)
        )
        if active:
            yield from _outbox()


def _outbox() -> Iterable[Metric]:
    try:
        waiting = backlog(MOST_EVENTS, LOOK_SECONDS)
    except PyMongoError:  # the relay's own errors say so
        return
    age = (datetime.now(UTC) - waiting.oldest).total_seconds() if waiting.oldest else 0.0
    yield GaugeMetricFamily(
        "marketplace_outbox_events", f"Events that wait to be published, up to {MOST_EVENTS:,}.", waiting.events
    )
    yield GaugeMetricFamily(
        "marketplace_outbox_oldest_event_age_seconds", "How long the oldest of them has waited.", max(0.0, age)
    )
