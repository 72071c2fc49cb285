"""Consumers that come, go and die while events keep arriving."""

import os
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.analytics.conftest import Produce
from tests.analytics.events import event, new_id
from tests.analytics.processes import ConsumerProcess, Tables, until

ENTITIES = 300
CONSUMERS = 3
SECONDS_BETWEEN = 5
SECONDS = float(os.environ.get("REBALANCE_SECONDS", "40"))  # for longer runs


class Load:
    """Produces new versions of some users without pause, and knows the newest of each."""

    def __init__(self, produce: Produce, seed: int) -> None:
        self._produce = produce
        self._chance = random.Random(seed)
        self.versions: dict[str, int] = {}
        self._ids = [new_id() for _ in range(ENTITIES)]
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._done.wait(0.1):
            self._produce([self._next(self._chance.choice(self._ids)) for _ in range(40)])

    def _next(self, user_id: str) -> dict[str, Any]:
        version = self.versions[user_id] = self.versions.get(user_id, 0) + 1
        return event("user.created" if version == 1 else "user.updated", user_id, version, display_name=f"v{version}")

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


def test_three_consumers_of_which_one_comes_or_goes_every_five_seconds(
    tables: Tables, produce: Produce, group: str, tmp_path: Path
) -> None:
    seed = int(os.environ.get("REBALANCE_SEED", "0")) or random.randrange(1, 10**6)
    crew = Crew(lambda number: ConsumerProcess(tables, group, tmp_path / f"consumer-{number}.log"), seed)
    try:
        for _ in range(CONSUMERS):
            crew.join()
        with Load(produce, seed) as load:
            ends_at = time.monotonic() + SECONDS
            while time.monotonic() < ends_at:
                time.sleep(SECONDS_BETWEEN)  # the pace of the changes
                crew.change()
        if not crew.members:
            crew.join()
        until(lambda: load.versions.items() <= tables.versions("users").items(), 90)
        for member in crew.members:
            member.terminate()
    finally:
        for member in crew.members:
            member.kill()
    about = f"REBALANCE_SEED={seed}: {crew.changes}"
    found = dict(tables.rows("SELECT user_id, display_name FROM users"))
    assert {user_id: found[user_id] for user_id in load.versions} == {
        user_id: f"v{version}" for user_id, version in load.versions.items()
    }, about
    assert tables.check_batches() > len(crew.changes), about
    assert {"join"} < set(crew.changes), about
