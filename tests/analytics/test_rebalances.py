"""Consumers that come, go and die while events keep arriving."""

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tests.analytics.conftest import Produce, produce_to
from tests.analytics.events import new_id
from tests.analytics.processes import ConsumerProcess, Tables, ends
from tests.analytics.streams import state_event
from tests.servers.kafka import Kafka
from tests.waiting import until

ENTITIES = 60  # of each kind
CONSUMERS = 3
SECONDS_BETWEEN = 3
SECONDS = float(os.environ.get("REBALANCE_SECONDS", "12"))  # for longer runs
PARTITIONS = 6  # as create_topics makes them; the embedded broker has 4
KEYS = {"user": "users", "supplier": "suppliers", "product": "products", "order": "orders", "post": "posts"}
CHILDREN = {"product": "product_variants", "order": "order_items"}


@pytest.fixture
def broker(kafka: str, tmp_path: Path) -> Iterator[str]:
    """The address of a broker: the embedded one, or an Apache Kafka of this test alone, for its partitions."""
    if "KAFKA_BOOTSTRAP_SERVERS" not in os.environ:
        yield kafka
        return
    with Kafka(tmp_path / "kafka") as server:
        create = [sys.executable, "manage.py", "create_topics", f"--partitions={PARTITIONS}", "--verbosity=0"]
        environment = os.environ | {"KAFKA_BOOTSTRAP_SERVERS": server.address}
        subprocess.run(create, env=environment, cwd=settings.BASE_DIR, check=True)
        yield server.address


class Load:
    """Produces new versions of entities of all kinds without pause, and knows the newest of each."""

    def __init__(self, produce: Produce, seed: int) -> None:
        self._produce = produce
        self._chance = random.Random(seed)
        self.versions: dict[str, dict[str, int]] = {entity: {} for entity in KEYS}
        self._entities = [(entity, new_id()) for entity in KEYS for _ in range(ENTITIES)]
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._done.wait(0.1):
            self._produce([self._next(*self._chance.choice(self._entities)) for _ in range(40)])

    def _next(self, entity: str, entity_id: str) -> dict[str, Any]:
        version = self.versions[entity][entity_id] = self.versions[entity].get(entity_id, 0) + 1
        return state_event(entity, entity_id, version)

    def is_in(self, tables: Tables) -> bool:
        """Tell whether the newest version of each entity is there."""
        return all(self.versions[entity].items() <= tables.versions(table).items() for entity, table in KEYS.items())

    def __enter__(self) -> "Load":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()


class Crew:
    """Consumers of one group; every change is one to them that may happen to real ones."""

    def __init__(self, start: Callable[[int], ConsumerProcess], seed: int) -> None:
        self._start = start
        self._chance = random.Random(seed)
        self._started = 0
        self.members: list[ConsumerProcess] = []
        self.changes: list[str] = []

    def join(self) -> None:
        self._started += 1
        self.members.append(self._start(self._started))

    def change(self) -> None:
        """Have one join when there are too few; else have one leave or die."""
        short = len(self.members) < CONSUMERS
        self.changes.append("join" if short else self._chance.choice(["leave", "die"]))
        if short:
            self.join()
            return
        member = self.members.pop(self._chance.randrange(len(self.members)))
        member.terminate() if self.changes[-1] == "leave" else member.kill()


def rows(tables: Tables, load: Load) -> dict[str, list[tuple[Any, ...]]]:
    """Return all columns of the load's rows, but for the numbers that the database gives."""
    found = {}
    for entity, table in (*KEYS.items(), *CHILDREN.items()):
        names = [column.name for column in columns(tables, table) if column.name != "id"]
        position = names.index(f"{entity}_id")
        every = tables.rows(f"SELECT {', '.join(names)} FROM {table}")  # noqa: S608
        found[table] = sorted((row for row in every if row[position] in load.versions[entity]), key=repr)
    return found


def columns(tables: Tables, table: str) -> Any:
    with tables.connection.cursor() as cursor:
        return tables.connection.introspection.get_table_description(cursor, table)


@pytest.fixture
def seed() -> int:
    """The seed of the changes, printed: pytest shows that when the test fails, wherever it does."""
    seed = int(os.environ.get("REBALANCE_SEED", "0")) or random.randrange(1, 10**6)
    sys.stdout.write(f"REBALANCE_SEED={seed}\n")
    return seed


def disturbed(crew: Crew, load: Load, tables: Tables) -> None:
    """Have consumers come and go under load, until the tables show all of it."""
    try:
        for _ in range(CONSUMERS):
            crew.join()
        with load:
            ends_at = time.monotonic() + SECONDS
            while time.monotonic() < ends_at:
                time.sleep(SECONDS_BETWEEN)  # the pace of the changes
                crew.change()
        if not crew.members:
            crew.join()
        until(lambda: load.is_in(tables), 90)
        for member in crew.members:
            member.terminate()
    finally:
        for member in crew.members:
            member.kill()


def test_consumers_that_come_and_go_leave_what_one_alone_does(
    tables: Tables, broker: str, group: str, tmp_path: Path, seed: int
) -> None:
    tables.environment["KAFKA_BOOTSTRAP_SERVERS"] = broker
    begin = ends(broker)
    crew = Crew(lambda number: ConsumerProcess(tables, group, tmp_path / f"consumer-{number}.log"), seed)
    load = Load(produce_to(broker), seed)
    disturbed(crew, load, tables)
    assert tables.check_batches(begin) > len(crew.changes), crew.changes
    assert {"join"} < set(crew.changes)
    (tmp_path / "quiet").mkdir()
    quiet = Tables(tmp_path / "quiet", os.environ.get("DATABASE_URL", ""))
    try:
        quiet.environment["KAFKA_BOOTSTRAP_SERVERS"] = broker
        alone = ConsumerProcess(quiet, group, tmp_path / "quiet.log", "", "--once")
        assert alone.process.wait(90) == 0, alone.log
        expected = rows(quiet, load)
    finally:
        quiet.close()
    assert all(expected.values())
    assert rows(tables, load) == expected, crew.changes
