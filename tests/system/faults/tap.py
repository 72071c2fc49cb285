"""The tap: a Kafka reader of the bench's own that keeps what is said of every entity, from the first message on."""

import hashlib
import json
import threading
from bisect import bisect_left
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Consumer, Message, TopicPartition

from tests.system.faults.findings import Finding, Kind

TOPICS = ("user", "supplier", "product", "order", "post")
_ACCOUNT = ("created", "updated", "deleted")
EVENT_TYPES = {
    "user": _ACCOUNT,
    "supplier": _ACCOUNT,
    "product": ("created", "updated", "published", "out_of_stock", "discontinued", "restored", "deleted"),
    "order": ("created", "cancelled"),
    "post": ("created", "updated", "published", "deleted"),
}
Entity = tuple[str, str]  # its kind, which is the topic, and its id
Partition = tuple[str, int]


@dataclass(frozen=True)
class Heard:
    """What an event says that no answer of the API tells."""

    event_id: str
    timestamp: str
    deleted_at: str | None
    digest: bytes


class Tap:
    """Reads all five topics in a thread of its own, for the length of a `with` block, whatever the broker goes through.

    Reads as a consumer of transactional producers should: committed messages only.
    """

    def __init__(self, servers: str) -> None:
        self.repeats = 0
        self.types: Counter[str] = Counter()
        self._offsets: dict[Partition, list[int]] = defaultdict(list)
        self._events: dict[Entity, dict[int, Heard]] = defaultdict(dict)
        self._findings: list[Finding] = []
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(servers,), name="tap")

    def __enter__(self) -> "Tap":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def heard(self, entity: Entity) -> dict[int, Heard]:
        """Return the events of an entity by version."""
        with self._lock:
            return dict(self._events.get(entity, {}))

    def entities(self) -> set[Entity]:
        """Return all entities that something has been said of."""
        with self._lock:
            return set(self._events)

    def reached(self, partition: Partition) -> int:
        """Return the offset behind the last message of a partition."""
        with self._lock:
            return self._offsets[partition][-1] + 1 if self._offsets[partition] else 0

    def count(self, partition: Partition, start: int, end: int) -> int:
        """Return how many messages there are between two offsets, without those that only end transactions."""
        with self._lock:
            offsets = self._offsets[partition]
            return bisect_left(offsets, end) - bisect_left(offsets, start)

    def unheard(self) -> list[str]:
        """Return the event types that have not come by."""
        types = [f"{entity}.{name}" for entity, names in EVENT_TYPES.items() for name in names]
        return [name for name in types if not self.types[name]]

    def findings(self) -> list[Finding]:
        """Return what was wrong with the stream itself since the last call."""
        with self._lock:
            found, self._findings = self._findings, []
            return found

    def _run(self, servers: str) -> None:
        consumer = Consumer(
            {
                "bootstrap.servers": servers,
                "group.id": "bench-tap",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "isolation.level": "read_committed",
                "reconnect.backoff.max.ms": 500,
                "log_level": 0,
            }
        )
        partitions = [
            TopicPartition(topic, number, 0)
            for topic in TOPICS
            for number in consumer.list_topics(topic, 30).topics[topic].partitions
        ]
        consumer.assign(partitions)
        while not self._stop.is_set():
            for message in consumer.consume(500, 0.1):
                if message.error() is None:  # errors are the broker's absence; librdkafka reconnects
                    self._note(message)
        consumer.close()

    def _note(self, message: Message) -> None:
        raw = message.value() or b""
        event = json.loads(raw)
        entity, version = (str(message.topic()), event["entity_id"]), event["version"]
        heard = Heard(
            event["event_id"], event["timestamp"], event["data"].get("deleted_at"), hashlib.sha256(raw).digest()
        )
        with self._lock:
            self._offsets[str(message.topic()), message.partition() or 0].append(message.offset() or 0)
            self.types[event["event_type"]] += 1
            known = self._events[entity]
            if version in known:
                self.repeats += 1
                self._check_repeat(entity, version, known[version], heard)
            else:
                self._check_order(entity, version, known)
                known[version] = heard

    def _check_repeat(self, entity: Entity, version: int, first: Heard, again: Heard) -> None:
        if first != again:
            self._wrong(f"{_name(entity)}: version {version} was sent with two contents ({first}, {again})")

    def _check_order(self, entity: Entity, version: int, known: dict[int, Any]) -> None:
        if known and version < max(known):
            self._wrong(f"{_name(entity)}: version {version} came after version {max(known)}")

    def _wrong(self, text: str) -> None:
        self._findings.append(Finding(Kind.WRONG, f"topic {text}"))


def _name(entity: Entity) -> str:
    return " ".join(entity)


def incomplete(tap: Tap, entity: Entity, version: int) -> list[Finding]:
    """Return what the topics lack, or have too much, of an entity whose last acknowledged version this is."""
    heard, wanted = set(tap.heard(entity)), set(range(1, version + 1))
    missing = [Finding(Kind.LOST, f"topic {_name(entity)}: no event of version {v}") for v in sorted(wanted - heard)]
    return missing + [
        Finding(Kind.WRONG, f"topic {_name(entity)}: version {v} is of no acknowledged write")
        for v in sorted(heard - wanted)
    ]
