"""One batch of Kafka messages in one SQL transaction: rows, dead letters and offsets, all or nothing."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from django.db import DatabaseError, transaction

from analytics import writer
from analytics.bookkeeping import message_digest
from analytics.columns import BadMessage
from analytics.decoding import Event, decode
from analytics.delays import Delays, measured
from analytics.models import DeadLetter
from analytics.offsets import Offsets, OffsetStore, Partition
from analytics.outages import is_bad_value
from analytics.readable import printable
from marketplace import tracing

ERROR_LENGTH = 2000


class Received(NamedTuple):
    """A message as it came from Kafka."""

    partition: Partition
    offset: int
    key: bytes | None
    value: bytes | None
    traceparent: str = ""  # if the trace is recorded


class TooManyBadMessagesError(Exception):
    """More bad messages in a row than a few broken senders explain: somebody should look before they pile up."""


@dataclass(slots=True)
class Batch:
    """Messages as decoded: events to apply, and those that are none, with the reason.

    `bad_in_a_row` counts over batches, so it goes in and comes out.
    """

    bad_in_a_row: int
    events: list[Event] = field(default_factory=list)
    letters: list[tuple[Received, str]] = field(default_factory=list)
    refused: bool = False  # by the database, and not by the decoding
    next_offsets: dict[Partition, int] = field(default_factory=dict)

    def add(self, message: Received, refused: str | None) -> None:
        """Decode one message; `refused` says why the database would not have it."""
        self.next_offsets[message.partition] = message.offset + 1
        self.refused |= refused is not None
        if refused is None:
            try:
                self.events.append(decode(message.partition[0], message.key, message.value))
            except BadMessage as error:
                refused = str(error)
        if refused is not None:
            self.letters.append((message, refused[:ERROR_LENGTH]))
        self.bad_in_a_row = self.bad_in_a_row + 1 if refused is not None else 0


@dataclass(frozen=True, slots=True)
class Stored:
    """What a transaction has done."""

    read: int
    changed: int
    dead: int
    refused: bool  # the one message was, by the database
    gaps: list[writer.Gap]
    bad_in_a_row: int
    next_offsets: Offsets
    delays: Delays
    first_dead: str = ""  # the first dead letter's place and reason
    results: Counter[tuple[str, str]] = field(default_factory=Counter)  # by topic: applied, repeated, dead


def store(
    messages: Sequence[Received], offsets: OffsetStore, expected: Offsets, *, bad_in_a_row: int, bad_limit: int
) -> Stored:
    """Write the messages' rows, dead letters and offsets in one transaction.

    A message that the database refuses becomes a dead letter when it is alone. Among others it makes the whole batch
    fail with an exception that `is_bad_value`: the caller tries fewer. Raises besides FencedError when a partition's
    stored offset is not the expected one, TooManyBadMessagesError, and django.db's exceptions; nothing is written then.
    """
    recorded = [
        ((message.partition, message.offset), message.traceparent) for message in messages if message.traceparent
    ]
    with tracing.applying(recorded, len(messages)) as not_applied:
        batch, stored = _stored(messages, offsets, expected, bad_in_a_row, bad_limit)
        not_applied.update((message.partition, message.offset) for message, _ in batch.letters)
    return stored


def _stored(
    messages: Sequence[Received], offsets: OffsetStore, expected: Offsets, bad_in_a_row: int, bad_limit: int
) -> tuple[Batch, Stored]:
    """Write the messages; a single one that the database refuses in a second transaction, as a dead letter."""
    batch = _decoded(messages, bad_in_a_row, bad_limit)
    try:
        return batch, _write(batch, offsets, expected)
    except DatabaseError as error:
        if len(messages) > 1 or not is_bad_value(error):
            raise
        refused = f"refused by the database: {error}"
    batch = _decoded(messages, bad_in_a_row, bad_limit, refused)
    return batch, _write(batch, offsets, expected)


def _decoded(messages: Sequence[Received], bad_in_a_row: int, bad_limit: int, refused: str | None = None) -> Batch:
    batch = Batch(bad_in_a_row)
    for message in messages:
        batch.add(message, refused)
        if batch.bad_in_a_row > bad_limit:
            raise TooManyBadMessagesError(
                f"{batch.bad_in_a_row} bad messages in a row, the last one at offset {message.offset} of"
                f" {message.partition}: {batch.letters[-1][1]}"
            )
    return batch


def _write(batch: Batch, offsets: OffsetStore, expected: Offsets) -> Stored:
    with transaction.atomic():
        offsets.lock({partition: expected[partition] for partition in batch.next_offsets})
        changed, gaps, repeated = writer.apply(batch.events)
        _bury(batch.letters, offsets.cluster_id)
        offsets.move(batch.next_offsets)
    read, dead = len(batch.events) + len(batch.letters), len(batch.letters)
    # A batch that changes nothing repeats what has been measured before: a new group reads everything again.
    delays = measured([event.written_at for event in batch.events], datetime.now(UTC)) if changed else Delays()
    first = _told(*batch.letters[0]) if batch.letters else ""
    return Stored(
        read,
        changed,
        dead,
        batch.refused,
        gaps,
        batch.bad_in_a_row,
        batch.next_offsets,
        delays,
        first,
        _results(batch, repeated),
    )


def _results(batch: Batch, repeated: Counter[str]) -> Counter[tuple[str, str]]:
    """Count what became of each topic's messages. A topic is named after its entity."""
    results = Counter({(topic, "repeated"): number for topic, number in repeated.items()})
    for topic, number in Counter(event.decoder.projection.entity for event in batch.events).items():
        results[topic, "applied"] = number - repeated[topic]
    for message, _ in batch.letters:
        results[message.partition[0], "dead"] += 1
    return results


def _told(message: Received, error: str) -> str:
    (topic, partition), offset = message.partition, message.offset
    return f"{topic}/{partition}@{offset}: {printable(error)}"


def _bury(letters: list[tuple[Received, str]], cluster_id: str) -> None:
    """Insert dead letters, one statement each: a raw value may be as large as a packet. One that is there stays.

    The lock on the offsets holds for all groups, so nobody else inserts a letter of these partitions meanwhile.
    """
    made = [
        DeadLetter(
            cluster_id=cluster_id,
            topic=message.partition[0],
            partition=message.partition[1],
            offset=message.offset,
            digest=message_digest(message.key, message.value),
            key=message.key,
            value=message.value,
            error=error,
        )
        for message, error in letters
    ]
    known = _known(made, cluster_id)
    DeadLetter.objects.bulk_create([letter for letter in made if _name(letter) not in known], batch_size=1)


def _known(letters: list[DeadLetter], cluster_id: str) -> set[tuple[str, int, int, str]]:
    """Return the names of letters that are there already. After a topic was made anew, an offset has several."""
    wanted: dict[Partition, list[int]] = {}
    for letter in letters:
        wanted.setdefault((letter.topic, letter.partition), []).append(letter.offset)
    return {
        row
        for (topic, partition), offsets in wanted.items()
        for row in DeadLetter.objects.filter(
            cluster_id=cluster_id, topic=topic, partition=partition, offset__in=offsets
        ).values_list("topic", "partition", "offset", "digest")
    }


def _name(letter: DeadLetter) -> tuple[str, int, int, str]:
    return letter.topic, letter.partition, letter.offset, letter.digest
