"""Holds the seven tables against the oracle, row by row and column by column, in both directions."""

import json
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

from tests.system.faults import rows
from tests.system.faults.findings import Finding, Kind
from tests.system.faults.oracle import MARKED, Entity, Oracle, State
from tests.system.faults.rows import Body, Row, moment
from tests.system.faults.tables import Tables
from tests.system.faults.tap import Tap, incomplete


@dataclass(frozen=True)
class Table:
    """A table of entities with the table of their children, if they have one."""

    name: str
    key: str
    row: Callable[[Body], Row]
    children: str | None = None
    child_key: str = ""
    child_rows: Callable[[Body], dict[Any, Row]] = lambda _: {}


TABLES = {
    "user": Table("users", "user_id", rows.user),
    "supplier": Table("suppliers", "supplier_id", rows.supplier),
    "product": Table("products", "product_id", rows.product, "product_variants", "variant_key", rows.variants),
    "order": Table("orders", "order_id", rows.order, "order_items", "item_id", rows.items),
    "post": Table("posts", "post_id", rows.post),
}


class Comparison:
    """Compares what the API acknowledged (oracle) and what Kafka carried (tap) with the tables."""

    def __init__(self, oracle: Oracle, tap: Tap, tables: Tables) -> None:
        self._oracle = oracle
        self._tap = tap
        self._tables = tables

    def unfinished(self, wanted: dict[Entity, int]) -> dict[Entity, int]:
        """Return those of the entities that have not reached the wanted version in the tables or in the topics."""
        found = self._versions(wanted)
        return {
            entity: version
            for entity, version in wanted.items()
            if found.get(entity, 0) < version or version not in self._tap.heard(entity)
        }

    def differences(self, entities: Collection[Entity]) -> list[Finding]:
        """Return what is wrong with the entities' rows and events."""
        findings: list[Finding] = []
        for kind, table in TABLES.items():
            ids = {identifier for each, identifier in entities if each == kind}
            findings += self._compared(kind, table, ids)
        for entity in sorted(entities):
            state = self._oracle.state(entity)
            findings += incomplete(self._tap, entity, state.version if state else 0)
        return findings

    def strangers(self) -> list[Finding]:
        """Return rows and events of entities that the oracle does not know."""
        known = self._oracle.entities()
        heard = [
            Finding(Kind.WRONG, f"topic {entity}: of no acknowledged write") for entity in self._tap.entities() - known
        ]
        stored = [
            Finding(Kind.WRONG, f"{table.name} {row[table.key]}: of no acknowledged write")
            for kind, table in TABLES.items()
            for row in self._tables.query(f"SELECT {table.key} FROM {table.name}")  # noqa: S608
            if (kind, row[table.key]) not in known
        ]
        return heard + stored + self._orphans()

    def _orphans(self) -> list[Finding]:
        """Return children whose parent's row is gone."""
        return [
            Finding(Kind.WRONG, f"{table.children} {row[table.key]}: without its row in {table.name}")
            for table in TABLES.values()
            if table.children
            for row in self._tables.query(
                f"SELECT DISTINCT {table.key} FROM {table.children} WHERE {table.key} NOT IN"  # noqa: S608
                f" (SELECT {table.key} FROM {table.name})"
            )
        ]

    def _versions(self, entities: Collection[Entity]) -> dict[Entity, int]:
        found: dict[Entity, int] = {}
        for kind, table in TABLES.items():
            ids = [identifier for each, identifier in entities if each == kind]
            for row in self._tables.of(table.name, table.key, ids, f"{table.key}, version"):
                found[kind, row[table.key]] = row["version"]
            for row in self._tables.of("tombstones", "entity_id", ids, "entity_id, version"):
                found.setdefault((kind, row["entity_id"]), row["version"])
        return found

    def _compared(self, kind: str, table: Table, ids: set[str]) -> Iterator[Finding]:
        found = {row[table.key]: row for row in self._tables.of(table.name, table.key, ids)}
        expected: dict[Any, Row] = {}
        children: dict[Any, Row] = {}
        for identifier in ids:
            state = self._oracle.state((kind, identifier))
            if state is None or (state.is_deleted and kind not in MARKED):
                continue
            expected[identifier] = table.row(state.body) | self._envelope((kind, identifier), state)
            children |= table.child_rows(state.body)
        yield from self._diff(table.name, expected, found)
        if table.children:
            owned = self._tables.of(table.children, table.key, ids)
            yield from self._diff(
                table.children, children, {(row[table.key], row[table.child_key]): row for row in owned}
            )

    def _envelope(self, entity: Entity, state: State) -> Row:
        """Return the columns that only the event tells, and its version as the oracle counts it."""
        heard = self._tap.heard(entity).get(state.version)
        row: Row = {"version": state.version}
        if heard is None:  # missing in the topic, which is a finding of its own
            return row
        row |= {"event_id": heard.event_id, "event_timestamp": moment(heard.timestamp)}
        if state.is_deleted:
            row["deleted_at"] = moment(heard.deleted_at)
        elif not state.is_newest:
            row["updated_at"] = moment(heard.timestamp)
        return row

    def _diff(self, table: str, expected: dict[Any, Row], found: dict[Any, Row]) -> Iterator[Finding]:
        for key in expected.keys() - found.keys():
            yield Finding(Kind.LOST, f"{table} {key}: the row is missing")
        for key in found.keys() - expected.keys():
            yield Finding(Kind.WRONG, f"{table} {key}: the row should not be there")
        for key in expected.keys() & found.keys():
            yield from self._diff_row(f"{table} {key}", expected[key], found[key])

    def _diff_row(self, name: str, expected: Row, found: Row) -> Iterator[Finding]:
        if found.get("version", 0) < expected.get("version", 0):
            yield Finding(Kind.LOST, f"{name}: version {found['version']}, acknowledged was {expected['version']}")
            return
        for column in sorted(expected.keys() | found.keys() - {"id"}):
            if column in ("event_id", "event_timestamp") and column not in expected:
                continue  # the topic lacks the event, which is a finding already
            want, have = (
                expected.get(column, "no such column"),
                self._value(column, found.get(column, "no such column")),
            )
            if want != have:
                yield Finding(Kind.WRONG, f"{name}: {column} should be {want!r:.200}, is {have!r:.200}")

    def _value(self, column: str, value: Any) -> Any:
        if column.endswith("_json") and value is not None:
            return json.loads(value)
        return self._tables.moment(value) if column.endswith(("_at", "_timestamp")) else value
