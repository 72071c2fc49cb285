"""Counts, in a consumer's own transactions, the messages that it stores between two offsets of a partition.

The offsets alone do not show a message that was skipped: they move on all the same.
"""

import functools
from collections import Counter
from collections.abc import Sequence
from typing import Any

COUNTED = "bench_counted"


def install() -> None:
    """Wrap what stores a batch; the production code knows nothing of it. Needs Django's settings."""
    from analytics import consumer, offsets  # noqa: PLC0415  # needs the settings

    store, move = consumer.store, offsets.OffsetStore.move
    batch: list[tuple[Sequence[Any], dict[Any, int]]] = []  # the one that is being stored: there is one thread for it

    @functools.wraps(store)
    def storing(messages: Sequence[Any], of: Any, expected: Any, **options: Any) -> Any:
        batch[:] = [(messages, expected)]
        return store(messages, of, expected, **options)

    @functools.wraps(move)
    def moving(self: offsets.OffsetStore, following: offsets.Offsets) -> None:
        messages, expected = batch[0]
        _count(messages, expected, following)
        move(self, following)

    setattr(consumer, "store", storing)  # noqa: B010  # mypy takes it for a mistake otherwise
    setattr(offsets.OffsetStore, "move", moving)  # noqa: B010


def _count(messages: Sequence[Any], expected: dict[Any, int], following: Any) -> None:
    from django.db import connection  # noqa: PLC0415  # needs the settings

    numbers = Counter(message.partition for message in messages)
    rows = [(*partition, expected[partition], end, numbers[partition]) for partition, end in following.items()]
    insert = f"INSERT INTO {COUNTED} (topic, number, start, next, messages) VALUES (%s, %s, %s, %s, %s)"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.executemany(insert, rows)
