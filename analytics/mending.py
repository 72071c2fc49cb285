"""Makes analytics rows what MongoDB says, while API, relay and consumers go on.

A batch is one transaction. It locks the entity's consumers out first and reads the documents after that, so what it
reads is at least as new as any row: whatever a consumer has projected came from a write that MongoDB had before. An
event that is still on its way finds its version in the row and changes nothing, or is newer and goes on from there: a
document that is removed right after we read it gets a row for as long as its deletion is on its way. Nothing is
emptied: readers see each row until the transaction replaces it.

What differs is locked besides, before it is written, and a row that is newer than its document by then stays, whoever
wrote it; but where a second look at both, with the row locked, finds the row newer all the same. That one is wrong.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Final, NamedTuple

from django.db import transaction
from django.utils import timezone

from analytics import offsets, writer
from analytics.attempts import persist
from analytics.bookkeeping import RebuildPosition
from analytics.columns import Row
from analytics.comparison import Difference, Kind, compare, rows_of
from analytics.decoding import EntityDecoder
from analytics.source import source_of
from marketplace.mongo import Stored

# What a rebuild has gone through may be wrong again by the time it goes on; after this it begins anew.
RESUMED_WITHIN: Final = timedelta(days=1)
DOUBTFUL = (Kind.EXTRA, Kind.AHEAD)


class Position(NamedTuple):
    """Up to where both sides have been gone through. Rows may have keys that no document can have."""

    document_id: str = ""
    row_id: str = ""


class Window(NamedTuple):
    """Documents and rows that cover the same ids, and where to go on; None after the last.

    `rowless` are the ids among these that may have children without a row.
    """

    documents: list[Stored]
    rows: list[Row]
    rowless: list[str]
    end: Position | None = None

    def differences(self, decoder: EntityDecoder) -> list[Difference]:
        """Compare the two."""
        return compare(decoder, self.documents, self.rows, self.rowless)


def window(decoder: EntityDecoder, position: Position, size: int) -> Window:
    """Return what comes after the position: at most `size` documents, as many rows and as many orphans."""
    documents = source_of(decoder).after(position.document_id, size)
    rows = rows_of(decoder).after(position.row_id, size)
    # A side that is not full has ended.
    ends = [
        side[-1] for side in ([str(one["_id"]) for one in documents], [row[0] for row in rows]) if len(side) == size
    ]
    end = min(ends, default=None)
    orphans = rows_of(decoder).orphans(position.row_id, end, size)
    if len(orphans) == size:
        end = orphans[-1]
    if end is None:
        return Window(documents, rows, orphans)
    documents = [one for one in documents if str(one["_id"]) <= end]
    last = str(documents[-1]["_id"]) if documents else position.document_id
    return Window(documents, [row for row in rows if row[0] <= end], orphans, Position(last, end))


def of(decoder: EntityDecoder, ids: list[str]) -> Window:
    """Return the documents and rows of these ids."""
    return Window(source_of(decoder).of(ids), rows_of(decoder).of(ids), ids)


def mend(decoder: EntityDecoder, read: Callable[[], Window]) -> tuple[Window, list[Difference]]:
    """Make the rows right that `read` finds wrong. Return what it found. Runs in the caller's transaction.

    Documents that the tables cannot hold are among the differences, and stay as they are.
    """
    offsets.lock_topic(decoder.projection.entity)
    found = read()
    differences = found.differences(decoder)
    locked = writer.lock(decoder, [one.entity_id for one in differences])
    differences = [one for one in _sure(decoder, differences) if not _overtaken(one, locked)]
    writer.rewrite(
        decoder,
        [one.event for one in differences if one.event is not None],
        [one.entity_id for one in differences if one.kind is Kind.EXTRA and one.event is None],
        locked,
    )
    return found, differences


def _sure(decoder: EntityDecoder, differences: list[Difference]) -> list[Difference]:
    """Look again, by reads that nothing can mislead, at what would take something away. All of it is locked."""
    doubtful = [one.entity_id for one in differences if one.kind in DOUBTFUL]
    if not doubtful:
        return differences
    again = compare(decoder, source_of(decoder).surely_of(doubtful), rows_of(decoder).of(doubtful), doubtful)
    return [one for one in differences if one.kind not in DOUBTFUL] + again


def _overtaken(difference: Difference, locked: writer.Locked) -> bool:
    """Tell whether a consumer has stored something newer between our look and our lock."""
    if difference.event is None or difference.kind in DOUBTFUL:
        return False
    return locked.version(difference.entity_id) > difference.event.version


@dataclass
class Rebuilt:
    """What a rebuild has done with one entity."""

    documents: int = 0
    kinds: Counter[Kind] = field(default_factory=Counter)
    refused: list[str] = field(default_factory=list)

    @property
    def mended(self) -> int:
        """How many entities were made right."""
        return self.kinds.total() - self.kinds[Kind.REFUSED]

    def add(self, found: Window, differences: list[Difference]) -> None:
        """Count one batch."""
        self.documents += len(found.documents)
        self.kinds.update(difference.kind for difference in differences)
        self.refused += [one.entity_id for one in differences if one.kind is Kind.REFUSED]


def rebuild(decoder: EntityDecoder, *, batch_size: int, progress: Callable[[int], object] = lambda _: None) -> Rebuilt:
    """Go through all documents and rows of an entity, from where the last rebuild was interrupted within a day.

    `progress` hears of the documents of each batch. Raises django.db's and PyMongo's exceptions; the batches before are
    done then.
    """
    rebuilt = Rebuilt()
    position: Position | None = _beginning(decoder)
    while position is not None:
        found, differences = persist(partial(_rebuild_batch, decoder, position, batch_size))
        rebuilt.add(found, differences)
        progress(len(found.documents))
        position = found.end
    return rebuilt


@transaction.atomic
def _rebuild_batch(decoder: EntityDecoder, position: Position, size: int) -> tuple[Window, list[Difference]]:
    found, differences = mend(decoder, lambda: window(decoder, position, size))
    _remember(decoder, found.end)
    return found, differences


def interrupted_at(decoder: EntityDecoder) -> RebuildPosition | None:
    """Return where and when a rebuild of the entity was interrupted, unless that was longer than RESUMED_WITHIN ago."""
    since = timezone.now() - RESUMED_WITHIN
    return RebuildPosition.objects.filter(pk=decoder.projection.entity, at__gte=since).first()


def _beginning(decoder: EntityDecoder) -> Position:
    stopped = interrupted_at(decoder)
    return Position(stopped.document_id, stopped.row_id) if stopped else Position()


def restart(decoder: EntityDecoder) -> None:
    """Forget where a rebuild of the entity was interrupted."""
    _remember(decoder, None)


def _remember(decoder: EntityDecoder, position: Position | None) -> None:
    entity = decoder.projection.entity
    if position is None:
        RebuildPosition.objects.filter(pk=entity).delete()
    else:
        RebuildPosition.objects.update_or_create(pk=entity, defaults=position._asdict())
