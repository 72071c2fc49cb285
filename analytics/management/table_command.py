"""What rebuild_analytics and verify_analytics share: which tables, batches, the progress bar, servers that are away."""

import argparse
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError, InterfaceError
from pymongo.errors import PyMongoError
from tqdm import tqdm

from analytics.decoding import DECODERS, EntityDecoder
from analytics.rollup_verification import Findings, RollUpVerification
from analytics.rollups import SOURCES
from analytics.source import source_of
from marketplace.management.interruptible import InterruptibleCommand

UNUSABLE = 2
MAX_BATCH = 10_000
_BY_TABLE = {decoder.projection.model._meta.db_table: decoder for decoder in DECODERS}

Progress = Callable[[int], object]


class TableCommand(InterruptibleCommand, ABC):
    """A command that goes through tables, one after the other."""

    # The checks import the whole API; `manage.py check` runs them.
    requires_system_checks: list[str] = []

    @abstractmethod
    def writes(self, options: dict[str, Any]) -> bool:
        """Tell whether the tables are going to be changed."""

    @abstractmethod
    def go_through(self, decoder: EntityDecoder, progress: Progress, options: dict[str, Any]) -> tuple[int, str]:
        """Do one table. Return how many documents it has, and what there is to say."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--only",
            type=_decoders,
            default=DECODERS,
            metavar="TABLES",
            help=f"comma-separated, of {', '.join(_BY_TABLE)}; children go with their parents (default: all)",
        )
        parser.add_argument(
            "--batch-size", type=_batch_size, default=500, help="documents at once (default: %(default)s)"
        )
        parser.add_argument(
            "--allow-empty", action="store_true", help="go on where MongoDB has no documents: all rows are removed"
        )

    def handle(self, **options: Any) -> None:
        try:
            self.work(options)
        except PyMongoError as error:
            raise CommandError(f"MongoDB fails: {error}. {self.farewell}", returncode=UNUSABLE) from error
        except (DatabaseError, InterfaceError) as error:
            raise CommandError(f"The SQL database fails: {error}. {self.farewell}", returncode=UNUSABLE) from error

    def work(self, options: dict[str, Any]) -> None:
        """Do all tables that were asked for."""
        if not settings.MONGODB_URL:
            raise CommandError("MONGODB_URL is not set.", returncode=UNUSABLE)
        if self.writes(options) and not options["allow_empty"]:
            _refuse_empty(options["only"])
        for decoder in options["only"]:
            self._do(decoder, options)

    def compare_roll_ups(self, options: dict[str, Any], *, repair: bool) -> Iterator[Findings]:
        """Compare the roll-ups of the tables with these, and yield what was found in each."""
        for decoder in options["only"]:
            if decoder not in SOURCES:
                continue
            table, started = decoder.projection.model._meta.db_table, time.monotonic()
            with tqdm(desc=f"roll-ups of {table}", unit=" portions", disable=_quiet(options)) as bar:
                findings = RollUpVerification(decoder, repair=repair, progress=bar.update).run()
            if options["verbosity"]:
                seconds = time.monotonic() - started
                self.stdout.write(f"roll-ups of {table}: {findings.keys:,} keys in {seconds:.1f} s: {findings}")
            yield findings

    def _do(self, decoder: EntityDecoder, options: dict[str, Any]) -> None:
        table, started = decoder.projection.model._meta.db_table, time.monotonic()
        with tqdm(total=source_of(decoder).count(), desc=table, unit=" documents", disable=_quiet(options)) as bar:
            documents, said = self.go_through(decoder, bar.update, options)
        seconds = time.monotonic() - started
        if options["verbosity"]:
            rate = documents / seconds
            self.stdout.write(f"{table}: {documents:,} documents in {seconds:.1f} s ({rate:,.0f} a second): {said}")


def _quiet(options: dict[str, Any]) -> bool | None:
    """Return what tqdm is told: a bar on a terminal only (None), or none at all."""
    return None if options["verbosity"] else True


def _refuse_empty(decoders: Iterable[EntityDecoder]) -> None:
    """Raise CommandError when a collection is empty and its table is not: this looks like another database.

    What is removed leaves tombstones that no event passes, so nothing would bring the rows back.
    """
    tables = {decoder.projection.model for decoder in decoders if source_of(decoder).is_empty()}
    if full := sorted(model._meta.db_table for model in tables if model._default_manager.exists()):
        raise CommandError(
            f"MongoDB's database {settings.DATABASE_NAME} has no documents for {', '.join(full)}, which have rows."
            " Is it the right one? With --allow-empty all those rows are removed for good. Nothing has changed.",
            returncode=UNUSABLE,
        )


def _decoders(text: str) -> Iterable[EntityDecoder]:
    names = text.split(",")
    if unknown := set(names) - _BY_TABLE.keys():
        raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: not among {', '.join(_BY_TABLE)}")
    return [decoder for name, decoder in _BY_TABLE.items() if name in names]


def _batch_size(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MAX_BATCH:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 to {MAX_BATCH:,}")
    return int(text)
