"""Apache Kafka: one node that is broker and controller (KRaft). Needs Java 17 and, for the first start, Maven."""

import hashlib
import socket
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from django.conf import settings

from marketplace.embedded.mongod import free_port
from tests.servers.cache import cached
from tests.servers.server import ProcessServer, run

POM = Path(settings.BASE_DIR) / ".ci" / "pom.xml"
LOGGING = [
    f"-Dorg.slf4j.simpleLogger.{option}"
    for option in ("defaultLogLevel=warn", "showDateTime=true", "dateTimeFormat=HH:mm:ss.SSS")
]
CLUSTER_ID = "bWFya2V0cGxhY2UtY2ktMQ"

# The sizes leave room for a 2 MiB event; tests want no rebalance delay. A broker that was killed may come back when the
# session of its former life has timed out.
PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{broker}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
num.partitions=4
message.max.bytes=3145728
replica.fetch.max.bytes=3145728
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=2000
controller.quorum.election.timeout.ms=200
"""


class Kafka(ProcessServer):
    """One broker. What it has acknowledged outlives its process: the kernel writes it to the disk."""

    name = "Apache Kafka"
    variable = "KAFKA_BOOTSTRAP_SERVERS"
    programs = ("java", "mvn")

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def _prepare(self) -> None:
        properties = PROPERTIES.format(broker=self.port, controller=free_port(), data=self.folder / "data")
        self._properties.write_text(properties)
        run([*_java(), "kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", self._properties])

    def _command(self) -> list[str]:
        return [*_java(), "kafka.Kafka", str(self._properties)]

    def _answers(self) -> bool:
        """Whether it has joined its cluster: a client that asked before the port opens would log its failures."""
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            client = AdminClient({"bootstrap.servers": self.address, "log_level": 0})
            return bool(client.list_topics(timeout=5).brokers)
        except (OSError, KafkaException):
            return False

    @property
    def _properties(self) -> Path:
        return self.folder / "kafka.properties"


def _java() -> list[str]:
    return ["java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", *LOGGING, "-cp", f"{jars()}/*"]


def jars() -> Path:
    """Return the folder with Kafka's jars, which Maven fetches once for each state of the pom."""
    version = hashlib.sha256(POM.read_bytes()).hexdigest()[:12]
    return cached(f"kafka-{version}", _fetch)


def _fetch(folder: Path) -> None:
    run(["mvn", "-B", "-q", "-f", POM, "dependency:copy-dependencies", f"-DoutputDirectory={folder}"])
