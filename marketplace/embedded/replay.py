"""Making the analytics tables whole again after the embedded broker has forgotten its messages.

An event that was published but not projected is lost when the embedded broker ends, or when one of its partitions
exceeds the 5 MB that it keeps. MongoDB still has every document, so those that the tables lack are announced again.
Real brokers keep their messages and need none of this.
"""

from collections.abc import Iterable
from datetime import timedelta

from bson import ObjectId
from django.apps import apps
from django.db import transaction

from analytics.models import ConsumerOffset, DeadLetter, DeadLetterAction
from analytics.projections import PROJECTIONS, Deletion, Projection
from marketplace import mongo
from marketplace.events.catalogue import CATALOGUE
from marketplace.events.outbox import OUTBOX, domain_event

Missing = set[tuple[str, str]]  # entity and id

# Announced at once: little enough for the broker to keep, whatever the consumer does meanwhile.
PORTION = 1000


def is_waiting() -> bool:
    """Return whether the outbox has events."""
    return mongo.database()[OUTBOX].find_one({}, {"_id": 1}) is not None


def missing() -> Missing:
    """Return the documents that the tables do not show at their present version."""
    return {
        (projection.entity, key)
        for projection in PROJECTIONS
        for key, _ in _stored(projection).items() - _projected(projection).items()
    }


def is_complete() -> bool:
    """Return whether every write has reached the tables."""
    return not is_waiting() and not missing()


def forget_offsets() -> None:
    """Drop the offsets of earlier brokers. A new one can have an old one's id, which is made of a memory address."""
    ConsumerOffset.objects.all().delete()


def clear_if_wrong() -> None:
    """Empty the tables if they show what MongoDB does not have: a later version, or a document that is gone."""
    if not any(_is_wrong(projection) for projection in PROJECTIONS):
        return
    with transaction.atomic():
        # Children are declared after their parents.
        for model in reversed(list(apps.get_app_config("analytics").get_models())):
            if model not in (DeadLetter, DeadLetterAction):
                model._default_manager.all().delete()


def announce(wanted: Missing) -> Missing:
    """Put an event per document into the outbox, PORTION documents at most. Return those."""
    portion = sorted(wanted)[:PORTION]
    for projection in PROJECTIONS:
        keys = [ObjectId(key) for entity, key in portion if entity == projection.entity]
        document = _document(projection)
        _announce(document, document.collection().find({"_id": {"$in": keys}}))
    return set(portion)


def _stored(projection: Projection) -> dict[str, int]:
    """Return the version of each document that has a row."""
    query = {"status": {"$ne": "deleted"}} if projection.deletion is Deletion.REMOVES else {}
    found = _document(projection).collection().find(query, {"version": 1})
    return {str(stored["_id"]): stored["version"] for stored in found}


def _projected(projection: Projection) -> dict[str, int]:
    return dict(projection.model._default_manager.values_list("pk", "version"))


def _is_wrong(projection: Projection) -> bool:
    stored = _stored(projection)
    return any(version > stored.get(key, 0) for key, version in _projected(projection).items())


def _document(projection: Projection) -> type[mongo.Document]:
    return next(document for document in mongo.document_classes() if document.__name__.lower() == projection.entity)


@mongo.transaction
def _announce(document: type[mongo.Document], found: Iterable[mongo.Stored]) -> None:
    """Send each document's state, and its deletion after it: a consumer cannot mark a row as deleted that it lacks."""
    entity = document.__name__.lower()
    for stored in found:
        state = stored
        if stored.get("deleted_at"):
            before = stored["updated_at"] - timedelta(milliseconds=1)
            state = stored | {"version": stored["version"] - 1, "updated_at": before}
        domain_event.send(document, stored=state, event_type=CATALOGUE[f"{entity}.created"])
        if stored.get("deleted_at"):
            domain_event.send(document, stored=stored, event_type=CATALOGUE[f"{entity}.deleted"])
