"""The indexes of all MongoDB collections: which are declared, and making them."""

from pymongo import IndexModel

from marketplace import mongo
from marketplace.api import counters, idempotency
from marketplace.auth import refresh
from marketplace.events import outbox


def declared() -> dict[str, list[IndexModel]]:
    """Return by collection which indexes there have to be, besides that of `_id`."""
    found = {document._meta["collection"]: _of(document) for document in mongo.document_classes()}
    found |= {module.COLLECTION: [module.INDEX] for module in (counters, idempotency, refresh)}
    return found | {outbox.OUTBOX: [outbox.INDEX]}


def _of(document: type[mongo.Document]) -> list[IndexModel]:
    specifications = [dict(one) for one in document._meta["index_specs"]]
    return [
        IndexModel(one.pop("fields"), **{key: value for key, value in one.items() if key != "cls"})
        for one in specifications
    ]


def create() -> int:
    """Create what is missing, and return of how many collections. Raises PyMongoError where an index is another."""
    indexes = declared()
    for collection, models in indexes.items():
        if models:
            mongo.database()[collection].create_indexes(models)
    return len(indexes)
