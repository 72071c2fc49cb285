"""A million events waiting and a database that keeps stopping: the consumer's memory, its place in the group, its rate.

Starts servers of its own, real ones, because the database's process is stopped (SIGSTOP) and let go on, as a
machine that is short of everything would do it: half of each second at first, once for longer than
max.poll.interval.ms, half of each second again.
"""

import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson
import psutil
from bson import ObjectId
from confluent_kafka import Producer

from benchmarks.report import as_markdown
from tests.analytics.events import event
from tests.servers.kafka import Kafka
from tests.servers.mariadb import MariaDb
from tests.servers.sql import SqlServer

ROOT = Path(__file__).parent.parent
MIB = 1 << 20
LIMIT_MIB = 300
# One event in so many is an order of three lines; the others are of users.
ORDERS = 5
# Longer than max.poll.interval.ms (60 s), and once in this share of the work.
LONG_PAUSE_SECONDS = 70.0
LONG_PAUSE_AT = 0.2
DUTY_SECONDS = 0.5
STALL_SECONDS = 300.0


@dataclass(frozen=True)
class Outcome:
    """What the run has shown."""

    events: int
    seconds: float
    peak_mib: float
    assignments: int
    revocations: int
    exit_code: int

    @property
    def meets(self) -> bool:
        """Whether it drained, within its memory, without ever losing its partitions."""
        kept_its_place = self.assignments == 1 and self.revocations == 1  # the one at its end
        return kept_its_place and self.peak_mib < LIMIT_MIB and self.exit_code == 0

    def table(self) -> str:
        """Return the figures as a Markdown table."""
        header = ["events", "time", "most memory", "assignments", "revocations", "exit code", "wanted", ""]
        figures = [self.events, f"{self.seconds:.0f} s", f"{self.peak_mib:.0f} MiB", self.assignments, self.revocations]
        wanted = f"below {LIMIT_MIB} MiB, one assignment, exit code 0"
        cells = [*map(str, figures), str(self.exit_code), wanted, "met" if self.meets else "**not met**"]
        return as_markdown(header, [cells])


def backlog(events: int, long_pause: float = LONG_PAUSE_SECONDS) -> Outcome:
    """Let `events` wait in Kafka, start a consumer on a slow database, and watch it until it has stored them all."""
    with tempfile.TemporaryDirectory(prefix="marketplace-backlog-") as name:
        folder = Path(name)
        with MariaDb(folder / "sql") as database, Kafka(folder / "kafka") as broker:
            environment = os.environ | {
                "DATABASE_URL": database.address,
                "KAFKA_BOOTSTRAP_SERVERS": broker.address,
                "DJANGO_SETTINGS_MODULE": "tests.settings",
                "PYTHONUNBUFFERED": "1",
            }
            for command in ("migrate", "create_topics"):
                subprocess.run([sys.executable, "manage.py", command, "-v0"], cwd=ROOT, env=environment, check=True)
            _produce(broker.address, events)
            return _drain(database, environment, folder / "consumer.log", events, long_pause)


def _produce(servers: str, events: int) -> None:
    """Fill the topics with users and orders, each event of an entity of its own."""
    producer = Producer({"bootstrap.servers": servers, "compression.type": "lz4", "linger.ms": 50})
    templates = {topic: event(f"{topic}.created", "0" * 24) for topic in ("user", "order")}
    texts = {topic: orjson.dumps(template).decode() for topic, template in templates.items()}
    for number in range(events):
        topic = "order" if number % ORDERS == 0 else "user"
        key = str(ObjectId())
        text = texts[topic].replace("0" * 24, key).replace(templates[topic]["event_id"], str(uuid.uuid4()))
        while True:
            try:
                producer.produce(topic, text, key)
                break
            except BufferError:
                producer.poll(0.1)
        producer.poll(0)
    if producer.flush(60):
        raise RuntimeError("the broker did not take the events")


def _drain(database: SqlServer, environment: dict[str, str], log: Path, events: int, long_pause: float) -> Outcome:
    begun = time.monotonic()
    with log.open("w") as output:
        consumer = subprocess.Popen(
            [sys.executable, "manage.py", "consume_events", "--once", "--group", "backlog"],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=output,
        )
    peak = 0.0
    with _slow(database, log, events, long_pause):
        while consumer.poll() is None:
            peak = max(peak, psutil.Process(consumer.pid).memory_info().rss / MIB)
            if time.monotonic() - begun > events / 200 + long_pause + STALL_SECONDS:
                consumer.kill()
            time.sleep(0.1)  # a sampling interval
    text = log.read_text()
    return Outcome(
        events=_read(text),
        seconds=time.monotonic() - begun,
        peak_mib=peak,
        assignments=text.count("more partitions assigned"),
        revocations=text.count("partitions revoked"),
        exit_code=consumer.returncode,
    )


def _read(log: str) -> int:
    """Return how many events the consumer has reported as read."""
    return int((re.findall(r"(\d+) events read", log) or ["0"])[-1])


@contextmanager
def _slow(database: SqlServer, log: Path, events: int, long_pause: float) -> Iterator[None]:
    """Stop the database half of the time, and once for long, for the length of the block."""
    done = threading.Event()

    def disturb() -> None:
        pauses = iter([long_pause])
        while not done.wait(DUTY_SECONDS):
            is_due = _read(log.read_text()) >= LONG_PAUSE_AT * events
            database.pause()
            try:
                done.wait(next(pauses, DUTY_SECONDS) if is_due else DUTY_SECONDS)
            finally:
                database.resume()

    disturber = threading.Thread(target=disturb)
    disturber.start()
    try:
        yield
    finally:
        done.set()
        disturber.join()
