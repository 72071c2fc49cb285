"""What dead workers of the API have left, while several scrapes come at once."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from prometheus_client import Metric

from marketplace.observability.workers import WorkersCollector

SCRAPES = 4


def test_scrapes_at_one_moment_leave_out_a_dead_workers_gauges(tmp_path: Path) -> None:
    at_once = Barrier(SCRAPES)

    def scrape(_: int) -> list[Metric]:
        at_once.wait(10)
        return list(WorkersCollector(str(tmp_path), dict).collect())

    with ThreadPoolExecutor(SCRAPES) as pool:
        for _ in range(10):
            for pid in range(100):
                (tmp_path / f"gauge_livesum_{pid}.db").touch()
            assert list(pool.map(scrape, range(SCRAPES))) == [[]] * SCRAPES
            assert list(tmp_path.iterdir()) == []
