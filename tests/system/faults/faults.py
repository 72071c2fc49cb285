"""Which faults there are, and in which order a run does them."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.system.faults.points import POINTS, Point

PROCESSES = {"api": "API", "relay": "relay", "consumer": "consumer"}
SERVERS = {"mongod": "mongod", "kafka": "Kafka", "mariadb": "MariaDB", "mysql": "MySQL"}
SQL = {"mariadb", "mysql"}


@dataclass(frozen=True)
class Fault:
    """A kill of a victim: at a point, or at a random moment. `title` is its row in the table.

    A zombie is not killed but stopped, and goes on when others have done its work.
    """

    victim: str
    title: str
    point: str | None = None
    # Whether another process of the victim's kind stands by and takes over.
    has_standby: bool = False
    is_zombie: bool = False
    # Nothing is killed: the consumers' offsets in SQL are set back, and events come again.
    is_rewind: bool = False

    @property
    def names(self) -> set[str]:
        """What it can be chosen by."""
        kinds = {"zombie": self.is_zombie, "standby": self.has_standby, "rewind": self.is_rewind}
        return {self.victim, self.point or self.victim} | {kind for kind, is_so in kinds.items() if is_so}

    @property
    def code(self) -> Point | None:
        """Where in the code it is."""
        return POINTS[self.point] if self.point else None


def known(servers: Sequence[str]) -> list[Fault]:
    """Return all faults, of these servers."""
    at_points = [Fault(point.role, f"{PROCESSES[point.role]}: {point.says}", name) for name, point in POINTS.items()]
    at_random = [Fault(name, f"{title}: any moment") for name, title in (PROCESSES | SERVERS).items()]
    rewind = Fault("consumer", "consumer: offsets set back", is_rewind=True)
    standby = Fault("relay", "relay: any moment, a standby takes over", has_standby=True)
    zombies = [
        Fault("consumer", "consumer: stopped with a batch, wakes up later", "consumer-decoded", is_zombie=True),
        Fault("relay", "relay: stopped with a batch, wakes up later", "relay-read", has_standby=True, is_zombie=True),
    ]
    # SQLite has one lock for all: who stops in a transaction stops everybody.
    zombies = zombies if SQL & set(servers) else []
    return [
        fault for fault in (*at_points, *at_random, standby, rewind, *zombies) if fault.victim in (*PROCESSES, *servers)
    ]


def sequence(faults: Sequence[Fault], number: int, rng: random.Random) -> Iterator[Fault]:
    """Yield so many faults: the victims in turns, and of each victim all its faults before one comes again."""
    victims = sorted({fault.victim for fault in faults})
    waiting: dict[str, list[Fault]] = {victim: [] for victim in victims}
    turns: list[str] = []
    for _ in range(number):
        turns = turns or rng.sample(victims, len(victims))
        victim = turns.pop()
        of_victim = [fault for fault in faults if fault.victim == victim]
        waiting[victim] = waiting[victim] or rng.sample(of_victim, len(of_victim))
        yield waiting[victim].pop()
