"""What processes use: CPU time, memory, connections and bytes on the disk. CPU time says the same on a busy machine."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import psutil
from confluent_kafka import Consumer, TopicPartition
from django.conf import settings
from django.db import connection

from marketplace import mongo
from marketplace.events.catalogue import TOPICS

MIB = 1 << 20
ROLES = {"mongod": "MONGODB_URL", "Kafka": "KAFKA_BOOTSTRAP_SERVERS", "SQL server": "DATABASE_URL"}


def server(address: str) -> psutil.Process:
    """Return the process on this machine that listens at an address, `host:port` or a URL. Raises RuntimeError."""
    port = urlsplit(address if "://" in address else f"//{address}").port
    for found in psutil.net_connections("tcp"):
        if found.status == psutil.CONN_LISTEN and found.laddr.port == port and found.pid:
            return psutil.Process(found.pid)
    raise RuntimeError(f"nothing on this machine listens on port {port}: run this beside servers of its own")


def cpu_seconds(process: psutil.Process) -> float:
    """Return the CPU time that a process has used since its start."""
    return float(sum(process.cpu_times()[:2]))


class Usage(dict[str, float]):
    """CPU seconds by role."""

    def per_thousand(self, number: int) -> dict[str, float]:
        """Return the CPU seconds of a thousand, when so many have been done."""
        return {role: 1000 * seconds / number for role, seconds in self.items()}


@contextmanager
def measured(processes: Mapping[str, psutil.Process]) -> Iterator[Usage]:
    """Give what the processes use within the block, known at its end."""
    usage, before = Usage(), {role: cpu_seconds(process) for role, process in processes.items()}
    yield usage
    usage.update({role: cpu_seconds(process) - before[role] for role, process in processes.items()})


class Footprint(NamedTuple):
    """A process's memory in MiB, and its connections to each server."""

    resident: float
    connections: dict[str, int]


def footprint(process: psutil.Process, servers: Mapping[str, psutil.Process]) -> Footprint:
    """Return what a process holds just now."""
    ports = {role: _listening(one) for role, one in servers.items()}
    open_to = [one.raddr.port for one in process.net_connections("tcp") if one.status == psutil.CONN_ESTABLISHED]
    counts = {role: sum(port in listening for port in open_to) for role, listening in ports.items()}
    return Footprint(process.memory_info().rss / MIB, counts)


def _listening(process: psutil.Process) -> set[int]:
    found = process.net_connections("tcp")
    return {one.laddr.port for one in found if one.status == psutil.CONN_LISTEN}


def mongodb_bytes(*collections: str) -> tuple[int, int]:
    """Return the bytes of all documents of collections as BSON, and of their compressed files with all indexes."""
    mongo.client().admin.command("fsync")
    stats = [mongo.database().command("collStats", name) for name in collections]
    return sum(one["size"] for one in stats), sum(one["totalSize"] for one in stats)


def sql_bytes(*tables: str) -> int:
    """Return the bytes of tables with their indexes, as MySQL and MariaDB tell."""
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE TABLE {', '.join(tables)}")
        cursor.fetchall()
        cursor.execute(
            "SELECT SUM(data_length + index_length) FROM information_schema.tables"
            " WHERE table_schema = DATABASE() AND table_name IN %s",
            [tables],
        )
        return int(cursor.fetchone()[0])


def kafka_bytes(broker: psutil.Process) -> int:
    """Return the bytes of the topics in the broker's log folder, which its properties file names."""
    text = Path(broker.cmdline()[-1]).read_text()
    [folder] = [line.partition("=")[2] for line in text.splitlines() if line.startswith("log.dirs=")]
    return sum(
        file.stat().st_size for topic in TOPICS for file in Path(folder).glob(f"{topic}-*/*.log") if file.is_file()
    )


def ends() -> dict[TopicPartition, int]:
    """Return the offset behind the last record of each partition that has one."""
    reader = Consumer({"bootstrap.servers": settings.KAFKA_BOOTSTRAP_SERVERS, "group.id": "bench-ends"})
    known = reader.list_topics(timeout=10).topics
    found = {
        TopicPartition(topic, number): reader.get_watermark_offsets(TopicPartition(topic, number), timeout=10)[1]
        for topic in TOPICS
        for number in known[topic].partitions
    }
    reader.close()
    return {partition: end for partition, end in found.items() if end > 0}
