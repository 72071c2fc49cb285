"""A few kills on the embedded servers; and does the bench see what it is there to see?"""

import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from analytics.progress import Counts
from marketplace.events.catalogue import CATALOGUE
from tests.system.faults import bench, faults, ledger, platform, points, processes, rounds, tables, tap
from tests.system.faults.__main__ import main
from tests.system.faults.counting import COUNTED
from tests.system.faults.findings import Kind

SEED = 20
KILLS = ("relay-committed", "consumer-before-commit")


@pytest.fixture
def running(tmp_path: Path) -> Iterator[bench.Bench]:
    with platform.running("embedded", tmp_path) as servers, bench.opened(servers, tmp_path, SEED) as opened:
        yield opened


def test_nothing_is_lost_or_doubled_when_processes_are_killed(running: bench.Bench) -> None:
    rng = random.Random(SEED)
    assert running.check() == []
    for fault in faults.known([]):
        if fault.point in KILLS or fault.is_rewind:
            assert rounds.run(running, fault, rng).findings == [], f"{fault.title}, seed {SEED}"
    assert running.check_all() + running.stop() == [], f"seed {SEED}"


def test_all_event_types_are_known() -> None:
    assert {f"{entity}.{name}" for entity, names in tap.EVENT_TYPES.items() for name in names} == set(CATALOGUE)


def test_a_consumers_partitions_are_read_off_its_log() -> None:
    said = "INFO 15 more partitions assigned\nINFO 15 more partitions assigned\n"
    assert (rounds.held(""), rounds.held(said), rounds.held(said + "INFO 10 partitions revoked\n")) == (0, 30, 20)


@pytest.mark.parametrize("gaps", [0, 3])
def test_a_consumer_that_misses_versions_is_heard(gaps: int) -> None:
    assert bench.tells_of_missing(f"INFO {Counts(gaps=gaps)}") == bool(gaps)


@pytest.mark.parametrize(
    ("batches", "expected"),
    [
        ([(0, 2, 2), (2, 5, 2)], []),
        ([(0, 2, 2), (2, 5, 1)], [Kind.LOST]),
        ([(0, 2, 2), (4, 5, 1)], [Kind.LOST]),
        ([(2, 5, 2)], [Kind.LOST]),
        ([(0, 5, 5)], [Kind.DOUBLED]),
        ([(0, 5, 4), (1, 5, 3)], []),
    ],
    ids=["all", "one left out", "offsets jumped", "begun late", "one too many", "set back"],
)
def test_the_ledger_tells_what_was_skipped(batches: list[tuple[int, int, int]], expected: list[Kind]) -> None:
    counted = tables.SqliteTables(lambda: sqlite3.connect(":memory:"))
    counted.query(f"CREATE TABLE {COUNTED} (id INTEGER PRIMARY KEY, topic, number, start, next, messages)")
    for batch in batches:
        counted.query(f"INSERT INTO {COUNTED} VALUES (NULL, 'user', 0, {batch[0]}, {batch[1]}, {batch[2]})")  # noqa: S608
    messages = [0, 1, 3, 4]  # a transaction ends at 2
    found = ledger.skipped(counted, lambda _, start, end: sum(start <= offset < end for offset in messages))
    assert [finding.kind for finding in found] == expected


@pytest.mark.parametrize(
    "arguments", [["--kills=0"], ["--kills=-1"], ["--only=nobody"], ["--servers=embedded", "--only=kafka,mariadb"]]
)
def test_a_run_without_a_kill_is_refused_at_once(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["faults", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2


@pytest.mark.parametrize("name", points.POINTS)
def test_every_point_is_there(name: str) -> None:
    assert callable(getattr(*points.find(points.POINTS[name].target)))


def test_a_point_whose_function_is_gone_is_refused() -> None:
    with pytest.raises(LookupError, match="gone"):
        points.find("analytics.offsets:OffsetStore.no_such_method")


@pytest.mark.parametrize("order", ["no-such-point:1", "consumer-mid-upsert:1"])
def test_who_ends_of_something_else_was_not_killed(order: str, tmp_path: Path) -> None:
    checking = processes.Process("consumer", "consumer", ["check"], {}, tmp_path)  # inserts nothing, and ends
    checking.start(order)
    assert not checking.wait_until_gone()
    assert checking.exit_code == int(order.startswith("no-such"))
