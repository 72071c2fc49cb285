"""The ledger: what the consumers write down in their own transactions, by SQL triggers and by `counting`.

Idempotent upserts would hide that something was done twice, and compaction that something was left out; this does not.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable

from tests.system.faults.counting import COUNTED
from tests.system.faults.findings import Finding, Kind
from tests.system.faults.tables import Row, Tables
from tests.system.faults.tap import Partition, Tap

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
    """Make the ledger's tables and the triggers that fill two of them."""
    key, serial = tables.key, tables.serial
    tables.query(f"CREATE TABLE {APPLIED} (id {serial}, entity {key}, entity_id {key}, version BIGINT)")
    columns = ", ".join(f"{name} {key}" for name in _PLACE)
    tables.query(
        f"CREATE TABLE {STORED} (id {serial}, {columns}, start BIGINT, next BIGINT, is_ours INTEGER DEFAULT 0)"
    )
    tables.query(
        f"CREATE TABLE {COUNTED}"
        f" (id {serial}, topic {key}, number INTEGER, start BIGINT, next BIGINT, messages INTEGER)"
    )
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


def set_back(tables: Tables, messages: int) -> None:
    """Have the consumers read the last so many offsets of each partition again."""
    tables.query(
        "UPDATE consumer_offsets SET next_offset = CASE"  # noqa: S608
        f" WHEN next_offset > {messages} THEN next_offset - {messages} ELSE 0 END"
    )
    tables.query(f"UPDATE {STORED} SET is_ours = 1 WHERE next < start")  # noqa: S608


def untiled(tables: Tables) -> list[Finding]:
    """Return where a partition's offset moved back, and not by `set_back`: messages are stored twice."""
    ranges: dict[str, list[Row]] = defaultdict(list)
    for row in tables.query(f"SELECT * FROM {STORED} ORDER BY id"):  # noqa: S608
        ranges[f"{row['group_id']}: {row['topic']}/{row['partition']}"].append(row)
    return [finding for place, rows in sorted(ranges.items()) for finding in _steps_back(place, rows)]


def _steps_back(place: str, rows: list[Row]) -> Iterable[Finding]:
    reached = rows[0]["start"]
    for row in rows:
        if row["start"] != reached or (row["next"] < row["start"] and not row["is_ours"]):
            text = f"{place}: offsets {row['start']} to {row['next']} stored where {reached} was next"
            yield Finding(Kind.DOUBLED, text)
        reached = row["next"]


def skipped(tables: Tables, count: Callable[[Partition, int, int], int]) -> list[Finding]:
    """Return where the consumers stored more or fewer messages than `count` knows between the same offsets."""
    findings: list[Finding] = []
    reached: dict[Partition, int] = {}
    for row in tables.query(f"SELECT * FROM {COUNTED} ORDER BY id"):  # noqa: S608
        partition = row["topic"], row["number"]
        start, end = min(row["start"], reached.get(partition, 0)), row["next"]
        heard = count(partition, start, end)
        if heard != row["messages"]:
            kind = Kind.LOST if row["messages"] < heard else Kind.DOUBLED
            text = f"{partition}: {row['messages']} messages stored between {start} and {end}, of {heard}"
            findings.append(Finding(kind, text))
        reached[partition] = end
    return findings


def is_heard(tables: Tables, tap: Tap) -> bool:
    """Tell whether the tap has come as far as the consumers."""
    rows = tables.query(f"SELECT topic, number, MAX(next) AS reached FROM {COUNTED} GROUP BY topic, number")  # noqa: S608
    return all(tap.reached((row["topic"], row["number"])) >= row["reached"] for row in rows)
