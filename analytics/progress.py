"""What a consumer keeps in memory: its place in each partition, what is read but not stored yet, what it has done."""

from dataclasses import dataclass, field

from analytics.batches import Received
from analytics.offsets import Partition


@dataclass(slots=True)
class Counts:
    """What a consumer has done since it started."""

    read: int = 0
    changed: int = 0
    dead: int = 0
    fenced: int = 0
    outages: int = 0

    def __str__(self) -> str:
        return (
            f"{self.read} events read, {self.changed} entities changed, {self.dead} dead letters,"
            f" {self.fenced} times fenced, {self.outages} failed attempts"
        )


@dataclass(slots=True)
class Progress:
    """Where the consumer stands. A partition is in `waiting` (paused) until its offset has been looked up."""

    waiting: set[Partition] = field(default_factory=set)
    positions: dict[Partition, int] = field(default_factory=dict)
    targets: dict[Partition, int] = field(default_factory=dict)
    pending: list[Received] = field(default_factory=list)
    assigned: bool = False

    def forget(self, partitions: set[Partition]) -> None:
        """Drop what was read of partitions that are not ours any more, or not at the offset we thought."""
        self.waiting -= partitions
        for partition in partitions:
            self.positions.pop(partition, None)
        self.pending = [message for message in self.pending if message.partition not in partitions]

    def caught_up(self) -> bool:
        """Tell whether all assigned partitions are stored up to where they ended when they were assigned."""
        if not self.assigned or self.waiting or self.pending:
            return False
        return all(offset >= self.targets.get(partition, 0) for partition, offset in self.positions.items())
