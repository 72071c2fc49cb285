"""The consumer's own tables: how far it is, what is deleted, which messages were bad, and what people did about those.

Nobody queries them but this app; the tables for analysts are in `models.py`.
"""

import hashlib
from typing import Final

from django.db import models

from analytics.fields import ID_LENGTH, KeyField, LineField, ProseField


class ConsumerOffset(models.Model):
    """How far a group has read one partition: moves in the transaction that writes the rows.

    The key begins with the partition, so that groups that read the same partition lock neighbouring rows in one order.
    """

    pk = models.CompositePrimaryKey("cluster_id", "topic", "partition", "group_id")
    cluster_id = KeyField(max_length=100)
    topic = KeyField(max_length=249)
    partition = models.IntegerField()
    group_id = KeyField(max_length=255)
    next_offset = models.BigIntegerField()

    class Meta:
        db_table = "consumer_offsets"

    def __str__(self) -> str:
        return f"{self.group_id}: {self.topic}/{self.partition} at {self.next_offset}"


class Tombstone(models.Model):
    """A deletion that no row remembers: older events of the entity cannot bring it back."""

    pk = models.CompositePrimaryKey("entity", "entity_id")
    entity = KeyField(max_length=20)
    entity_id = KeyField(max_length=ID_LENGTH)
    version = models.IntegerField()
    deleted_at = models.DateTimeField()

    class Meta:
        db_table = "tombstones"

    def __str__(self) -> str:
        return f"{self.entity} {self.entity_id}"


DIGEST_LENGTH = 64


def message_digest(key: bytes | None, value: bytes | None) -> str:
    """Return the SHA-256, in hexadecimal digits, of a message's bytes. None and an empty text are two."""
    lengths = [-1 if raw is None else len(raw) for raw in (key, value)]
    return hashlib.sha256(f"{lengths}".encode() + (key or b"") + (value or b"")).hexdigest()


class DeadLetter(models.Model):
    """A message that could not be decoded or applied, as it came, and why; and whether somebody has settled it."""

    OPEN: Final = "open"
    RETRIED: Final = "retried"
    DISCARDED: Final = "discarded"
    STATES: Final = (OPEN, RETRIED, DISCARDED)

    id = models.BigAutoField(primary_key=True)
    cluster_id = KeyField(max_length=100)
    topic = KeyField(max_length=249)
    partition = models.IntegerField()
    offset = models.BigIntegerField()
    # Tells messages apart that had one offset, each in its life of the topic. Empty: by a consumer of an older version.
    digest = KeyField(max_length=DIGEST_LENGTH, default="", db_default="")
    key = models.BinaryField(null=True)
    value = models.BinaryField(null=True)
    error = ProseField()
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    # A default of the database's own: consumers of the last version go on inserting while this one is deployed.
    state = KeyField(
        max_length=10, default=OPEN, db_default=OPEN, db_index=True, choices=[(state, state) for state in STATES]
    )

    class Meta:
        db_table = "dead_letters"
        constraints = [
            models.UniqueConstraint(
                fields=["cluster_id", "topic", "partition", "offset", "digest"], name="dead_letters_message_digest"
            )
        ]

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}@{self.offset}"


class DeadLetterAction(models.Model):
    """What somebody did with a dead letter, and what came of it. One row for each attempt; none is changed later."""

    RETRY: Final = "retry"
    DISCARD: Final = "discard"

    id = models.BigAutoField(primary_key=True)
    letter = models.ForeignKey(DeadLetter, models.PROTECT, related_name="actions")
    action = KeyField(max_length=10, choices=[(RETRY, RETRY), (DISCARD, DISCARD)])
    actor = LineField(max_length=150)
    outcome = KeyField(max_length=20)
    detail = ProseField()
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "dead_letter_actions"

    def __str__(self) -> str:
        return f"{self.action} by {self.actor}: {self.outcome}"


class RebuildPosition(models.Model):
    """How far a rebuild has come with one entity, to go on from there after an interruption."""

    entity = KeyField(max_length=20, primary_key=True)
    document_id = KeyField(max_length=ID_LENGTH)
    row_id = KeyField(max_length=ID_LENGTH)
    at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "rebuild_positions"

    def __str__(self) -> str:
        return f"{self.entity}: up to {self.row_id}"
