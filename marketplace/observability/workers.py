"""What all worker processes of the API count, added up for one scrape, beside what each process uses.

A worker writes its counts to files in a folder (prometheus_client's multiprocess mode); those of one that has ended
stay, because a counter must not go down. The files are no bigger for it: there is one set for each worker ever started.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

from prometheus_client import Metric, ProcessCollector
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

# The processes that are alive, by a name that a successor takes over.
Pids = Callable[[], Mapping[str, int]]


class WorkersCollector(Collector):
    """Gathers the workers' metrics from a folder."""

    def __init__(self, folder: str, alive: Pids) -> None:
        self._folder = Path(folder)
        self._alive = alive
        self._metrics = MultiProcessCollector(None, folder)

    def collect(self) -> Iterable[Metric]:
        """Return the sums. A worker that has ended has no requests in progress any more."""
        alive = {str(pid) for pid in self._alive().values()}
        for path in self._folder.glob("gauge_live*.db"):
            pid = path.stem.rpartition("_")[2]
            if pid not in alive:
                path.unlink(missing_ok=True)  # another scrape at this moment may have done so
        found: Iterable[Metric] = self._metrics.collect()
        return found


class ProcessesCollector(Collector):
    """Gathers memory, CPU time and open files of each process (process_*), with its name as a label."""

    def __init__(self, alive: Pids) -> None:
        self._alive = alive

    def collect(self) -> Iterable[Metric]:
        """Return a sample for each process that is alive."""
        families: dict[str, Metric] = {}
        for name, pid in {"main": os.getpid(), **self._alive()}.items():
            for found in ProcessCollector(pid=partial(int, pid), registry=None).collect():
                family = families.setdefault(found.name, Metric(found.name, found.documentation, found.type))
                for sample in found.samples:
                    family.add_sample(sample.name, {"process": name}, sample.value)
        return families.values()
