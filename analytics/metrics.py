"""The consumer's metrics, of the one consumer that a process is."""

from collections import Counter as Counted
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from prometheus_client import REGISTRY, Counter, Gauge, Histogram, Metric
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from analytics.batches import Stored
from analytics.delays import BOUNDS, Delays
from analytics.models import DeadLetter
from analytics.offsets import Partition
from analytics.pipeline import latest_runs

# Counted no further: what matters is that there are many.
MOST_LETTERS: Final = 10_000
# Every third of the bounds that delays are kept by is 1.95 times the one before: from 51 ms to a day.
_DELAY_BOUNDS: Final = [bound for bound in BOUNDS[::3] if 50 < bound < 90_000_000]

EVENTS: Final = Counter(
    "marketplace_consumer_events_total",
    "Events stored: applied, repeated (what is stored was as new already), or dead letters.",
    ["topic", "result"],
)
BATCH_EVENTS: Final = Histogram(
    "marketplace_consumer_batch_events", "Events of a stored batch.", buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
)
BATCH_SECONDS: Final = Histogram("marketplace_consumer_batch_duration_seconds", "How long storing a batch took.")
REBALANCES: Final = Counter(
    "marketplace_consumer_rebalances_total", "Times that partitions were assigned, revoked or lost.", ["kind"]
)
FENCED: Final = Counter(
    "marketplace_consumer_fenced_total", "Batches not stored, because another consumer had the partition already."
)
_OUTAGES: Final = Counter(
    "marketplace_consumer_outages_total", "Attempts that failed because a server was away.", ["server"]
)
MISSING: Final = Counter("marketplace_consumer_missing_versions_total", "Versions of entities that were never seen.")
OPEN_LETTERS: Final = Gauge(
    "marketplace_consumer_dead_letters_open", f"Dead letters that nobody has settled, up to {MOST_LETTERS:,}."
)
DIFFERENCES: Final = Gauge(
    "marketplace_verification_last_differences", "Differences that the last verification of a scope left.", ["scope"]
)
FINISHED: Final = Gauge(
    "marketplace_verification_last_finished_timestamp_seconds", "When that verification ended.", ["scope"]
)
for _kind in ("assigned", "revoked", "lost"):  # 0 until it happens, so that the first time shows as a rise
    REBALANCES.labels(_kind)
KAFKA_OUTAGES: Final = _OUTAGES.labels("kafka")
SQL_OUTAGES: Final = _OUTAGES.labels("sql")


def look_at_tables() -> None:
    """Look up what is no doing of this consumer. Raises django.db's exceptions."""
    OPEN_LETTERS.set(DeadLetter.objects.filter(state=DeadLetter.OPEN)[:MOST_LETTERS].count())
    for run in latest_runs():
        DIFFERENCES.labels(run.scope).set(run.wrong)
        FINISHED.labels(run.scope).set(run.finished_at.timestamp())


class _Looked(Collector):
    """Gives a scrape what is there at that moment. Nothing is told of its names when it is registered."""

    def describe(self) -> Iterable[Metric]:
        """Return nothing."""
        return []


class Lags(_Looked):
    """Lag and stored offset of each partition. Both are replaced as a whole, so partitions that are gone vanish."""

    now: Mapping[Partition, int] = MappingProxyType({})
    stored: Mapping[Partition, int] = MappingProxyType({})

    def collect(self) -> Iterable[Metric]:
        """Yield the gauges."""
        lag = "Events that Kafka has and the tables do not, by the stored offsets."
        yield _by_partition("marketplace_consumer_lag_events", lag, self.now)
        yield _by_partition("marketplace_consumer_next_offset", "Stored: where reading goes on.", self.stored)


def _by_partition(name: str, documentation: str, values: Mapping[Partition, int]) -> Metric:
    gauge = GaugeMetricFamily(name, documentation, labels=("topic", "partition"))
    for (topic, number), value in sorted(values.items()):
        gauge.add_metric((topic, str(number)), value)
    return gauge


class DelayHistogram(_Looked):
    """How long events took, by a few of the bounds that analytics/delays.py counts them by."""

    def __init__(self) -> None:
        self._events: Counted[int] = Counted()

    def add(self, delays: Delays) -> None:
        """Count what a batch has measured."""
        for (_, bound), number in delays.items():
            self._events[bound] += number

    def collect(self) -> Iterable[Metric]:
        """Yield the histogram. Its sum takes each event for as long as its bound says, up to 25 % too much."""
        events = dict(self._events)
        buckets = [(str(le / 1000), sum(n for bound, n in events.items() if bound <= le)) for le in _DELAY_BOUNDS]
        yield HistogramMetricFamily(
            "marketplace_consumer_event_delay_seconds",
            "From the write to the commit of its row, for events of batches that changed something.",
            buckets=[*buckets, ("+Inf", sum(events.values()))],
            sum_value=sum(bound * n for bound, n in events.items()) / 1000,
        )


LAGS: Final = Lags()
DELAYS: Final = DelayHistogram()
REGISTRY.register(LAGS)
REGISTRY.register(DELAYS)


def count(stored: Stored, seconds: float) -> None:
    """Count a stored batch, and how long that took."""
    for (topic, result), number in stored.results.items():
        if number:
            EVENTS.labels(topic, result).inc(number)
    MISSING.inc(sum(gap.missing for gap in stored.gaps))
    BATCH_EVENTS.observe(stored.read)
    BATCH_SECONDS.observe(seconds)
    DELAYS.add(stored.delays)
