"""Announces what MongoDB has after it was restored to an older moment, as versions that nobody has seen yet.

What was written after that moment is lost there, but its events are out. Later writes would get the versions of those
events once more, and every consumer would drop them as repeats. The tables remember how far the versions went, once
their consumer has read all that Kafka has. So each document that the tables know in a later version, or in the same one
with another content, is written anew behind it, with an event that carries the whole state. For a row whose document is
lost, its deletion is announced.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from bson import ObjectId

from analytics.comparison import Difference, Kind
from analytics.decoding import EntityDecoder
from analytics.mending import Position, window
from analytics.source import source_of
from marketplace import mongo
from marketplace.events.catalogue import CATALOGUE, EventType
from marketplace.events.outbox import OUTBOX, event_id, record_loss, record_stored

_ELSEWHERE: Final = (Kind.AHEAD, Kind.ALTERED)


@dataclass
class Announced:
    """What was announced of one entity. `unannounced` are documents and rows that no event can be sent of."""

    documents: int = 0
    states: int = 0
    deletions: int = 0
    unannounced: list[str] = field(default_factory=list)


def announce(decoder: EntityDecoder, *, batch_size: int, progress: Callable[[int], object]) -> Announced:
    """Go through all documents and rows of an entity, and announce what the tables know in another state.

    API and consumers may be at work; what is there meanwhile decides. Raises django.db's and PyMongo's exceptions;
    what was announced until then stays so, and the next run goes on with the rest.
    """
    done = Announced()
    position: Position | None = Position()
    while position is not None:
        found = window(decoder, position, batch_size)
        for difference in found.differences(decoder):
            _take(decoder, difference, done)
        done.documents += len(found.documents)
        progress(len(found.documents))
        position = found.end
    return done


def _take(decoder: EntityDecoder, difference: Difference, done: Announced) -> None:
    """Announce one document or row, if consumers have something else."""
    known = max((mark.version for mark in (difference.found.row, difference.found.tombstone) if mark), default=0)
    if difference.kind is Kind.EXTRA and difference.found.row:
        name = decoder.projection.deletion_type
        if name and mongo.object_id(difference.entity_id):
            done.deletions += _announce_loss(decoder, difference.entity_id, CATALOGUE[name], known)
        else:
            done.unannounced.append(difference.entity_id)
    elif difference.kind in _ELSEWHERE:
        if known < mongo.MAX_VERSION:
            done.states += _announce_state(decoder, difference.entity_id, known)
        else:  # a rebuild has removed it for good
            done.unannounced.append(difference.entity_id)


@mongo.transaction
def _announce_state(decoder: EntityDecoder, entity_id: str, known: int) -> bool:
    """Write the document anew behind the known version. Return whether it is still there."""
    document = source_of(decoder).document
    stored = document.collection().find_one({"_id": ObjectId(entity_id)})
    if stored is not None:
        record_stored(document, [stored], (), _event_type(decoder, stored), after=known)
    return stored is not None


def _event_type(decoder: EntityDecoder, stored: mongo.Stored) -> EventType:
    projection = decoder.projection
    if projection.deletion_type and (stored.get("deleted_at") or stored.get("status") == "deleted"):
        return CATALOGUE[projection.deletion_type]
    updated = f"{projection.entity}.updated"
    return CATALOGUE[updated if updated in projection.state_types else projection.state_types[0]]


@mongo.transaction
def _announce_loss(decoder: EntityDecoder, entity_id: str, event_type: EventType, known: int) -> bool:
    """Announce that a document is gone. Return False when it is there, or its deletion waits in the outbox already."""
    document, identifier = source_of(decoder).document, ObjectId(entity_id)
    waiting = {"_id": event_id(decoder.projection.entity, entity_id, known + 1)}
    if document.collection().find_one({"_id": identifier}) or mongo.database()[OUTBOX].find_one(waiting):
        return False
    record_loss(document, identifier, event_type, after=known)
    return True
