"""manage.py rebuild_analytics: make the analytics tables what MongoDB says."""

from datetime import UTC
from typing import Any

from django.core.management.base import CommandError, CommandParser

from analytics import mending
from analytics.comparison import Kind
from analytics.decoding import EntityDecoder
from analytics.management.table_command import Progress, TableCommand

NAMED = 5


class Command(TableCommand):
    help = (
        "Write the analytics tables anew from MongoDB, while API, relay and consumers go on: rows that are missing,"
        " wrong or older are written, rows that MongoDB does not have are removed, right ones are left alone. No table"
        " is emptied meanwhile. In the end the daily roll-ups are made what the tables say. Stopped with Ctrl-C or"
        " killed, it goes on from there within a day. Exits with 1 when"
        " there are documents that the tables cannot hold, with 2 when a server fails, or when MongoDB has no"
        " documents for a table that has rows (see --allow-empty)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--restart", action="store_true", help="do not go on where the last run was stopped")

    def handle(self, **options: Any) -> None:
        self._refused: list[str] = []
        super().handle(**options)
        if self._refused:
            raise CommandError(
                f"{len(self._refused)} documents that the tables cannot hold, see the dead letters:"
                f" {', '.join(self._refused[:NAMED])}"
            )

    def work(self, options: dict[str, Any]) -> None:
        super().work(options)
        for _ in self.compare_roll_ups(options, repair=True):
            pass

    def writes(self, _options: dict[str, Any]) -> bool:
        return True

    def go_through(self, decoder: EntityDecoder, progress: Progress, options: dict[str, Any]) -> tuple[int, str]:
        if options["restart"]:
            mending.restart(decoder)
        if stopped := mending.interrupted_at(decoder):
            self.stdout.write(
                f"{decoder.projection.model._meta.db_table}: going on after {stopped.row_id}, where a run stopped at"
                f" {stopped.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC; what comes before is not looked at again"
                " (--restart begins anew)"
            )
        rebuilt = mending.rebuild(decoder, batch_size=options["batch_size"], progress=progress)
        self._refused += rebuilt.refused
        done = [f"{number:,} {kind}" for kind, number in sorted(rebuilt.kinds.items()) if kind is not Kind.REFUSED]
        return rebuilt.documents, f"made right: {', '.join(done)}" if done else "all rows were right"
