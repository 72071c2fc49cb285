"""From the bytes of a Kafka message to the rows that its event stands for. Nothing here touches a database."""

from dataclasses import dataclass
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Raw, Struct

from analytics.columns import BadMessage, Row, RowType, columns_of, moment, struct, type_of
from analytics.models import Projected
from analytics.projections import MAP_KEY, PROJECTIONS, Children, Projection

ENVELOPE_COLUMNS: Final = ("version", "event_id", "event_timestamp")
# Where the columns of the envelope stand in every entity's row: after the key.
ENVELOPE_SLICE: Final = slice(1, 1 + len(ENVELOPE_COLUMNS))

_TIMESTAMP: Final = ENVELOPE_COLUMNS.index("event_timestamp")
_EVENT_ID_LENGTH = Projected._meta.get_field("event_id").max_length


class Envelope(Struct):
    """What is around an event's data (SPEC section 4)."""

    event_type: str
    event_id: Annotated[str, Meta(max_length=_EVENT_ID_LENGTH)]
    timestamp: str
    entity_id: str
    version: Annotated[int, Meta(ge=1, le=2**31 - 1)]
    data: Raw


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

    @property
    def written_at(self) -> str:
        """The time of the write that it tells of, as SQL text."""
        return str(self.envelope[_TIMESTAMP])


class ChildDecoder:
    """Reads the rows of one child table."""

    def __init__(self, children: Children, parent_column: str) -> None:
        keyed = MAP_KEY in children.paths.values()
        paths = {column: path for column, path in children.paths.items() if path != MAP_KEY}
        self.model = children.model
        self.source = children.source
        self._row_type = RowType(
            children.model, paths, besides={"id", parent_column} | (children.paths.keys() - paths.keys())
        )
        self.columns = [parent_column, *([children.key] if keyed else []), *self._row_type.columns]
        self.key_position = self.columns.index(children.key)
        entry = struct(children.source, self._row_type.tree)
        key_type = type_of(columns_of(children.model)[children.key])
        self.type = dict[key_type, entry] if keyed else list[entry]  # type: ignore[valid-type]

    def rows(self, source: Any, entity_id: str) -> list[Row]:
        """Return the rows, sorted by key. Raises BadMessage for a bad time and for a key that is there twice."""
        row = self._row_type.row
        if isinstance(source, dict):
            rows = [[entity_id, key, *row(entry)] for key, entry in source.items()]
        else:
            rows = [[entity_id, *row(entry)] for entry in source]
        position = self.key_position
        if len({row[position] for row in rows}) != len(rows):
            raise BadMessage(f"{self.source}: a key is there twice")
        return rows


class EntityDecoder:
    """Turns the events of one entity into Event objects."""

    def __init__(self, projection: Projection) -> None:
        key = f"{projection.entity}_id"
        fields = columns_of(projection.model)
        envelope = (key, *ENVELOPE_COLUMNS)
        self.projection = projection
        self.child = ChildDecoder(projection.children, key) if projection.children else None
        self._row_type = RowType(projection.model, projection.paths, besides={*envelope, *projection.totals})
        self.columns = [*envelope, *self._row_type.columns, *projection.totals]
        self.deleted_at = self.columns.index("deleted_at") if "deleted_at" in self.columns else None
        id_type = type_of(fields[key])
        tree = self._row_type.tree | {"id": id_type} | ({self.child.source: self.child.type} if self.child else {})
        self._state = msgspec.json.Decoder(struct(projection.entity, tree))
        self._deletion = msgspec.json.Decoder(
            msgspec.defstruct(
                f"{projection.entity} deletion", [("id", id_type), ("deleted_at", str)], rename={"id": key}
            )
        )
        self._totals = [
            (self.child.columns.index(summed), type_of(fields[name]))
            for name, summed in projection.totals.items()
            if self.child
        ]

    def state(self, envelope: Envelope) -> Event:
        """Return an event that carries the entity's state. Raises ValueError for what its tables cannot hold."""
        data: Any = self._state.decode(envelope.data)
        about = _about(envelope, data.id)
        row = [envelope.entity_id, *about, *self._row_type.row(data)]
        children = self.child.rows(getattr(data, self.child.source), envelope.entity_id) if self.child else []
        for position, total in self._totals:
            row.append(msgspec.convert(sum([child[position] for child in children]), total))
        return Event(self, envelope.entity_id, envelope.version, about, row, children, None)

    def deletion(self, envelope: Envelope) -> Event:
        """Return an event that ends the entity. Raises ValueError as `state` does."""
        data: Any = self._deletion.decode(envelope.data)
        about = _about(envelope, data.id)
        return Event(self, envelope.entity_id, envelope.version, about, None, [], moment(data.deleted_at))


def _about(envelope: Envelope, entity_id: str) -> Row:
    if entity_id != envelope.entity_id:
        raise BadMessage("data is of another entity")
    return [envelope.version, envelope.event_id, moment(envelope.timestamp)]


DECODERS: Final = tuple(EntityDecoder(projection) for projection in PROJECTIONS)
_BY_EVENT_TYPE: Final = {
    **{name: (decoder, decoder.state) for decoder in DECODERS for name in decoder.projection.state_types},
    **{name: (decoder, decoder.deletion) for decoder in DECODERS if (name := decoder.projection.deletion_type)},
}
EVENT_TYPES: Final = frozenset(_BY_EVENT_TYPE)
_ENVELOPES: Final = msgspec.json.Decoder(Envelope)


def decode(topic: str, key: bytes | None, value: bytes | None) -> Event:
    """Return the event of a message. Raises BadMessage, with the reason, when the tables cannot take it."""
    if not value:
        raise BadMessage("the message is empty")
    try:
        envelope = _ENVELOPES.decode(value)
        decoder, read = _BY_EVENT_TYPE.get(envelope.event_type, (None, None))
        if decoder is None or read is None:
            raise BadMessage(f"unknown event type {envelope.event_type!r:.80}")
        if decoder.projection.entity != topic:
            raise BadMessage(f"{envelope.event_type} does not belong into topic {topic}")
        if key != envelope.entity_id.encode():
            raise BadMessage("the message's key is not the entity's id")
        return read(envelope)
    except (ValueError, RecursionError) as error:
        raise BadMessage(str(error)) from error
