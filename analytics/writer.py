"""Applies decoded events to the analytics tables: version guard, tombstones, one bulk statement per table and batch.

Always: inside a transaction; entities in the order of PROJECTIONS and keys sorted, so that two writers take their locks
in one order. Never: an older version over a newer one, whatever is repeated or replayed.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, NamedTuple

from analytics import rollups
from analytics.columns import Row, sql_text, version_of
from analytics.decoding import DECODERS, ENVELOPE_COLUMNS, ENVELOPE_SLICE, EntityDecoder, Event
from analytics.models import Tombstone
from analytics.projections import Deletion
from analytics.tables import Table
from marketplace.mongo import MAX_VERSION

_TOMBSTONES: Final = Table(Tombstone, ("entity", "entity_id", "version", "deleted_at"), key_columns=2)
_PARENTS: Final = {decoder: Table(decoder.projection.model, decoder.columns) for decoder in DECODERS}
_CHILDREN: Final = {
    decoder: Table(decoder.child.model, decoder.child.columns) for decoder in DECODERS if decoder.child is not None
}


class Gap(NamedTuple):
    """Versions of an entity that were never seen: there are later ones."""

    entity: str
    entity_id: str
    missing: int
    before: int

    def __str__(self) -> str:
        return f"{self.missing} of {self.entity} {self.entity_id} before version {self.before}"


class Applied(NamedTuple):
    """What a batch of events has done to the tables: how many entities changed, and versions that it did not have.

    `repeated` counts by entity the events that were no newer than what was stored.
    """

    changed: int
    gaps: list[Gap]
    repeated: Counter[str]


@dataclass(slots=True)
class Change:
    """What a batch says of one entity: its newest state and its newest deletion, and which versions there were."""

    state: Event | None = None
    deletion: Event | None = None
    versions: list[int] = field(default_factory=list)

    def add(self, event: Event) -> None:
        """Keep the event if it is newer than the one kept so far."""
        self.versions.append(event.version)
        if event.row is not None:
            if self.state is None or event.version > self.state.version:
                self.state = event
        elif self.deletion is None or event.version > self.deletion.version:
            self.deletion = event


Changes = dict[str, Change]


@dataclass(frozen=True, slots=True)
class Grave:
    """A tombstone as it is stored: the deletion's version and its time as SQL text."""

    version: int
    deleted_at: str


class Locked(NamedTuple):
    """Versions of rows and of tombstones that are there and locked, by the entity's id."""

    rows: dict[str, int]
    graves: dict[str, int]

    def version(self, entity_id: str) -> int:
        """Return the newest version that has been stored of an entity, 0 for none."""
        return max(self.rows.get(entity_id, 0), self.graves.get(entity_id, 0))


@dataclass(slots=True)
class Work:
    """What is left to do after the guards."""

    inserts: list[Event] = field(default_factory=list)
    updates: list[Event] = field(default_factory=list)
    removals: list[str] = field(default_factory=list)
    marks: list[Event] = field(default_factory=list)
    burials: list[Event] = field(default_factory=list)

    def write(self, event: Event, *, is_there: bool) -> None:
        """Add an event whose state becomes the row."""
        (self.updates if is_there else self.inserts).append(event)


def apply(events: Iterable[Event]) -> Applied:
    """Bring the tables up to date with the events, in any order and with repeats.

    Runs in the caller's transaction. Raises django.db's exceptions.
    """
    batch: dict[EntityDecoder, Changes] = {}
    for event in events:
        changes = batch.setdefault(event.decoder, {})
        change = changes.get(event.entity_id)
        if change is None:
            change = changes[event.entity_id] = Change()
        change.add(event)
    gaps: list[Gap] = []
    repeated: Counter[str] = Counter()
    changed = sum(_apply(decoder, batch[decoder], gaps, repeated) for decoder in DECODERS if decoder in batch)
    return Applied(changed, gaps, repeated)


def _apply(decoder: EntityDecoder, changes: Changes, gaps: list[Gap], repeated: Counter[str]) -> int:
    """Apply one entity's changes; add the gaps and repeats found. Return how many rows changed."""
    ids = sorted(changes)
    projection = decoder.projection
    stored = _locked(decoder, ids)
    graves = _graves(projection.entity, ids)
    plan = _plan_marking if projection.deletion is Deletion.MARKS else _plan_removing
    work = Work()
    for entity_id in ids:
        change, present, grave = changes[entity_id], stored.get(entity_id, 0), graves.get(entity_id, _NO_GRAVE)
        known = max(present, grave.version)
        repeated[projection.entity] += sum(version <= known for version in change.versions)
        if missing := _missing(change.versions, known):
            gaps.append(Gap(projection.entity, entity_id, missing, max(change.versions)))
        plan(work, change, present, grave)
    _carry_out(decoder, work)
    return len(work.inserts) + len(work.updates) + len(work.marks) + len(work.burials)


_NO_GRAVE: Final = Grave(0, "")
OLDEST: Final = 1


def _locked(decoder: EntityDecoder, ids: list[str]) -> dict[str, int]:
    """Return the versions of the rows that are there, locked. One that is no number gives way like the oldest."""
    rows = decoder.projection.model._default_manager.select_for_update().filter(pk__in=ids).order_by("pk")
    return {pk: version_of(version, OLDEST) for pk, version in rows.values_list("pk", "version")}


