"""The signal hook: a domain write and its event, in one MongoDB transaction.

Services call `record` (or `record_stored` for writes without MongoEngine objects); it writes the document and sends
`domain_event`; the receiver puts the finished event into the outbox. The relay takes it from there to Kafka.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any, NamedTuple

import pymongo
from bson import ObjectId
from django.conf import settings
from django.dispatch import Signal, receiver
from mongoengine.errors import SaveConditionError
from pymongo import IndexModel, UpdateOne

from marketplace import mongo, tracing
from marketplace.errors import ValidationError, VersionConflictError
from marketplace.events.catalogue import EventType
from marketplace.representation import shape, timestamp, to_json

OUTBOX = "outbox"
INDEX = IndexModel("timestamp")  # that the relay reads along
# Event ids are made within this one; it never changes, or the same write would get another id.
EVENT_IDS = uuid.UUID("cb51a243-92b1-4c10-b170-440d8cb91586")

# Sent with sender=<document class>, stored=<the document as MongoDB keeps it>, event_type=EventType, inside the
# transaction of the write.
domain_event = Signal()


def record(document: mongo.Document, event_type: EventType, *, at: datetime | None = None) -> mongo.Stored:
    """Write a document and announce it. Return the document as stored.

    `at` is the time of the write (default: now). Raises VersionConflictError when somebody else wrote the document
    since it was read, ValidationError when the event would be larger than MAX_EVENT_BYTES, mongoengine.NotUniqueError.
    """
    document.stamp(at)
    try:
        stored = document.write()
    except SaveConditionError as error:
        raise VersionConflictError from error
    domain_event.send(type(document), stored=stored, event_type=event_type)
    return stored


def record_stored(
    document: type[mongo.Document],
    stored: Sequence[mongo.Stored],
    fields: Sequence[str],
    event_type: EventType,
    *,
    at: datetime | None = None,
    after: int = 0,
) -> None:
    """Write the named top-level fields of stored documents, all in one command, and announce each.

    For writes that touch many documents and need no MongoEngine objects. The documents were read in the running
    transaction; they get their new version, behind `after` in any case, and time here. Raises VersionConflictError as
    `record`.
    """
    updates = []
    for one in sorted(stored, key=itemgetter("_id")):
        guard = {"_id": one["_id"], "version": one["version"]}
        version = max(one["version"], after) + 1
        one |= {"version": version, "updated_at": mongo.later(at or mongo.now(), one["updated_at"])}
        # MongoEngine leaves empty lists and maps out of what it stores.
        written = [name for name in (*fields, "version", "updated_at") if name in one]
        updates.append(UpdateOne(guard, {"$set": {name: one[name] for name in written}}))
    if updates and document.collection().bulk_write(updates).matched_count != len(updates):
        raise VersionConflictError
    for one in stored:
        domain_event.send(document, stored=one, event_type=event_type)


def record_removal(document: mongo.Document, event_type: EventType, *, at: datetime | None = None) -> None:
    """Remove a document for good and announce it with the version after its last."""
    document.stamp(at)
    document.collection().delete_one({"_id": document.pk})
    domain_event.send(type(document), stored=document.to_mongo(), event_type=event_type)


def record_loss(document: type[mongo.Document], identifier: ObjectId, event_type: EventType, *, after: int) -> None:
    """Announce the deletion of a document that a restored database does not have, behind the version `after`."""
    stored = {"_id": identifier, "version": after + 1, "updated_at": mongo.now()}
    domain_event.send(document, stored=stored, event_type=event_type)


@receiver(domain_event)
def put_in_outbox(sender: type[mongo.Document], stored: mongo.Stored, event_type: EventType, **_kwargs: object) -> None:
    """Add the event to the outbox, in the transaction that wrote the document."""
    running = mongo.transaction_now()
    running.unannounced.discard((sender._meta["collection"], stored["_id"]))
    event = envelope(sender, stored, event_type)
    payload = to_json(event)
    if len(payload) > settings.MAX_EVENT_BYTES:
        raise ValidationError(f"The {event_type.entity} is too large: {len(payload)} bytes in its event")
    running.insert_before_commit(
        OUTBOX,
        {
            "_id": event["event_id"],
            "topic": event_type.topic,
            "key": str(stored["_id"]),
            "event_type": event_type.name,
            "version": stored["version"],
            "timestamp": stored["updated_at"],
            "traceparent": tracing.traceparent(),
            "payload": payload,
        },
    )


def event_id(entity: str, entity_id: str, version: int) -> str:
    """Return the id of the event that announces a version: always the same one (a UUIDv5 of RFC 9562, section 5.5).

    A committed write has a version of its own, so no two events share an id, and a repeat is known by it.
    """
    return str(uuid.uuid5(EVENT_IDS, f"{entity}/{entity_id}/{version}"))


def envelope(document: type[mongo.Document], stored: mongo.Stored, event_type: EventType) -> dict[str, Any]:
    """Return the event as consumers read it (SPEC section 4)."""
    entity_id = str(stored["_id"])
    if event_type.is_deletion:
        data: Mapping[str, Any] = {f"{event_type.entity}_id": entity_id, "deleted_at": stored["updated_at"]}
    else:
        data = shape(document, "event")(stored)
    return {
        "event_type": event_type.name,
        "event_id": event_id(event_type.entity, entity_id, stored["version"]),
        "timestamp": timestamp(stored["updated_at"]),
        "entity_id": entity_id,
        "version": stored["version"],
        "data": data,
    }


def runs(events: Sequence[mongo.Stored]) -> list[list[str]]:
    """Split the ids of events into runs in which no entity comes twice: what is in one may go in any order."""
    runs: list[list[str]] = []
    seen: set[str] = set()
    for event in events:
        if not runs or event["key"] in seen:
            runs.append([])
            seen = set()
        runs[-1].append(event["_id"])
        seen.add(event["key"])
    return runs


class Backlog(NamedTuple):
    """What waits to be published: how many events, and the time of the oldest."""

    events: int
    oldest: datetime | None


def backlog(limit: int, seconds: float) -> Backlog:
    """Count the events that wait, up to `limit`, within so many seconds.

    Raises PyMongoError when MongoDB does not answer in time, ImproperlyConfigured when MONGODB_URL is not set.
    """
    waiting = mongo.database()[OUTBOX]
    with pymongo.timeout(seconds):
        oldest = waiting.find_one({}, {"timestamp": 1}, sort=[("timestamp", 1)])
        return Backlog(waiting.count_documents({}, limit=limit), oldest["timestamp"] if oldest else None)
