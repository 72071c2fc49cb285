"""A run of the bench: everything started, checked after each fault, and stopped."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pymongo
from confluent_kafka.admin import AdminClient

from tests.system.faults import ledger
from tests.system.faults.comparison import Comparison
from tests.system.faults.driver import Driver
from tests.system.faults.findings import Finding, Kind
from tests.system.faults.oracle import Entity, Oracle
from tests.system.faults.platform import DATABASE, Platform
from tests.system.faults.processes import Api, Process, manage
from tests.system.faults.tap import TOPICS, Tap

SETTLE_SECONDS = 60
POLL_SECONDS = 0.1
# Writes of all kinds, so that they come by all consumers and partitions.
PROBES = 40


class Bench:
    """The marketplace under load, with oracle, tap and ledger. Made by `opened`."""

    def __init__(self, platform: Platform, folder: Path, seed: int, stack: ExitStack) -> None:
        self.platform = platform
        environment = platform.environment
        for command in (["migrate", "--verbosity", "0"], ["create_indexes"], ["create_topics"]):
            manage(*command, environment=environment)
        ledger.create(platform.tables)
        stack.callback(platform.tables.close)
        self._outbox = self._database(stack).outbox
        self.processes = _processes(environment, folder)
        for process in self.processes.values():
            stack.callback(process.stop)
        for name in ("api", "relay", "consumer-1", "consumer-2"):
            self.processes[name].start()
        self.partitions = broker_partitions(platform.kafka)
        self._tap = stack.enter_context(Tap(platform.kafka))
        self._oracle = Oracle()
        self._comparison = Comparison(self._oracle, self._tap, platform.tables)
        api = self.processes["api"]
        assert isinstance(api, Api)
        self.driver = Driver(seed, api.port, self._oracle, self._database(stack))
        stack.callback(self.driver.close)
        self._reported: set[Finding] = set()
        self._checked = 0

    @property
    def writes(self) -> int:
        """How many writes the API has acknowledged."""
        return self._oracle.writes

    @property
    def repeats(self) -> int:
        """How many events came to Kafka more than once."""
        return self._tap.repeats

    @property
    def types(self) -> dict[str, int]:
        """How many events of each type came to Kafka."""
        return dict(sorted(self._tap.types.items()))

    def recovery(self) -> None:
        """Wait until what is acknowledged from now on is in the tables. Raises TimeoutError."""
        start = self._oracle.writes
        self.driver.wait_for_writes(PROBES, SETTLE_SECONDS)
        wanted = self._oracle.written(start)
        self._wait(lambda: not self._comparison.unfinished(wanted), SETTLE_SECONDS)

    def check(self) -> list[Finding]:
        """Wait until everything has arrived, and return what is wrong with what was written since the last check."""
        written = self._oracle.written(self._checked)
        self._checked = self._oracle.writes
        findings = self._settle(written)
        findings += self._comparison.differences(written)
        findings += [Finding(Kind.WRONG, text) for text in self.driver.session.take_complaints()]
        findings += ledger.doubled(self.platform.tables) + ledger.untiled(self.platform.tables)
        findings += ledger.skipped(self.platform.tables, self._tap.count) + self._missing()
        findings += self._tap.findings() + self.ended()
        return self._new(findings)

    def hear_all(self) -> list[Finding]:
        """Go on until there have been events of all types, and return which there have not."""
        with self.driver.load(), suppress(TimeoutError):
            self._wait(lambda: not self._tap.unheard(), SETTLE_SECONDS)
        return [Finding(Kind.WRONG, f"no event {name} in {self.writes} writes") for name in self._tap.unheard()]

    def check_all(self) -> list[Finding]:
        """Compare everything that there is, from the first write on."""
        findings = self._comparison.differences(self._oracle.entities())
        findings += self._comparison.strangers() + ledger.untiled(self.platform.tables)
        letters = self.platform.tables.query("SELECT topic, error FROM dead_letters")
        findings += [Finding(Kind.WRONG, f"dead letter in {row['topic']}: {row['error']}") for row in letters]
        return self._new(findings)

    def stop(self) -> list[Finding]:
        """Stop all processes as a supervisor does, and return which of them did not end well."""
        findings = [finding for process in self.processes.values() for finding in stopped(process)]
        return findings + self._new(self._missing())

    def _settle(self, waiting: dict[Entity, int]) -> list[Finding]:
        def is_settled() -> bool:
            nonlocal waiting
            waiting = self._comparison.unfinished(waiting)
            arrived = not waiting and self._outbox.find_one({}, {"_id": 1}) is None
            return arrived and ledger.is_heard(self.platform.tables, self._tap)

        try:
            self._wait(is_settled, SETTLE_SECONDS)
        except TimeoutError:
            left = self._outbox.count_documents({})
            text = f"after {SETTLE_SECONDS} s {left} events are in the outbox and {len(waiting)} entities not in SQL"
            return [Finding(Kind.LOST, text)]
        return []

    def _wait(self, condition: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not self._holds(condition):
            if time.monotonic() > deadline:
                raise TimeoutError(f"nothing arrived within {seconds:g} s")
            time.sleep(POLL_SECONDS)

    def _holds(self, condition: Callable[[], bool]) -> bool:
        try:
            return condition()
        except (*self.platform.tables.errors, pymongo.errors.PyMongoError):  # its server is being started again
            return False

    def _missing(self) -> list[Finding]:
        """Return what the consumers have logged of versions that never came to them."""
        logs = {process.name: process.log for process in self.processes.values() if process.role == "consumer"}
        return [
            Finding(Kind.LOST, f"{name}: {line}")
            for name, log in logs.items()
            for line in log.read_text(errors="replace").splitlines()
            if tells_of_missing(line)
        ]

    def ended(self) -> list[Finding]:
        """Return which processes have ended by themselves."""
        return [
            Finding(Kind.WRONG, f"{process.name} ended by itself with {process.exit_code}:\n{process.tail()}")
            for process in self.processes.values()
            if process.exit_code is not None
        ]

    def _new(self, findings: list[Finding]) -> list[Finding]:
        new = [finding for finding in dict.fromkeys(findings) if finding not in self._reported]
        self._reported.update(new)
        return new

    def _database(self, stack: ExitStack) -> Any:
        return stack.enter_context(pymongo.MongoClient[dict[str, Any]](self.platform.mongodb))[DATABASE]


def _processes(environment: dict[str, str], folder: Path) -> dict[str, Process]:
    relay, consumer = ["relay_events"], ["consume_events"]
    processes = [
        Api(environment, folder),
        Process("relay", "relay", relay, environment, folder),
        Process("relay", "relay-standby", relay, environment, folder),
        Process("consumer", "consumer-1", consumer, environment, folder),
        Process("consumer", "consumer-2", consumer, environment, folder),
    ]
    return {process.name: process for process in processes}


def broker_partitions(servers: str) -> int:
    """Return how many partitions the five topics have together."""
    topics = AdminClient({"bootstrap.servers": servers}).list_topics(timeout=30).topics
    return sum(len(topics[name].partitions) for name in TOPICS)


def tells_of_missing(line: str) -> bool:
    """Tell whether a consumer's log line says that versions are missing."""
    found = re.search(r"(\d+) versions missing", line)
    return found is not None and found[1] != "0"


def stopped(process: Process) -> list[Finding]:
    """Stop a process, and return a finding when it did not end well."""
    if not process.is_running:
        return []
    code = process.stop()
    return [] if code == 0 else [Finding(Kind.WRONG, f"{process.name} ended with {code} on SIGTERM:\n{process.tail()}")]


@contextmanager
def opened(platform: Platform, folder: Path, seed: int) -> Iterator[Bench]:
    """Start everything, and end it with the block."""
    with ExitStack() as stack:
        yield Bench(platform, folder, seed, stack)
