"""What a consumer keeps in memory: its place in each partition, what is read but not stored yet, what it has done."""

from collections.abc import Collection
from dataclasses import dataclass, field

from analytics.batches import Received, Stored
from analytics.offsets import Offsets, Partition

# So many gaps are named in a report; the rest is counted.
NAMED_GAPS = 5


@dataclass(slots=True)
class Counts:
    """What a consumer has done since it started."""

    read: int = 0
    changed: int = 0
    dead: int = 0
    fenced: int = 0
    outages: int = 0
    gaps: int = 0

    def add(self, stored: Stored) -> None:
        """Count what a transaction has done."""
        self.read += stored.read
        self.changed += stored.changed
        self.dead += stored.dead
        self.gaps += sum(gap.missing for gap in stored.gaps)

    def __str__(self) -> str:
        return (
            f"{self.read} events read, {self.changed} entities changed, {self.dead} dead letters,"
            f" {self.fenced} times fenced, {self.outages} failed attempts, {self.gaps} versions missing"
        )


@dataclass(slots=True)
class Progress:
    """Where the consumer stands. A partition is in `waiting` (paused) until its offset has been looked up.

    `ends` are the ends of partitions as Kafka has told them after the last message. They may lie behind `positions`:
    the records that end a producer's transaction take offsets and are never delivered.
    """

    waiting: set[Partition] = field(default_factory=set)
    positions: dict[Partition, int] = field(default_factory=dict)
    targets: dict[Partition, int] = field(default_factory=dict)
    ends: dict[Partition, int] = field(default_factory=dict)
    announced: dict[Partition, int] = field(default_factory=dict)
    pending: list[Received] = field(default_factory=list)
    assigned: bool = False

    def begin(self, partition: Partition, start: int, target: int) -> None:
        """Read a partition on from `start`. The `target` of its first assignment stands."""
        self.positions[partition] = start
        self.targets.setdefault(partition, target)
        self.waiting.discard(partition)

    def forget(self, partitions: Collection[Partition]) -> None:
        """Drop what was read of partitions that are not ours any more, or not at the offset we thought."""
        self.waiting.difference_update(partitions)
        for partition in partitions:
            for known in (self.positions, self.ends, self.announced):
                known.pop(partition, None)
        self.pending = [message for message in self.pending if message.partition not in partitions]

    def stored(self, next_offsets: Offsets) -> None:
        """Move on behind a stored batch. What was revoked meanwhile, and maybe assigned again, stays forgotten."""
        for partition, offset in next_offsets.items():
            if partition in self.positions:
                self.positions[partition] = offset
        self.pending = [message for message in self.pending if message.offset >= self.positions[message.partition]]

    def reached(self) -> dict[Partition, int]:
        """Return how far each partition is stored, with the offsets at its end that hold no message."""
        unfinished = {message.partition for message in self.pending}
        return {
            partition: offset if partition in unfinished else max(offset, self.ends.get(partition, 0))
            for partition, offset in self.positions.items()
        }

    def caught_up(self) -> bool:
        """Tell whether all assigned partitions are stored up to where they ended when they were assigned."""
        if not self.assigned or self.waiting or self.pending:
            return False
        return all(offset >= self.targets.get(partition, 0) for partition, offset in self.reached().items())

    def news(self) -> dict[Partition, int]:
        """Return what observers have not been told yet, and take it as told."""
        news = {p: offset for p, offset in self.reached().items() if self.announced.get(p) != offset}
        self.announced |= news
        return news
