"""What the tests of outages share: servers of their own, a consumer process, and events that have to arrive."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from confluent_kafka.admin import AdminClient
from django.db import connection

from marketplace.embedded.kafka import EmbeddedKafka
from tests.analytics.conftest import produce_to
from tests.analytics.events import event, new_id
from tests.servers.kafka import Kafka
from tests.servers.mariadb import MariaDb
from tests.servers.mysql import MySql
from tests.servers.sql import SqlServer
from tests.system.faults.processes import Process
from tests.waiting import until

# How soon after an outage everything has to be where it belongs.
RESUME_SECONDS = 10


def sql_server() -> type[SqlServer]:
    """Return the kind of server that DATABASE_URL names, or MariaDB. It may have to ask that one."""
    is_mysql = connection.vendor == "mysql" and not connection.mysql_is_mariadb
    connection.close()
    return MySql if is_mysql else MariaDb


@contextmanager
def broker(folder: Path) -> Iterator[str]:
    """Run Apache Kafka, or the embedded broker where there is none; give its address."""
    if not Kafka.missing():
        with Kafka(folder) as kafka:
            yield kafka.address
    else:
        embedded = EmbeddedKafka()
        yield embedded.start()
        embedded.stop()


class EventConsumer(Process):
    """`consume_events` as a process of its own."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        super().__init__("consumer", "consumer", ["consume_events"], environment, folder)

    def _command(self, _point: str | None) -> list[str]:
        """Leave the launcher out, which counts what is stored: the tables have nothing for that here."""
        return [sys.executable, "manage.py", *self._arguments]

    def times_logged(self, text: str) -> int:
        """Return how often its log has the text."""
        return self.log.read_text().count(text)

    def wait_for(self, text: str, times: int = 1) -> None:
        """Wait until it logs the text so many times from now on."""
        before = self.times_logged(text)
        until(lambda: self.times_logged(text) >= before + times, 60, f"{text!r} in:\n{self.tail(40)}")


class Traffic:
    """Users who sign up while servers come and go."""

    def __init__(self, broker: str, consumer: EventConsumer, count: Callable[[str], int]) -> None:
        self.consumer = consumer
        self.sent: list[str] = []
        self._produce = produce_to(broker)
        self._count = count  # the rows of a table

    def send(self, number: int = 20) -> None:
        """Produce so many events."""
        ids = [new_id() for _ in range(number)]
        self._produce(event("user.created", user_id) for user_id in ids)
        self.sent += ids

    def repeat(self, user_id: str) -> None:
        """Produce an event of a user who is known already."""
        self._produce([event("user.created", user_id)])

    def check_arrival(self) -> None:
        """Check that the consumer goes on as if nothing had been: the same member, every row, no dead letter."""
        consumer = self.consumer
        until(lambda: self._count("users") == len(self.sent), RESUME_SECONDS, f"all rows, with\n{consumer.tail(30)}")
        assert consumer.is_running, consumer.tail(30)
        assert consumer.times_logged("more partitions assigned") == 1, "it has left its group"
        assert self._count("dead_letters") == 0


def members(broker: str, group: str) -> list[str]:
    """Return the ids of a group's members; none where Java is missing: the embedded broker cannot be asked."""
    if Kafka.missing():
        return []
    client = AdminClient({"bootstrap.servers": broker, "log_level": 0})
    described = client.describe_consumer_groups([group])[group].result()
    return [member.member_id for member in described.members]
