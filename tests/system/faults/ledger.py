"""The ledger: SQL triggers that write down, in the consumer's own transactions, what it applies and which offsets it
stores. Idempotent upserts would hide that something was done twice; this does not.
"""

from collections import defaultdict
from collections.abc import Iterable

from tests.system.faults.findings import Finding, Kind
from tests.system.faults.tables import Tables

APPLIED = "bench_applied"
STORED = "bench_stored"
# `partition` is a reserved word in MySQL, and SQLite takes its quotes, too.
_PLACE = ("cluster_id", "topic", "`partition`", "group_id")
_ENTITIES = {
    "user": ("users", "user_id"),
    "supplier": ("suppliers", "supplier_id"),
    "product": ("products", "product_id"),
    "order": ("orders", "order_id"),
    "post": ("posts", "post_id"),
}


def create(tables: Tables) -> None:
    """Make the ledger's two tables and the triggers that fill them."""
    key, serial = tables.key, tables.serial
    tables.query(f"CREATE TABLE {APPLIED} (id {serial}, entity {key}, entity_id {key}, version BIGINT)")
    columns = ", ".join(f"{name} {key}" for name in _PLACE)
    tables.query(f"CREATE TABLE {STORED} (id {serial}, {columns}, start BIGINT, next BIGINT)")
    for entity, (table, column) in _ENTITIES.items():
        _on(tables, table, f"'{entity}', NEW.{column}, NEW.version")
    _on(tables, "tombstones", "NEW.entity, NEW.entity_id, NEW.version")
    place = ", ".join(f"NEW.{name}" for name in _PLACE)
    for event, old in (("INSERT", "NEW"), ("UPDATE", "OLD")):
        values = f"{place}, {old}.next_offset, NEW.next_offset"
        body = f"INSERT INTO {STORED} ({', '.join(_PLACE)}, start, next) VALUES ({values})"  # noqa: S608
        _trigger(tables, "consumer_offsets", event, body)


def _on(tables: Tables, table: str, values: str) -> None:
    for event in ("INSERT", "UPDATE"):
        body = f"INSERT INTO {APPLIED} (entity, entity_id, version) VALUES ({values})"  # noqa: S608
        _trigger(tables, table, event, body)


def _trigger(tables: Tables, table: str, event: str, body: str) -> None:
    name = f"bench_{table}_{event}".lower()
    tables.query(tables.trigger.format(name=name, when=f"AFTER {event}", table=table, body=body))


def doubled(tables: Tables) -> list[Finding]:
    """Return the versions that were applied more than once."""
    rows = tables.query(
        f"SELECT entity, entity_id, version, COUNT(*) AS times FROM {APPLIED}"  # noqa: S608
        " GROUP BY entity, entity_id, version HAVING COUNT(*) > 1"
    )
    return [
        Finding(
            Kind.DOUBLED, f"{row['entity']} {row['entity_id']}: version {row['version']} applied {row['times']} times"
        )
        for row in rows
    ]


def untiled(tables: Tables) -> list[Finding]:
    """Return where the stored ranges of a partition overlap (messages stored twice) or leave a hole (lost)."""
    ranges: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for row in tables.query(f"SELECT * FROM {STORED} ORDER BY id"):  # noqa: S608
        ranges[f"{row['group_id']}: {row['topic']}/{row['partition']}"].append((row["start"], row["next"]))
    return [finding for place, found in sorted(ranges.items()) for finding in _gaps(place, found)]


def _gaps(place: str, ranges: list[tuple[int, int]]) -> Iterable[Finding]:
    reached = ranges[0][0]
    for start, following in ranges:
        if start != reached or following < start:
            kind = Kind.LOST if start > reached else Kind.DOUBLED
            yield Finding(kind, f"{place}: offsets {start} to {following} stored where {reached} was next")
        reached = following
