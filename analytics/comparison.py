"""Documents and rows side by side: which rows are not what their documents say, and in what way.

Both sides are brought to one form, whatever the database: times as text, JSON with sorted keys, numbers and text exact.
Of an entity's row and children a hash is enough to tell two contents apart, now and when they are looked at again; of a
range of ids one hash over all of it. Only ranges whose hashes differ are gone through entity by entity.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NamedTuple

import orjson
from django.db import models

from analytics.columns import BadMessage, Row, columns_of, sql_text, version_of
from analytics.decoding import EntityDecoder, Event
from analytics.models import Tombstone
from analytics.source import source_of
from analytics.tables import Table
from marketplace.mongo import Stored
from marketplace.representation import memoized


class Kind(StrEnum):
    """How the tables can differ from MongoDB. A tombstone counts as what a deleted product leaves behind."""

    MISSING = "missing"  # a document without its row
    EXTRA = "extra"  # a row, or children without one, whose document is gone
    STALE = "stale"  # a row of an older version
    ALTERED = "altered"  # the same version with another content, or something else in place of a version
    AHEAD = "ahead"  # a row or tombstone of a version that MongoDB does not have
    REFUSED = "refused"  # a document that the tables cannot hold: its event is a dead letter


NO_VERSION: Final = -1  # what is there in its place is no number


class Mark(NamedTuple):
    """A version, and what stands for its content: a row's hash, a tombstone's time."""

    version: int
    content: str


class Content(NamedTuple):
    """What there is of one entity, or must be: a row, a tombstone, both or neither.

    `orphans` is the hash of children without a row: what somebody leaves who deletes it with foreign keys off.
    """

    row: Mark | None = None
    tombstone: Mark | None = None
    orphans: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """An entity that the tables show wrongly. `event` is what they must show, None for a row without a document."""

    entity_id: str
    kind: Kind
    expected: Content | None
    found: Content
    event: Event | None = None


class _Canon:
    """Brings rows of one table to the form in which they are compared."""

    def __init__(self, model: type[models.Model], columns: list[str]) -> None:
        fields = columns_of(model)
        self._conversions: list[tuple[int, Callable[[Any], Any]]] = [
            (position, _FORMS[kind])
            for position, column in enumerate(columns)
            if (kind := fields[column].get_internal_type()) in _FORMS
        ]

    def __call__(self, row: Row) -> Row:
        out = list(row)
        for position, convert in self._conversions:
            if out[position] is not None:
                out[position] = convert(out[position])
        return out


def _sorted_json(text: object) -> str:
    try:
        return orjson.dumps(orjson.loads(text), option=orjson.OPT_SORT_KEYS).decode()  # type: ignore[arg-type]
    except orjson.JSONDecodeError:
        return repr(text)  # which is no JSON either, so it is like no event's


# A driver gives times without a zone, and `str` turns them into what `columns.moment` makes of an event's times.
_FORMS: dict[str, Callable[[Any], str]] = {"DateTimeField": str, "JSONField": _sorted_json}


class Rows:
    """The rows of one entity as they are in the database."""

    def __init__(self, decoder: EntityDecoder) -> None:
        self._entity = decoder.projection.entity
        self._parents = Table(decoder.projection.model, decoder.columns)
        self._parent_canon = _Canon(decoder.projection.model, decoder.columns)
        self._child = decoder.child
        if self._child:
            self._children = Table(self._child.model, self._child.columns)
            self._child_canon = _Canon(self._child.model, self._child.columns)

    def after(self, key: str, limit: int) -> list[Row]:
        """Return the next rows in the order of their keys."""
        return self._parents.after(key, limit)

    def of(self, ids: list[str]) -> list[Row]:
        """Return those of the rows that exist."""
        return self._parents.of(ids)

    def orphans(self, key: str, end: str | None, limit: int) -> list[str]:
        """Return the next ids, up to `end`, of entities that have children but no row, in order."""
        return self._children.orphans(self._parents, key, end, limit) if self._child else []

    def contents(self, rows: list[Row], ids: list[str], rowless: list[str]) -> dict[str, Content]:
        """Return what there is of the entities whose rows these are; of those in `ids` their tombstones, too.

        Of `rowless` ones, which may be among all others, there may be children.
        """
        children: dict[str, list[Row]] = {one: [] for one in [*(row[0] for row in rows), *rowless]}
        if self._child:
            for child in self._children.of(list(children)):
                children[child[0]].append(child)
        marks = {row[0]: Mark(version_of(row[1], NO_VERSION), self._hash(row, children.pop(row[0]))) for row in rows}
        orphans = {one: self._hash([], left) for one, left in children.items() if left}
        tombstones = _tombstones(self._entity, ids)
        return {
            one: Content(marks.get(one), tombstones.get(one), orphans.get(one, ""))
            for one in marks.keys() | tombstones.keys() | orphans.keys()
        }

    def wanted(self, event: Event) -> Content:
        """Return what there must be after an event."""
        if event.row is None:
            return Content(tombstone=Mark(event.version, event.deleted_at or ""))
        return Content(row=Mark(event.version, self._hash(event.row, event.children)))

    def _hash(self, row: Row, children: Iterable[Row]) -> str:
        plain: list[Any] = [self._parent_canon(row) if row else None]
        if self._child:
            position = self._child.key_position
            plain.append(sorted(map(self._child_canon, children), key=lambda child: str(child[position])))
        # Bytes are in no event, but SQLite stores them in any column.
        return hashlib.blake2b(orjson.dumps(plain, default=repr), digest_size=16).hexdigest()


@memoized
def rows_of(decoder: EntityDecoder) -> Rows:
    """Return the rows of the decoder's tables."""
    return Rows(decoder)


