"""The doctor on Kafka: brokers, the event topics and their partitions, what this account may do, the group."""

from collections.abc import Collection, Iterator
from typing import Any, Final

from confluent_kafka import ConsumerGroupState, KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AclOperation, ClusterMetadata, TopicMetadata
from django.conf import settings

from marketplace import kafka
from marketplace.doctor.registry import Finding, Visit, check, fault, ok, skipped, warning
from marketplace.events.catalogue import TOPICS

_COPIES: Final = 3
_NO_LEADER: Final = -1
_EMBEDDED: Final = "mockCluster"  # how librdkafka names its own
EMBEDDED_HAS_NO: Final = "the embedded broker has no {}"


def metadata(visit: Visit) -> ClusterMetadata:
    """Return what the cluster says of itself. Raises KafkaException."""
    return kafka.admin().list_topics(timeout=visit.seconds)


def is_embedded(cluster: ClusterMetadata) -> bool:
    """Whether this is librdkafka's mock cluster, which knows few requests and never answers the others."""
    return str(cluster.cluster_id).startswith(_EMBEDDED)


def event_topics(cluster: ClusterMetadata) -> list[TopicMetadata]:
    """Return the event topics that are there."""
    return [cluster.topics[name] for name in TOPICS if name in cluster.topics and not cluster.topics[name].error]


def tool(name: str, arguments: str) -> str:
    """Return a command line of Kafka's own tools."""
    return f"{name}.sh --bootstrap-server {settings.KAFKA_BOOTSTRAP_SERVERS} {arguments}"


@check("kafka", "brokers", needs=["kafka"])
def brokers(visit: Visit) -> Iterator[Finding]:
    """Tell which cluster and brokers answer."""
    cluster = metadata(visit)
    names = ", ".join(f"{one.host}:{one.port}" for one in cluster.brokers.values())
    if is_embedded(cluster):
        yield ok(f"the embedded broker at {names}: it keeps nothing after its end")
    elif len(cluster.brokers) < _COPIES:
        number = len(cluster.brokers)
        remedy = f"Run {_COPIES} brokers, with topics of replication factor {_COPIES} and min.insync.replicas 2."
        yield warning(f"{number} broker{'s' * (number > 1)} ({names}): the loss of one stops events", remedy)
    else:
        yield ok(f"{len(cluster.brokers)}: {names}")


@check("kafka", "topics", needs=["kafka"])
def topics(visit: Visit) -> Iterator[Finding]:
    """Look whether all event topics are there, with partitions alike."""
    cluster = metadata(visit)
    counts = {str(topic.topic): len(topic.partitions) for topic in event_topics(cluster)}
    unseen = [name for name in TOPICS if name not in counts]
    denied = _denied(visit, unseen) if unseen else []
    if denied:
        command = _allow("Describe", denied[0])
        yield fault(f"this account may not see {', '.join(denied)}", f"{command}, and so for each")
    if missing := [name for name in unseen if name not in denied]:
        options = f"--partitions {max(counts.values(), default=6)} --replication-factor"
        copies = min(_COPIES, len(cluster.brokers))
        yield fault(f"not there: {', '.join(missing)}", f"manage.py create_topics {options} {copies}")
    if len(set(counts.values())) > 1:
        yield _unlike(counts)
    elif not unseen:
        yield ok(f"all {len(counts)} have {counts[TOPICS[0]]} partitions: so many consumers can share the work")


def _denied(visit: Visit, topics: list[str]) -> list[str]:
    """Return those that this account may not see: in a list of all topics they are left out as if they were not."""
    admin = kafka.admin()  # which has to outlive the answers
    answers = admin.describe_topics(TopicCollection(topics), request_timeout=visit.seconds)
    errors = {name: answer.exception() for name, answer in answers.items()}
    return [
        name
        for name, error in errors.items()
        if isinstance(error, KafkaException) and error.args[0].code() == KafkaError.TOPIC_AUTHORIZATION_FAILED
    ]


def _allow(operation: str, topic: str) -> str:
    return tool("kafka-acls", f"--add --allow-principal User:NAME --operation {operation} --topic {topic}")


