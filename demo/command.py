"""The base of the seeding commands: their options, the progress bar, what is skipped, and the summary."""

import argparse
from collections.abc import Iterable
from datetime import UTC, datetime, time
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from pymongo.errors import PyMongoError
from tqdm import tqdm

from demo.generation import Demand, Item, missing
from marketplace.errors import UnavailableError
from marketplace.management.interruptible import InterruptibleCommand


class DemoCommand(InterruptibleCommand):
    """A command that makes demo data: a subclass says what, and how many by default."""

    what: str
    counted = ""  # what --count counts, where that is only a part of it
    default_count: int
    # The checks import the whole API; `manage.py check` runs them.
    requires_system_checks: list[str] = []

    def items(self, demand: Demand) -> Iterable[Item]:
        """Return the data in the order to make it in. Raises CommandError when something has to be there first."""
        raise NotImplementedError

    def add_arguments(self, parser: CommandParser) -> None:
        how_many = f"how many {self.counted or self.what} (default: %(default)s)"
        parser.add_argument("--count", type=whole_number, default=self.default_count, help=how_many)
        parser.add_argument(
            "--seed", type=int, default=1, help="another number gives other data, the same number the same (default: 1)"
        )
        parser.add_argument(
            "--until", type=midnight, help="YYYY-MM-DD: the data reaches up to the start of this day (default: today)"
        )

    def handle(self, **options: Any) -> None:
        if not settings.MONGODB_URL:
            raise CommandError("MONGODB_URL is not set. Set it, or run `manage.py quickstart`, which brings its own.")
        demand = Demand(options["count"], options["seed"], options["until"] or today())
        try:
            created, skipped = self._make(list(self.items(demand)), quiet=not options["verbosity"])
        except (UnavailableError, PyMongoError) as error:
            raise CommandError(f"MongoDB fails, run this again to go on: {error}") from error
        if options["verbosity"]:
            self.stdout.write(f"Created {created} {self.what}, skipped {skipped} that exist.")

    def _make(self, items: list[Item], *, quiet: bool) -> tuple[int, int]:
        """Make what does not exist. Return how many were created, and how many skipped."""
        to_make = list(missing(items))
        # None: a bar on a terminal only.
        for item in tqdm(to_make, desc=self.what, unit="", disable=True if quiet else None):
            item.make()
        return len(to_make), len(items) - len(to_make)


def whole_number(text: str) -> int:
    """Return the number that an option's text stands for. Raises ArgumentTypeError below 0."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 0 on")
    return int(text)


def today() -> datetime:
    """Return the start of this day in UTC."""
    return datetime.combine(datetime.now(UTC), time(), UTC)


def midnight(text: str) -> datetime:
    """Return the start of a day in UTC. Raises ArgumentTypeError for anything but an ISO date."""
    try:
        day = datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007  # the zone follows
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no date like 2026-01-31") from error
    return datetime.combine(day, time(), UTC)
