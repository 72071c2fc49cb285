"""Making the analytics tables whole again after the embedded broker has forgotten its messages.

An event that was published but not projected is lost when the embedded broker ends. MongoDB still has every document,
so the tables are emptied and all documents announced again. Real brokers keep their messages and need none of this.
"""

from collections.abc import Iterable
from datetime import timedelta

from django.apps import apps
from django.db import transaction

from analytics.models import DeadLetter
from analytics.projections import PROJECTIONS, Deletion, Projection
from marketplace import mongo
from marketplace.events.catalogue import CATALOGUE
from marketplace.events.outbox import OUTBOX, domain_event

BATCH = 200


def is_complete() -> bool:
    """Return whether the tables show every document at its present version, nothing else, and no event is waiting."""
    if mongo.database()[OUTBOX].find_one({}, {"_id": 1}):
        return False
    return all(_stored(projection) == _projected(projection) for projection in PROJECTIONS)


def rebuild() -> int:
    """Empty the analytics tables and put an event per document into the outbox. Return how many documents there are."""
    with transaction.atomic():
        # Children are declared after their parents.
        for model in reversed(list(apps.get_app_config("analytics").get_models())):
            if model is not DeadLetter:
                model._default_manager.all().delete()
    return sum(_announce_all(_document(projection)) for projection in PROJECTIONS)


def _stored(projection: Projection) -> dict[str, int]:
    """Return the version of each document that has a row."""
    query = {"status": {"$ne": "deleted"}} if projection.deletion is Deletion.REMOVES else {}
    found = _document(projection).collection().find(query, {"version": 1})
    return {str(stored["_id"]): stored["version"] for stored in found}


def _projected(projection: Projection) -> dict[str, int]:
    return dict(projection.model._default_manager.values_list("pk", "version"))


def _document(projection: Projection) -> type[mongo.Document]:
    return next(document for document in mongo.document_classes() if document.__name__.lower() == projection.entity)


def _announce_all(document: type[mongo.Document]) -> int:
    count = 0
    batch: list[mongo.Stored] = []
    for stored in document.collection().find():
        count += 1
        batch.append(stored)
        if len(batch) == BATCH:
            _announce(document, batch)
            batch = []
    _announce(document, batch)
    return count


@mongo.transaction
def _announce(document: type[mongo.Document], batch: Iterable[mongo.Stored]) -> None:
    """Send each document's state, and its deletion after it: a consumer cannot mark a row as deleted that it lacks."""
    entity = document.__name__.lower()
    for stored in batch:
        is_deleted = stored.get("status") == "deleted" or stored.get("deleted_at")
        state = stored
        if is_deleted:
            before = stored["updated_at"] - timedelta(milliseconds=1)
            state = stored | {"version": stored["version"] - 1, "updated_at": before}
        domain_event.send(document, stored=state, event_type=CATALOGUE[f"{entity}.created"])
        if is_deleted:
            domain_event.send(document, stored=stored, event_type=CATALOGUE[f"{entity}.deleted"])
