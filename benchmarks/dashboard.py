"""What history costs the dashboard and the reports: the same questions on 10,000 and on 1,000,000 orders in MariaDB.

Two shapes of growth: as many orders a day over a hundred times as many days, and the same two years a hundred times as
dense. The first must cost nothing. The second may: more products and suppliers have sold on each of the days.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection
from django.test import Client

from analytics.reports.catalogue import REPORTS
from analytics.reports.report import Question, Report
from benchmarks.bulk import fill
from benchmarks.bulk_rows import Size
from benchmarks.plans import Query, full_scans, queries
from benchmarks.report import as_markdown

FEW, MANY = 10_000, 1_000_000
# The days over which the few orders and the many are spread. The shorter history is that of two presets of 90 days.
SHAPES = {"longer history": (180, 180 * MANY // FEW), "denser days": (730, 730)}
PRESETS = ("28d", "90d")
MOST_QUERIES, MOST_RATIO = 20, 1.5
# Measured in a row on one side, after one that is not counted.
REPEATS = 5
SUPPLIER = f"a{0:023x}"  # the one with most products

Call = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Side:
    """A database with what can be asked of it, and how many queries each took there."""

    database: str
    calls: dict[str, Call]
    queries: dict[str, list[Query]]


@dataclass(frozen=True, slots=True)
class Cost:
    """How one question's time on many orders relates to that on few, and how many queries it took."""

    what: str
    shape: str
    ratios: list[float]
    queries: tuple[int, int]
    scans: list[str]

    def cells(self) -> list[str]:
        """Return the row of the table."""
        ratio = statistics.median(self.ratios)
        met = ratio < MOST_RATIO and max(self.queries) <= MOST_QUERIES and not self.scans
        return [
            self.what,
            self.shape,
            f"{ratio:.2f}",
            f"{min(self.ratios):.2f} to {max(self.ratios):.2f}",
            " and ".join(map(str, self.queries)),
            ", ".join(self.scans) or "none",
            "met" if met else "**not met**",
        ]


def dashboard(rounds: int) -> str:
    """Fill databases of each shape, measure them in turns, and return the table as Markdown."""
    if connection.vendor != "mysql":
        raise RuntimeError("the dashboard part is about MariaDB: set DATABASE_URL")
    rows = [cost.cells() for shape, days in SHAPES.items() for cost in _measured(shape, days, rounds)]
    header = ["what", "growth", "time ratio", "lowest to highest round", "queries", "full scans of orders", ""]
    return f"{_explanation()}\n\n{as_markdown(header, rows)}"


def _explanation() -> str:
    spread = "; ".join(f"{shape}: {few:,} and {many:,} days" for shape, (few, many) in SHAPES.items())
    return (
        f"Time on {MANY:,} orders (some {2 * MANY:,} lines) divided by time on {FEW:,}, median over the rounds, in"
        f" {_version()}. {spread}. The admin's home is the whole page with a session, through all middleware; reports"
        f" answer for the default range. Wanted: below {MOST_RATIO:g}, at most {MOST_QUERIES} queries, no plan that"
        " reads orders or their lines from end to end."
    )


def _version() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT VERSION()")
        return str(cursor.fetchone()[0])


def _measured(shape: str, days: tuple[int, int], rounds: int) -> Iterator[Cost]:
    with filled(FEW, days[0]) as few, filled(MANY, days[1]) as many:
        yield from compared(shape, few, many, rounds)


def compared(shape: str, few: str, many: str, rounds: int) -> Iterator[Cost]:
    """Measure two filled databases in turns."""
    sides = [_side(few), _side(many)]
    times: dict[str, list[list[float]]] = {what: [[], []] for what in sides[0].calls}
    for number in range(rounds):
        for what, taken in times.items():
            for position in (0, 1) if number % 2 == 0 else (1, 0):
                use(sides[position].database)
                taken[position].append(_seconds(sides[position].calls[what]))
    use(many)
    for what, (on_few, on_many) in times.items():
        print(f"{shape:16} {what:24} {_milliseconds(on_few)} {_milliseconds(on_many)} ms", flush=True)
        asked = sides[0].queries[what], sides[1].queries[what]
        scans = sorted({scan for query in asked[1] for scan in full_scans(query)})
        ratios = [large / small for small, large in zip(on_few, on_many, strict=True)]
        yield Cost(what, shape, ratios, (len(asked[0]), len(asked[1])), scans)


def _milliseconds(seconds: list[float]) -> str:
    return f"{1000 * statistics.median(seconds):8.1f}"


def _seconds(call: Call) -> float:
    """Return the least time of REPEATS calls: what else the machine does only ever adds to it."""
    call()
    found = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        call()
        found.append(time.perf_counter() - begun)
    return min(found)


@contextmanager
def filled(orders: int, days: int, *, is_quiet: bool = False) -> Iterator[str]:
    """Make a database of so many orders for the length of the block, and give its name."""
    original, name = connection.settings_dict["NAME"], f"{connection.settings_dict['NAME']}_{orders}_{days}"
    quoted = connection.ops.quote_name(name)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {quoted}")
    use(name)
    call_command("migrate", verbosity=0)
    fill(Size(orders, days, datetime.now(UTC).date() + timedelta(days=1)), is_quiet=is_quiet)
    use(original)
    try:
        yield name
    finally:
        use(original)
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {quoted}")


def use(database: str) -> None:
    """Go on with another database of the server."""
    connection.close()
    connection.settings_dict["NAME"] = database
    connection.ensure_connection()


def _side(database: str) -> Side:
    use(database)
    calls = {f"admin's home, {preset}": _page(preset) for preset in PRESETS}
    calls |= {name: _answer(report) for name, report in REPORTS.items()}
    for call in calls.values():
        call()  # what is read once per process is not counted
    return Side(database, calls, {what: queries(call) for what, call in calls.items()})


def _page(preset: str) -> Call:
    client = Client()
    accounts = get_user_model()._default_manager
    client.force_login(accounts.create(username=f"staff-{preset}", is_staff=True, is_superuser=True))

    def load() -> None:
        answer = client.get(f"/admin/?range={preset}")
        if answer.status_code != 200 or b"Revenue" not in answer.content:  # noqa: PLR2004
            raise RuntimeError(f"the dashboard answers {answer.status_code}")

    return load


def _answer(report: Report) -> Call:
    question = Question(limit=report.default_limit, supplier_id=SUPPLIER)
    return lambda: list(report.rows(question))
