"""manage.py verify_analytics: compare the analytics tables with MongoDB, and mend them if asked to."""

import argparse
import math
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError, InterfaceError

from analytics.decoding import EntityDecoder
from analytics.management.table_command import Progress, TableCommand
from analytics.models import VerificationRun
from analytics.verification import Findings, Verification


class Command(TableCommand):
    help = (
        "Compare the analytics tables with MongoDB, every column and in both directions, while API, relay and consumers"
        " go on. What differs is looked at again after the settle time, and counts only if nothing has moved: what is"
        " on its way is no difference. missing: a document without row; extra: a row without document; stale: an older"
        " version; altered: the same version with another content; ahead: a version that MongoDB does not have;"
        " refused: a document that the tables cannot hold. --rollups compares the daily roll-ups with the rows of the"
        " tables instead, and needs no MongoDB; --repair without it mends both. Exits with 0 when all is right, or has"
        " been mended; 1 when not; 2 when a server fails, or --repair finds no documents for a table that has rows"
        " (see --allow-empty)."
    )
    farewell = "Stopped before the end: the rest has not been compared."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--rollups",
            action="store_true",
            help="look at the roll-ups only: are they what the rows of the tables say?",
        )
        parser.add_argument("--repair", action="store_true", help="write what is wrong anew, and look at it again")
        parser.add_argument(
            "--settle",
            type=_seconds,
            default=10.0,
            metavar="SECONDS",
            help="how long a difference must last; longer than events take to arrive (default: %(default)s)",
        )

    def handle(self, **options: Any) -> None:
        started_at = datetime.now(UTC)
        self._checked = self._wrong = self._mended = 0
        super().handle(**options)
        tables = ", ".join(decoder.projection.model._meta.db_table for decoder in options["only"])
        self._record(started_at, f"{'roll-ups' if options['rollups'] else 'tables'}: {tables}")
        if self._wrong:
            raise CommandError(f"{self._wrong:,} differences. --repair mends them.")

    def work(self, options: dict[str, Any]) -> None:
        if not options["rollups"]:
            super().work(options)
        if options["rollups"] or options["repair"]:
            for findings in self.compare_roll_ups(options, repair=options["repair"]):
                self._checked += findings.keys
                self._wrong += findings.wrong
                self._mended += findings.mended

    def _record(self, started_at: datetime, scope: str) -> None:
        """Note what was found, for the report on the pipeline. Who may only read the tables can verify them, too."""
        try:
            VerificationRun.objects.create(
                started_at=started_at,
                finished_at=datetime.now(UTC),
                scope=scope,
                checked=self._checked,
                wrong=self._wrong,
                mended=self._mended,
            )
        except (DatabaseError, InterfaceError) as error:
            self.stderr.write(f"This run is not recorded: {error}")

    def writes(self, options: dict[str, Any]) -> bool:
        return bool(options["repair"])

    def go_through(self, decoder: EntityDecoder, progress: Progress, options: dict[str, Any]) -> tuple[int, str]:
        findings = Verification(
            decoder,
            settle_seconds=options["settle"],
            repair=options["repair"],
            batch_size=options["batch_size"],
            progress=progress,
        ).run()
        self._checked += findings.documents
        self._wrong += findings.wrong
        self._mended += findings.mended
        return findings.documents, f"{findings.rows:,} rows, {_told(findings)}"


def _told(findings: Findings) -> str:
    said = [
        f"{number:,} {kind} ({', '.join(findings.first[kind])}{', ...' if number > len(findings.first[kind]) else ''})"
        for kind, number in sorted(findings.counts.items())
    ]
    if findings.mended:
        said.append(f"{findings.mended:,} of them mended")
    if findings.moving:
        said.append(f"{findings.moving:,} on their way, not judged")
    return "; ".join(said) or "all right"


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds from 0 to 3600")
    return seconds
