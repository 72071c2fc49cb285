"""From the bytes of a Kafka message to the rows that its event stands for. Nothing here touches a database."""

from dataclasses import dataclass
from typing import Any, Final

import orjson

from analytics.columns import BadMessage, Row, RowReader, check_for, columns_of, entries, moment
from analytics.projections import MAP_KEY, PROJECTIONS, Children, Projection

ENVELOPE_COLUMNS: Final = ("version", "event_id", "event_timestamp")
# Where the columns of the envelope stand in every entity's row: after the key.
ENVELOPE_SLICE: Final = slice(1, 1 + len(ENVELOPE_COLUMNS))


@dataclass(slots=True)
class Event:
    """A decoded event: `row` and `children` in the column order of its entity's decoder; no row for a deletion."""

    decoder: "EntityDecoder"
    entity_id: str
    version: int
    envelope: Row
    row: Row | None
    children: list[Row]
    deleted_at: str | None


class ChildDecoder:
    """Reads the rows of one child table."""

    def __init__(self, children: Children, parent_column: str) -> None:
        self.model = children.model
        self._source = children.source
        self._keyed = MAP_KEY in children.paths.values()
        self._reader = RowReader(children.model, children.paths, besides={"id", parent_column})
        self.columns = [parent_column, *self._reader.columns]
        self._key_position = self.columns.index(children.key)

    def read(self, data: dict[str, Any], entity_id: str) -> list[Row]:
        """Return the rows, sorted by key. Raises BadMessage for bad values and for a key that is there twice."""
        rows: list[Row] = []
        try:
            for entry in entries(data.get(self._source), keyed=self._keyed):
                row: Row = [entity_id]
                self._reader.read(entry, row)
                rows.append(row)
        except BadMessage as error:
            raise BadMessage(f"{self._source}[{len(rows)}]: {error}") from None
        position = self._key_position
        if len({row[position] for row in rows}) != len(rows):
            raise BadMessage(f"{self._source}: a key is there twice")
        return rows


class EntityDecoder:
    """Turns envelopes of one entity's events into Event objects."""

    def __init__(self, projection: Projection) -> None:
        fields = columns_of(projection.model)
        key = f"{projection.entity}_id"
        envelope = (key, *ENVELOPE_COLUMNS)
        self.projection = projection
        self.child = ChildDecoder(projection.children, key) if projection.children else None
        self._reader = RowReader(projection.model, projection.paths, besides={*envelope, *projection.totals})
        self.columns = [*envelope, *self._reader.columns, *projection.totals]
        self.deleted_at = self.columns.index("deleted_at") if "deleted_at" in self.columns else None
        self._id_name = key
        self._check_id, self._check_version, self._check_event_id, _ = (
            check_for(fields[column]) for column in envelope
        )
        self._totals = [
            (self.child.columns.index(summed), check_for(fields[column]))
            for column, summed in projection.totals.items()
            if self.child
        ]

    def decode(self, envelope: dict[str, Any], data: dict[str, Any], *, deletion: bool) -> Event:
        """Return the event. Raises BadMessage for anything that its tables cannot hold."""
        entity_id = self._check_id(envelope.get("entity_id"))
        version = self._check_version(envelope.get("version"))
        if version < 1:
            raise BadMessage("version is not positive")
        if data.get(self._id_name if deletion else "id") != entity_id:
            raise BadMessage("data is of another entity")
        about = [version, self._check_event_id(envelope.get("event_id")), moment(envelope.get("timestamp"))]
        if deletion:
            return Event(self, entity_id, version, about, None, [], moment(data.get("deleted_at")))
        row: Row = [entity_id, *about]
        self._reader.read(data, row)
        children = self.child.read(data, entity_id) if self.child else []
        for position, check in self._totals:
            row.append(check(sum([child[position] for child in children])))
        return Event(self, entity_id, version, about, row, children, None)


DECODERS: Final = tuple(EntityDecoder(projection) for projection in PROJECTIONS)

# Event type -> its decoder, and whether it ends the entity.
BY_EVENT_TYPE: Final[dict[str, tuple[EntityDecoder, bool]]] = {
    name: (decoder, name == decoder.projection.deletion_type)
    for decoder in DECODERS
    for name in (*decoder.projection.state_types, decoder.projection.deletion_type)
    if name is not None
}


def decode(topic: str, key: bytes | None, value: bytes | None) -> Event:
    """Return the event of a message. Raises BadMessage, with the reason, when the tables cannot take it."""
    try:
        envelope = orjson.loads(value or b"")
    except orjson.JSONDecodeError as error:
        raise BadMessage(f"not JSON: {error}") from None
    if type(envelope) is not dict or type(envelope.get("data")) is not dict:
        raise BadMessage("not an event envelope")
    event_type = envelope.get("event_type")
    if type(event_type) is not str or event_type not in BY_EVENT_TYPE:
        raise BadMessage(f"unknown event type {event_type!r:.80}")
    decoder, deletion = BY_EVENT_TYPE[event_type]
    if decoder.projection.entity != topic:
        raise BadMessage(f"{event_type} does not belong into topic {topic}")
    event = decoder.decode(envelope, envelope["data"], deletion=deletion)
    if key != event.entity_id.encode():
        raise BadMessage("the message's key is not the entity's id")
    return event
