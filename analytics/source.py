"""What the analytics tables must show, read from MongoDB: each stored document as the event that its row follows from.

A document takes the way of every event (envelope, JSON, decoding), so nothing here knows a column.
"""

from collections.abc import Collection, Iterable
from typing import Any, Final, cast

import pymongo
from bson import ObjectId
from pymongo.read_concern import ReadConcern

from analytics.columns import BadMessage
from analytics.decoding import EntityDecoder, Event, decode
from analytics.projections import Deletion, Projection
from marketplace import mongo
from marketplace.events.catalogue import CATALOGUE
from marketplace.events.outbox import envelope
from marketplace.mongo import Stored
from marketplace.representation import memoized, to_json

# For all reads of one batch together: whoever reads holds SQL locks that consumers wait for, and must let go of them
# long before a server ends such a wait (innodb_lock_wait_timeout, 50 s unless set).
READ_SECONDS: Final = 8.0


class Source:
    """The collection that one entity's tables follow.

    Whatever reads it raises PyMongo's exceptions, after READ_SECONDS at the latest. `document` is its class.
    """

    def __init__(self, projection: Projection) -> None:
        self._projection = projection
        self.document = _document(projection.entity)

    def count(self) -> int:
        """Return about how many documents there are."""
        with pymongo.timeout(READ_SECONDS):
            return self.document.collection().estimated_document_count()

    def is_empty(self) -> bool:
        """Tell whether there are no documents at all."""
        with pymongo.timeout(READ_SECONDS):
            return self.document.collection().find_one({}, projection=["_id"]) is None

    def after(self, last: str, limit: int) -> list[Stored]:
        """Return the next documents in the order of their ids; "" is before the first."""
        query = {"_id": {"$gt": ObjectId(last)}} if last else {}
        with pymongo.timeout(READ_SECONDS):
            return list(self._collection("majority").find(query, sort=[("_id", 1)], limit=limit))

    def of(self, ids: Iterable[str]) -> list[Stored]:
        """Return those of the documents that exist."""
        with pymongo.timeout(READ_SECONDS):
            return list(self._collection("majority").find({"_id": {"$in": _object_ids(ids)}}))

    def surely_of(self, ids: Iterable[str]) -> list[Stored]:
        """Return those of the documents that exist, by reads that a primary which has lost its office cannot answer.

        Slower, one command for each: for what is going to be taken away.
        """
        collection = self._collection("linearizable")
        with pymongo.timeout(READ_SECONDS):
            found = [collection.find_one({"_id": one}) for one in _object_ids(ids)]
        return [stored for stored in found if stored is not None]

    def event(self, stored: Stored) -> Event:
        """Return the event whose row the tables must show; a deletion for a document that has none any more.

        Raises BadMessage for a document that the tables cannot hold.
        """
        try:
            event = envelope(self.document, stored, CATALOGUE[self._event_type(stored)])
            if stored.get("deleted_at"):
                # The event of such a deletion leaves the row's `updated_at` at the last change. Documents that were
                # deleted before it was kept have forgotten that time.
                event["data"] = {**event["data"], "updated_at": stored.get("changed_at") or stored["updated_at"]}
            value = to_json(event)
        except (KeyError, TypeError) as error:
            raise BadMessage(f"not a document of this application: {error!r}") from error
        return decode(self._projection.entity, event["entity_id"].encode(), value)

    def _event_type(self, stored: Stored) -> str:
        removed = self._projection.deletion is Deletion.REMOVES and stored.get("status") == "deleted"
        return cast("str", self._projection.deletion_type if removed else self._projection.state_types[0])

    def _collection(self, level: str) -> Any:
        # What is not on a majority of the nodes may be rolled back, and its event is not out yet.
        return self.document.collection().with_options(read_concern=ReadConcern(level))


@memoized
def source_of(decoder: EntityDecoder) -> Source:
    """Return the collection that the decoder's tables follow."""
    return Source(decoder.projection)


def _document(entity: str) -> type[mongo.Document]:
    return next(document for document in mongo.document_classes() if document.__name__.lower() == entity)


def _object_ids(ids: Iterable[str]) -> Collection[ObjectId]:
    """Return the ids that documents can have; a row's key may be any text."""
    return [found for one in ids if str(found := mongo.object_id(one)) == one and found is not None]
