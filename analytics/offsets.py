"""The consumer's own offsets, in the database beside the rows that they answer for.

They move in the transaction that writes the rows. Its first lock is on them, so of two consumers that both believe to
own a partition, the second one finds another offset than it expects, and writes nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django.db.models import Q

from analytics.models import ConsumerOffset
from analytics.tables import Table

Partition = tuple[str, int]  # topic and number
Offsets = Mapping[Partition, int]

_OFFSETS: Final = Table(ConsumerOffset, ("cluster_id", "topic", "partition", "group_id", "next_offset"), key_columns=4)


class FencedError(Exception):
    """Another consumer has moved these partitions' offsets."""

    def __init__(self, partitions: set[Partition]) -> None:
        self.partitions = partitions
        super().__init__(f"offsets moved by another consumer: {sorted(partitions)}")


def lock_topic(topic: str) -> None:
    """Let nobody project this topic until the end of the transaction: every batch begins with a lock on these rows.

    Consumers that have no rows yet wait before they add them.
    """
    _close_gate(topic)
    clusters = ConsumerOffset.objects.filter(topic=topic).values_list("cluster_id", flat=True).distinct()
    rows = ConsumerOffset.objects.select_for_update().filter(cluster_id__in=sorted(clusters), topic=topic)
    list(rows.order_by("cluster_id", "topic", "partition", "group_id").values_list("next_offset"))


def _close_gate(topic: str) -> None:
    """Lock a row that stands for all offsets that a topic does not have yet: there is nothing else to lock.

    No group has an empty name, so it is nobody's offset.
    """
    gate = ConsumerOffset(cluster_id="", topic=topic, partition=-1, group_id="", next_offset=0)
    locked = ConsumerOffset.objects.select_for_update().filter(pk=gate.pk)
    if locked.first() is None:
        ConsumerOffset.objects.bulk_create([gate], ignore_conflicts=True)
        locked.get()


@dataclass(frozen=True, slots=True)
class OffsetStore:
    """The offsets of one group in one cluster. A cluster that starts anew has a new id, and no offsets."""

    group: str
    cluster_id: str

    def load(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """Return the next offset of each partition that has one."""
        rows = ConsumerOffset.objects.filter(self._rows(partitions), group_id=self.group)
        return {
            (topic, number): offset for topic, number, offset in rows.values_list("topic", "partition", "next_offset")
        }

    def has_other_cluster(self) -> bool:
        """Tell whether this group has read another cluster."""
        return ConsumerOffset.objects.filter(group_id=self.group).exclude(cluster_id=self.cluster_id).exists()

    @transaction.atomic
    def create(self, offsets: Offsets) -> None:
        """Store offsets of partitions that have none; an existing one stays. Waits for who has locked the topics."""
        for topic in sorted({topic for topic, _ in offsets}):
            _close_gate(topic)
        ConsumerOffset.objects.bulk_create(
            [
                ConsumerOffset(
                    cluster_id=self.cluster_id, topic=topic, partition=number, group_id=self.group, next_offset=offset
                )
                for (topic, number), offset in sorted(offsets.items())
            ],
            ignore_conflicts=True,
        )

    def reset(self, partition: Partition, stored: int, start: int) -> None:
        """Set an offset that no longer exists in the partition. Another consumer's reset in between stands."""
        ConsumerOffset.objects.filter(self._rows([partition]), group_id=self.group, next_offset=stored).update(
            next_offset=start
        )

    def lock(self, expected: Offsets) -> None:
        """Lock the partitions until the end of the transaction. Raises FencedError when an offset is not as expected.

        Rows of other groups are locked along: two groups that project the same partition take turns.
        """
        rows = ConsumerOffset.objects.select_for_update().filter(self._rows(expected))
        found = {
            (topic, number): offset
            for topic, number, group, offset in rows.order_by("topic", "partition", "group_id").values_list(
                "topic", "partition", "group_id", "next_offset"
            )
            if group == self.group
        }
        if moved := {partition for partition, offset in expected.items() if found.get(partition) != offset}:
            raise FencedError(moved)

    def move(self, offsets: Offsets) -> None:
        """Set the next offsets of locked partitions."""
        _OFFSETS.upsert(
            [[self.cluster_id, *partition, self.group, offset] for partition, offset in sorted(offsets.items())]
        )

    def _rows(self, partitions: Iterable[Partition]) -> Q:
        wanted = Q()
        for topic, number in sorted(partitions):
            wanted |= Q(topic=topic, partition=number)
        return wanted & Q(cluster_id=self.cluster_id) if wanted else Q(pk__in=[])
