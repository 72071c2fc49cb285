"""The doctor on the settings of topics and brokers: copies, sizes, retention, transactions."""

from collections.abc import Iterator, Mapping
from typing import Final

from confluent_kafka.admin import ClusterMetadata, ConfigResource, ResourceType
from django.conf import settings

from marketplace import kafka
from marketplace.doctor.kafka import EMBEDDED_HAS_NO, event_topics, is_embedded, metadata, tool
from marketplace.doctor.registry import Finding, Visit, check, fault, ok, skipped, warning

Settings = Mapping[str, str]
HOUR_MS: Final = 3_600_000
# What a consumer that stops on a Friday evening needs to be mended on Monday.
RETENTION_HOURS: Final = 72
# What the relay asks for, see kafka.transactional_producer.
TRANSACTION_MS: Final = 30_000
_COPIES: Final = 3


def topic_settings(visit: Visit, cluster: ClusterMetadata) -> dict[str, Settings]:
    """Return the settings in force of each event topic. Raises KafkaException."""
    return _settings(visit, ResourceType.TOPIC, [str(topic.topic) for topic in event_topics(cluster)])


def _settings(visit: Visit, kind: ResourceType, names: list[str]) -> dict[str, Settings]:
    resources = [ConfigResource(kind, name) for name in names]
    if not resources:
        return {}
    admin = kafka.admin()  # which has to outlive the answers
    answers = admin.describe_configs(resources, request_timeout=visit.seconds)
    return {
        resource.name: {name: str(entry.value) for name, entry in future.result().items()}
        for resource, future in answers.items()
    }


@check("kafka", "copies", needs=["kafka"])
def copies(visit: Visit) -> Iterator[Finding]:
    """Look how many copies there are of each event, and how many must have it before it counts."""
    cluster = metadata(visit)
    if is_embedded(cluster):
        yield skipped(EMBEDDED_HAS_NO.format("copies"))
        return
    if len(cluster.brokers) == 1:
        yield skipped("there is one broker")
        return
    if not (found := topic_settings(visit, cluster)):
        yield skipped("there are no topics")
        return
    factors = {str(topic.topic): len(topic.partitions[0].replicas) for topic in event_topics(cluster)}
    findings = [
        finding
        for name, factor in factors.items()
        for finding in _copies(name, factor, int(found[name]["min.insync.replicas"]))
    ]
    yield from findings
    if not findings:
        yield ok(f"{min(factors.values())} or more of each event, two must have it")


def _copies(name: str, factor: int, least: int) -> Iterator[Finding]:
    if factor == 1:
        remedy = f"kafka-reassign-partitions.sh, to {_COPIES} copies on as many brokers"
        yield warning(f"{name}: one copy of each event, which a broken disk takes along", remedy)
    elif least >= factor:
        remedy = _change(name, f"min.insync.replicas={factor - 1}")
        yield warning(f"{name}: all {factor} copies must have an event, so one broker less stops it", remedy)
    elif least == 1:
        remedy = _change(name, "min.insync.replicas=2")
        yield warning(f"{name}: an event counts once one of {factor} copies has it", remedy)


@check("kafka", "topic settings", needs=["kafka"])
def topics(visit: Visit) -> Iterator[Finding]:
    """Look whether events fit, and how long they are kept."""
    cluster = metadata(visit)
    if is_embedded(cluster):
        yield skipped(EMBEDDED_HAS_NO.format("DescribeConfigs"))
        return
    if not (found := topic_settings(visit, cluster)):
        yield skipped("there are no topics")
        return
    findings = [finding for name, values in found.items() for finding in _topic(name, values)]
    yield from findings
    if not findings:
        kept = sorted({_hours(values) for values in found.values()})
        yield ok(f"events of any size fit, and are kept for {' or '.join(map(_told, kept))}")


def _topic(name: str, values: Settings) -> Iterator[Finding]:
    needed = settings.KAFKA_MAX_MESSAGE_BYTES
    if (size := int(values["max.message.bytes"])) < needed:
        found = f"{name}: takes events up to {size:,} bytes, they may have {needed:,}; larger ones stay in the outbox"
        yield fault(found, _change(name, f"max.message.bytes={needed}"))
    if "compact" in values["cleanup.policy"]:
        found = f"{name}: is compacted: consumers miss versions in between"
        yield warning(found, _change(name, "cleanup.policy=delete"))
    elif (hours := _hours(values)) < RETENTION_HOURS:
        found = f"{name}: events are kept for {_told(hours)}; what a consumer has not read by then is lost to it"
        yield warning(found, _change(name, f"retention.ms={7 * 24 * HOUR_MS}"))
    if int(values["retention.bytes"]) > 0:
        found = f"{name}: events go when a partition has {int(values['retention.bytes']):,} bytes, read or not"
        yield warning(found, _change(name, "retention.bytes=-1"))


def retention_ms(values: Settings) -> int | None:
    """Return for how long a topic keeps events; None for ever."""
    kept = int(values["retention.ms"])
    return kept if kept >= 0 and "delete" in values["cleanup.policy"] else None


def _hours(values: Settings) -> float:
    kept = retention_ms(values)
    return float("inf") if kept is None else kept / HOUR_MS


def _told(hours: float) -> str:
    return "ever" if hours == float("inf") else f"{hours:g} h"


@check("kafka", "broker settings", needs=["kafka"])
def brokers(visit: Visit) -> Iterator[Finding]:
    """Look whether the relay's transactions can be opened, and whether topics come by mistake."""
    cluster = metadata(visit)
    if is_embedded(cluster):
        yield skipped(EMBEDDED_HAS_NO.format("DescribeConfigs"))
        return
    number = len(cluster.brokers)
    found = _settings(visit, ResourceType.BROKER, [str(broker) for broker in cluster.brokers])
    findings = {finding: None for values in found.values() for finding in _broker(values, number)}
    yield from findings
    if not findings:
        yield ok("transactions can be opened, and topics are made by create_topics only")


def _broker(values: Settings, brokers: int) -> Iterator[Finding]:
    """Look at what a broker tells; services that run Kafka for others keep some of it to themselves."""
    for name in ("transaction.state.log.replication.factor", "offsets.topic.replication.factor"):
        if (factor := int(values.get(name, brokers))) > brokers:
            found = f"{name} is {factor}, with {brokers} brokers: the topic behind it cannot be made"
            yield fault(found, f"{name}={brokers} in server.properties, with min.isr fitting, or more brokers")
    if (limit := int(values.get("transaction.max.timeout.ms", TRANSACTION_MS))) < TRANSACTION_MS:
        found = f"transaction.max.timeout.ms is {limit}: the relay's transactions ask for {TRANSACTION_MS}"
        yield fault(found, f"transaction.max.timeout.ms={TRANSACTION_MS} or more in server.properties")
    if values.get("auto.create.topics.enable") == "true":
        found = "auto.create.topics.enable is on: a topic that is missing comes back with the broker's defaults"
        yield warning(found, "auto.create.topics.enable=false in server.properties")


def _change(topic: str, setting: str) -> str:
    return tool("kafka-configs", f"--alter --entity-type topics --entity-name {topic} --add-config {setting}")
