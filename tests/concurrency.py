"""Threads that start together, for tests of what happens at once."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def at_once(count: int, work: Callable[[int], Any]) -> list[Any]:
    """Run the work in threads that start together, and return what each gave."""
    ready = threading.Barrier(count)

    def run(index: int) -> Any:
        ready.wait()
        return work(index)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))