def _tombstones(entity: str, ids: list[str]) -> dict[str, Mark]:
    rows = Tombstone.objects.filter(entity=entity, entity_id__in=ids)
    return {
        one: Mark(version_of(version, NO_VERSION), sql_text(at))
        for one, version, at in rows.values_list("entity_id", "version", "deleted_at")
    }


def compare(
    decoder: EntityDecoder, documents: Iterable[Stored], rows: list[Row], rowless: list[str]
) -> list[Difference]:
    """Return the differences between documents and rows, which cover the same ids, in the order of the ids.

    `rowless` are the ids that may have children without a row.
    """
    source, table = source_of(decoder), rows_of(decoder)
    events: dict[str, Event] = {}
    refused: list[str] = []
    for stored in documents:
        try:
            events[str(stored["_id"])] = source.event(stored)
        except BadMessage:
            refused.append(str(stored["_id"]))
    wanted = {one: table.wanted(event) for one, event in events.items()}
    found = table.contents(rows, list(events), rowless)
    if digest(wanted) == digest(found) and not refused:
        return []
    nothing = Content()
    differences = [Difference(one, Kind.REFUSED, None, found.pop(one, nothing)) for one in refused]
    for one in wanted.keys() | found.keys():
        pair = wanted.get(one), found.get(one, nothing)
        if kind := _kind(*pair):
            differences.append(Difference(one, kind, *pair, events.get(one)))
    return sorted(differences, key=lambda difference: difference.entity_id)


def digest(contents: dict[str, Content]) -> bytes:
    """Return one hash over ids, versions and contents of a range: where both sides have the same, nothing differs."""
    return hashlib.blake2b(repr(sorted(contents.items())).encode(), digest_size=16).digest()


def _kind(wanted: Content | None, found: Content) -> Kind | None:
    if wanted is None or wanted.row is None:
        if found.row is not None or found.orphans:
            return Kind.EXTRA
        return _kind_of_mark(wanted.tombstone, found.tombstone) if wanted else None
    if found.tombstone is not None and found.tombstone.version > wanted.row.version:
        return Kind.AHEAD
    return _kind_of_mark(wanted.row, found.row)


def _kind_of_mark(wanted: Mark | None, found: Mark | None) -> Kind | None:
    if wanted == found or wanted is None:
        return None
    if found is None:
        return Kind.MISSING
    if found.version in (wanted.version, NO_VERSION):
        return Kind.ALTERED
    return Kind.STALE if found.version < wanted.version else Kind.AHEAD
