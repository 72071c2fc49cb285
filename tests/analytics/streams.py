"""Generated event streams of several entities, Kafka as far as order goes, and what the tables must show in the end.

The expectation is a plain fold: of all events of an entity the one with the highest version counts. It shares the
decoding with the consumer, but knows nothing of versions that are there, tombstones and statements.
"""

import itertools
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from analytics.columns import columns_of
from analytics.decoding import DECODERS, ENVELOPE_SLICE, decode
from analytics.models import Tombstone
from analytics.projections import Deletion
from tests.analytics.events import event, item, raw, variant

Envelope = dict[str, Any]
PARTITIONS = 2

STATES = {decoder.projection.entity: decoder.projection.state_types for decoder in DECODERS}
DELETIONS = {decoder.projection.entity: decoder.projection.deletion for decoder in DECODERS}
_ids = itertools.count(1)


def content(entity: str, version: int) -> dict[str, Any]:
    """Return what tells one version of an entity from the others; children come and go with it."""
    name = f"v{version}"
    keys = ("Red", "red", "Réd", "red ")[: version % 5]
    return {
        "user": {"display_name": name, "bio": name if version % 2 else None},
        "supplier": {"legal_name": name, "dba_name": None},
        "product": {"name": name, "variants": {key: variant(name) for key in keys}},
        "order": {"status": name},
        "post": {"text_content": name, "media": [{"media_url": name}] if version % 2 else []},
    }[entity]


def state_event(entity: str, entity_id: str, version: int) -> Envelope:
    """Return an event that carries state: the first is a creation, the others take turns."""
    types = STATES[entity]
    event_type = types[0] if version == 1 else types[1:][version % (len(types) - 1)]
    made = event(event_type, entity_id, version, **({} if entity == "order" else content(entity, version)))
    if entity == "order":
        items = [item(number, quantity=version) for number in range(1, 2 + version % 3)]
        made["data"] |= content(entity, version) | {"items": items}
    return made


def life(entity: str, states: int, deletion: int | None) -> list[Envelope]:
    """Return an entity's events; one of them, from the second on, may be its deletion."""
    entity_id = f"{next(_ids):024x}"
    ending = None if deletion is None or DELETIONS[entity] is Deletion.NEVER else 1 + deletion
    return [
        event(f"{entity}.deleted", entity_id, version) if version == ending else state_event(entity, entity_id, version)
        for version in range(1, states + 1)
    ]


# Mostly a few versions, and a deletion at the end or in the middle of them.
LIVES = st.lists(
    st.builds(life, st.sampled_from(sorted(STATES)), st.integers(1, 5), st.none() | st.integers(1, 4)),
    min_size=1,
    max_size=4,
)


@st.composite
def logs(draw: Any, lives: st.SearchStrategy[list[list[Envelope]]] = LIVES) -> list[list[Envelope]]:
    """Draw the content of the partitions: entities keep their order, and are interleaved in any way."""
    partitions: list[list[Envelope]] = [[] for _ in range(PARTITIONS)]
    left = list(enumerate(draw(lives)))
    while left:
        which = draw(st.integers(0, len(left) - 1)) if len(left) > 1 else 0
        number, events = left[which]
        partitions[number % PARTITIONS].append(events[0])
        left[which] = (number, events[1:])
        left = [one for one in left if one[1]]
    return partitions


# What a consumer does next with each partition: read so many messages, all as one batch, or go back by so many.
_STEPS = st.lists(st.tuples(st.integers(0, 1), st.tuples(*[st.integers(-8, 6)] * PARTITIONS)), max_size=5)
_ALL = (0, (1_000,) * PARTITIONS)
# At some point the first one has read everything; what comes after that is repetition, which may end anywhere.
STEPS = st.tuples(_STEPS, _STEPS).map(lambda both: [*both[0], _ALL, *both[1]])


@dataclass
class Consumer:
    """Reads the partitions, and may be sent back."""

    log: Sequence[Sequence[Envelope]]
    positions: list[int] = field(default_factory=lambda: [0] * PARTITIONS)

    def read(self, steps: Sequence[int]) -> list[Envelope]:
        """Return the next batch."""
        batch: list[Envelope] = []
        for partition, step in enumerate(steps):
            start = self.positions[partition]
            end = max(0, min(len(self.log[partition]), start + step))
            batch += self.log[partition][start:end]
            self.positions[partition] = end
        return batch


def batches(log: Sequence[Sequence[Envelope]], steps: Iterable[tuple[int, Sequence[int]]]) -> Iterable[list[Envelope]]:
    """Yield the batches of two consumers that read the same partitions in turns."""
    consumers = Consumer(log), Consumer(log)
    for which, step in steps:
        if batch := consumers[which].read(step):
            yield batch


Rows = dict[str, dict[Any, Any]]  # by table, then by key


def _plain(value: Any) -> Any:
    """Return a stored value as the decoding writes it."""
    return str(value.astimezone(UTC).replace(tzinfo=None)) if isinstance(value, datetime) else value


def stored() -> Rows:
    """Return all rows of the seven tables."""
    found: Rows = {}
    for decoder in DECODERS:
        rows = decoder.projection.model._default_manager.values_list(*decoder.columns)
        found[decoder.projection.entity] = {row[0]: [_plain(value) for value in row] for row in rows}
        if decoder.child:
            children = decoder.child.model._default_manager.values_list(*decoder.child.columns)
            found[decoder.child.source] = {
                (row[0], row[decoder.child.key_position]): [_plain(value) for value in row] for row in children
            }
    return found


def tombstones() -> dict[str, int]:
    """Return the version of each tombstone by entity id."""
    return dict(Tombstone.objects.values_list("entity_id", "version"))


def by_entity(events: Iterable[Envelope]) -> dict[str, list[Envelope]]:
    """Return the events of each entity by version."""
    found: dict[str, list[Envelope]] = {}
    for one in sorted(events, key=lambda one: one["version"]):
        found.setdefault(one["entity_id"], []).append(one)
    return found


def folded(events: Iterable[Envelope]) -> Rows:
    """Return the rows that the events stand for."""
    expected: Rows = {decoder.projection.entity: {} for decoder in DECODERS}
    expected |= {decoder.child.source: {} for decoder in DECODERS if decoder.child}
    for entity_id, versions in by_entity(events).items():
        decoded = [decode(one["event_type"].split(".")[0], entity_id.encode(), raw(one)) for one in versions]
        newest, decoder = decoded[-1], decoded[-1].decoder
        states = [one for one in decoded if one.row is not None]
        gone = newest.row is None and decoder.projection.deletion is Deletion.REMOVES
        if gone or not states:
            continue
        row = list(states[-1].row or [])
        if newest.row is None:
            row[ENVELOPE_SLICE] = newest.envelope
            row[decoder.columns.index("deleted_at")] = newest.deleted_at
        expected[decoder.projection.entity][entity_id] = _read(decoder.projection.model, decoder.columns, row)
        if decoder.child:
            for child in states[-1].children:
                key = (entity_id, child[decoder.child.key_position])
                expected[decoder.child.source][key] = _read(decoder.child.model, decoder.child.columns, child)
    return expected


def _read(model: Any, columns: Sequence[str], row: Sequence[Any]) -> list[Any]:
    """Return a row's values as reading gives them: JSON is no text then."""
    kinds = {name: one.get_internal_type() for name, one in columns_of(model).items()}
    return [
        json.loads(value) if kinds[name] == "JSONField" and value is not None else value
        for name, value in zip(columns, row, strict=True)
    ]
