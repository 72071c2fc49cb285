"""The order of the parts: data first, then the API with all compared services, then the event pipeline."""

from collections.abc import Collection
from pathlib import Path

from django.core.management import call_command

from benchmarks import http_api, memory
from benchmarks.consumer import consumer
from benchmarks.delay import delay
from benchmarks.pages import pages
from benchmarks.poison import poison
from benchmarks.relay import relay
from benchmarks.report import OURS, Row, comparisons
from benchmarks.rollups import roll_ups


def run(parts: Collection[str], folder: Path, rounds: int, seconds: float, events: int, waiting: int) -> list[str]:
    """Run the named parts and return their tables as Markdown."""
    tables = []
    if "backlog" in parts:
        from benchmarks.backlog import backlog  # noqa: PLC0415  # needs MySQLdb, the others do not

        tables.append(backlog(waiting).table())
    if "dashboard" in parts:
        from benchmarks.dashboard import dashboard  # noqa: PLC0415  # needs MySQLdb, too

        tables.append(dashboard(rounds))
    if "costs" in parts:
        from benchmarks.costs import costs  # noqa: PLC0415  # wants real servers

        tables += costs(folder, seconds)
    if set(parts) - {"backlog", "dashboard", "costs"}:
        tables += _compare(parts, folder, rounds, seconds, events)
    return tables


def _compare(parts: Collection[str], folder: Path, rounds: int, seconds: float, events: int) -> list[str]:
    for command in ("migrate", "create_indexes", "create_topics"):
        call_command(command, verbosity=0)
    shop = http_api.filled()
    rows: list[Row] = []
    memories: list[memory.Memory] = []
    if {"reads", "orders"} & set(parts):
        with http_api.services() as running:
            worker = running[OURS].worker
            watched = memory.Memory("API worker", 150, memory.resident(worker))
            with memory.watching(worker, watched):
                rows += http_api.reads(running, shop, folder, rounds, seconds) if "reads" in parts else []
                rows += http_api.orders(running, shop, folder, rounds, seconds) if "orders" in parts else []
        memories.append(watched)
    if "consumer" in parts:
        rows += consumer(rounds)
    if "poison" in parts:
        rows += poison(rounds)
    if "rollups" in parts:
        rows += roll_ups(rounds)
    if "relay" in parts:
        rows += relay(rounds)
    if "memory" in parts:
        memories += memory.pipeline(events)
    tables = [pages(shop, rounds)] if "pages" in parts else []
    tables += [delay(shop)] if "delay" in parts else []
    return [*([comparisons(rows)] if rows else []), *tables, *([memory.table(memories)] if memories else [])]
