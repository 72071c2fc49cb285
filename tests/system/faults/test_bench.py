"""A few kills on the embedded servers; and does the bench see what it is there to see?"""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from analytics.progress import Counts
from marketplace.events.catalogue import CATALOGUE
from tests.system.faults import bench, faults, platform, points, processes, rounds, tap

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


@pytest.mark.parametrize("gaps", [0, 3])
def test_a_consumer_that_misses_versions_is_heard(gaps: int) -> None:
    assert bench.tells_of_missing(f"INFO {Counts(gaps=gaps)}") == bool(gaps)


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