def _unlike(counts: dict[str, int]) -> Finding:
    most = max(counts.values())
    fewer = sorted(name for name, number in counts.items() if number < most)
    told = ", ".join(f"{name} {number}" for name, number in counts.items())
    command = tool("kafka-topics", f"--alter --topic {fewer[0]} --partitions {most}")
    return warning(
        f"partitions are not alike: {told}",
        f"{command} while outbox and lag are empty, because keys move to other partitions",
    )


@check("kafka", "partitions", needs=["kafka"])
def partitions(visit: Visit) -> Iterator[Finding]:
    """Look for partitions that nobody leads, or of which copies are behind."""
    found = [(topic, one) for topic in event_topics(metadata(visit)) for one in topic.partitions.values()]
    offline = [f"{topic}/{one.id}" for topic, one in found if one.leader == _NO_LEADER]
    behind = [f"{topic}/{one.id}" for topic, one in found if len(one.isrs) < len(one.replicas)]
    if offline:
        yield fault(f"no leader for {_some(offline)}", "Start the brokers that hold them; see the controller's log.")
    if behind:
        command = tool("kafka-topics", "--describe --under-replicated-partitions")
        yield warning(f"copies are missing or behind of {_some(behind)}", command)
    if not found:
        yield skipped("there are no topics")
    elif not offline and not behind:
        yield ok(f"all {len(found)} have a leader and all their copies")


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""  # noqa: PLR2004  # enough to find them
    return ", ".join(names[:5]) + more


@check("kafka", "account", needs=["kafka"])
def account(visit: Visit) -> Iterator[Finding]:
    """Look what this account may do with the event topics."""
    cluster = metadata(visit)
    if is_embedded(cluster):
        yield skipped(EMBEDDED_HAS_NO.format("accounts"))
        return
    names = [str(topic.topic) for topic in event_topics(cluster)]
    if not names:
        yield skipped("there are no topics")
        return
    admin = kafka.admin()  # which has to outlive the answers
    described = admin.describe_topics(
        TopicCollection(names), include_authorized_operations=True, request_timeout=visit.seconds
    )
    allowed = {name: future.result().authorized_operations for name, future in described.items()}
    lacking = {
        who: [name for name, operations in allowed.items() if operation not in operations]
        for operation, who in ((AclOperation.WRITE, "Write, as the relay"), (AclOperation.READ, "Read, as consumers"))
    }
    yield from (_not_granted(who, names) for who, names in lacking.items() if names)
    if not any(lacking.values()):
        yield ok("this account may write and read the event topics")


def _not_granted(who: str, names: Collection[str]) -> Finding:
    command = _allow(who.partition(",")[0], min(names))
    return warning(f"this account may not {who} must: {', '.join(sorted(names))}", f"{command}, and so for each")


@check("kafka", "consumer group", needs=["kafka"])
def group(visit: Visit) -> Iterator[Finding]:
    """Look who is in the group that keeps the tables."""
    cluster = metadata(visit)
    if is_embedded(cluster):
        yield skipped(EMBEDDED_HAS_NO.format("DescribeGroups"))
        return
    name = settings.KAFKA_GROUP_ID
    described = _described(visit, name)
    members = described.members if described else []
    if not members:
        yield warning(f"nobody is in {name}: events wait in Kafka", "manage.py consume_events")
        return
    most = max((len(topic.partitions) for topic in event_topics(cluster)), default=0)
    found = f"{len(members)} in {name}, {described.state.name.lower().replace('_', ' ')}"
    if described.state is not ConsumerGroupState.STABLE:
        remedy = "Ask again in a minute. If it says the same then, a consumer comes and goes: see the consumers' logs."
        yield warning(f"{found}: they are sharing out the partitions", remedy)
    elif idle := sum(not member.assignment.topic_partitions for member in members):
        command = f"Stop some, or have more than {most} partitions."
        yield warning(f"{found}; {idle} of them have no partition", command)
    else:
        yield ok(found)


def _described(visit: Visit, group: str) -> Any:
    """Return what the brokers say of a group; None when they have never heard of it."""
    admin = kafka.admin()  # which has to outlive the answer
    try:
        return admin.describe_consumer_groups([group], request_timeout=visit.seconds)[group].result()
    except KafkaException as error:
        if error.args[0].code() != KafkaError.GROUP_ID_NOT_FOUND:
            raise
        return None