def _missing(versions: list[int], known: int) -> int:
    """Return how many versions between the known one and the newest are not there. Repeats are no gap."""
    newest = max(versions)
    if newest <= known + 1:
        return 0
    return newest - known - len({version for version in versions if version > known})


def _graves(entity: str, ids: list[str]) -> dict[str, Grave]:
    """Return the tombstones of the entities, locked."""
    rows = Tombstone.objects.select_for_update().filter(entity=entity, entity_id__in=ids).order_by("entity_id")
    return {
        entity_id: Grave(version_of(version, OLDEST), sql_text(deleted_at))
        for entity_id, version, deleted_at in rows.values_list("entity_id", "version", "deleted_at")
    }


def _plan_removing(work: Work, change: Change, present: int, grave: Grave) -> None:
    """Entities whose deletion removes the row: the newest event decides, and a tombstone guards like a row."""
    events = [event for event in (change.state, change.deletion) if event is not None]
    newest = max(events, key=lambda event: event.version)
    if newest.version <= max(present, grave.version):
        return
    if newest.row is not None:
        work.write(newest, is_there=present > 0)
        return
    work.burials.append(newest)
    if present:
        work.removals.append(newest.entity_id)


def _plan_marking(work: Work, change: Change, present: int, grave: Grave) -> None:
    """Entities whose row stays and is marked as deleted.

    A deletion carries no state, so one that finds no row leaves a tombstone; a state that is older than the tombstone
    still becomes the row (later ones replace it as usual), but never one that looks undeleted. Nothing passes the
    tombstone of what MongoDB does not have (`rewrite`).
    """
    state, deletion = change.state, change.deletion
    if grave.version == MAX_VERSION:
        return
    if state is not None and state.version > present:
        if deletion is not None and deletion.version > state.version:
            _mark(state, deletion.deleted_at or "")
            _row(state)[ENVELOPE_SLICE] = deletion.envelope
        elif grave.version > state.version:
            _mark(state, grave.deleted_at)
        work.write(state, is_there=present > 0)
    elif deletion is not None and deletion.version > max(present, grave.version if not present else 0):
        (work.marks if present else work.burials).append(deletion)


def lock(decoder: EntityDecoder, ids: Iterable[str]) -> Locked:
    """Lock what there is of the entities until the end of the transaction, in the order of every batch."""
    wanted = sorted(set(ids))
    rows = _locked(decoder, wanted)
    graves = _graves(decoder.projection.entity, wanted)
    return Locked(rows, {entity_id: grave.version for entity_id, grave in graves.items()})


def rewrite(decoder: EntityDecoder, events: Iterable[Event], gone: Iterable[str], locked: Locked) -> None:
    """Make the rows of one entity what the events say, whatever is there, and remove those that are gone for good.

    No guard compares versions here: the caller has decided what may be overwritten, after it had locked all of them.
    Runs in that transaction. Raises django.db's exceptions: IntegrityError where somebody has added a row meanwhile.
    """
    work = Work()
    for event in sorted(events, key=lambda event: event.entity_id):
        if event.row is not None:
            work.write(event, is_there=event.entity_id in locked.rows)
        else:
            work.burials.append(event)
    gone = sorted(gone)
    work.removals = sorted([*gone, *(event.entity_id for event in work.burials)])
    _carry_out(decoder, work)
    entity, now = decoder.projection.entity, sql_text(datetime.now(UTC))
    _TOMBSTONES.upsert([[entity, entity_id, MAX_VERSION, now] for entity_id in gone])
    alive = [event.entity_id for event in work.inserts + work.updates if event.entity_id in locked.graves]
    Tombstone.objects.filter(entity=entity, entity_id__in=alive).delete()


def _row(event: Event) -> Row:
    if event.row is None:
        raise ValueError("a deletion has no row")
    return event.row


def _mark(state: Event, deleted_at: str) -> None:
    position = state.decoder.deleted_at
    if position is not None:
        _row(state)[position] = deleted_at


def _carry_out(decoder: EntityDecoder, work: Work) -> None:
    """Write the rows, and have the roll-ups follow."""
    source = rollups.SOURCES.get(decoder)
    if source is None:
        _write(decoder, work)
        return
    marked = [event.entity_id for event in work.marks]
    before = source.stored([*(event.entity_id for event in work.updates), *marked, *work.removals])
    _write(decoder, work)
    rollups.replace(decoder, before, source.written(work.inserts + work.updates) + source.stored(marked))


def _write(decoder: EntityDecoder, work: Work) -> None:
    """Run the statements: children go before their parent, and come after it.

    There may be children where no row is: who deletes one by SQL with foreign keys off leaves them behind.
    """
    parents, children = _PARENTS[decoder], _CHILDREN.get(decoder)
    if children:
        children.delete(sorted([event.entity_id for event in work.inserts + work.updates] + work.removals))
    parents.delete(work.removals)
    parents.insert([_row(event) for event in work.inserts])
    parents.upsert([_row(event) for event in work.updates])
    if children:
        written = sorted(work.inserts + work.updates, key=lambda event: event.entity_id)
        children.insert([row for event in written for row in event.children])
    parents.set(
        ("deleted_at", *ENVELOPE_COLUMNS),
        [[event.deleted_at, *event.envelope, event.entity_id] for event in work.marks],
    )
    entity = decoder.projection.entity
    _TOMBSTONES.upsert([[entity, event.entity_id, event.version, event.deleted_at] for event in work.burials])
