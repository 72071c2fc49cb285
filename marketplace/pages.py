"""Pages of a list: after so many entries, or from a position in its order, which costs the same at any depth.

Every list is sorted by a time that never changes and that each of its documents has, and by the id where times are
equal. So a position stays where it is, whatever is added to the list or deleted from it between two pages.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bson import CodecOptions, ObjectId
from bson.raw_bson import RawBSONDocument
from pymongo.collection import Collection

from marketplace.mongo import Document, Readable, Stored

_RAW = CodecOptions(document_class=RawBSONDocument, tz_aware=True)


@dataclass(frozen=True, slots=True)
class Position:
    """Where an entry stands in its list: the time that the list is sorted by, and the id."""

    moment: datetime
    id: ObjectId


@dataclass(frozen=True, slots=True)
class Window:
    """What is asked for of a list: at most `limit` entries after a position, or else after the first `skip`."""

    limit: int
    skip: int = 0
    after: Position | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """The documents in a window, and the position of the last when there are more behind it."""

    documents: Sequence[Readable]
    end: Position | None


def read(document: type[Document], query: Stored, *, sort: str, window: Window, raw: bool = False) -> Page:
    """Return a page of the documents that match.

    `sort` names the time, with `-` in front for newest first. `raw` leaves documents BSON until a field is asked for.
    """
    name, direction = sort.removeprefix("-"), -1 if sort.startswith("-") else 1
    if window.after is not None:
        query = {"$and": [query, _behind(window.after, name, "$gt" if direction == 1 else "$lt")]}
    collection: Collection[Any] = document.collection()
    if raw:
        collection = collection.with_options(_RAW)
    order = [(name, direction), ("_id", direction)]
    found = list(collection.find(query, sort=order, skip=window.skip, limit=window.limit + 1))
    if len(found) <= window.limit:
        return Page(found, None)
    del found[window.limit :]
    last = found[-1]
    return Page(found, _raw_position(bytes(last.raw), name) if raw else Position(last[name], last["_id"]))


@functools.lru_cache(32)  # the first pages that everybody asks for end with the same document again and again
def _raw_position(document: bytes, name: str) -> Position:
    """Return the position of a document in BSON. Decoding it costs as much as all else about a page's end."""
    last = RawBSONDocument(document, _RAW)
    return Position(last[name], last["_id"])


def _behind(position: Position, name: str, beyond: str) -> Stored:
    """Return the condition for what comes after a position. Its first line bounds the scan of the list's index."""
    return {
        name: {f"{beyond}e": position.moment},
        "$or": [{name: {beyond: position.moment}}, {"_id": {beyond: position.id}}],
    }
