"""manage.py write_definitions: bring the document that says what every number means up to date."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from analytics.reports.definitions import write


class Command(BaseCommand):
    help = (
        "Write what each key figure, report and column means into the document, between its two marks. The definitions"
        " are those that the API and the dashboard show (analytics/reports/). Exits with 0 when the document is up to"
        " date, or is now; 1 when it has no place for them. Needs no database."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("document", type=Path, help="the document to write them into, docs/analytics.md")

    def handle(self, *_args: Any, document: Path, **_options: Any) -> None:
        try:
            changed = write(document)
        except (OSError, ValueError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{document} {'is written' if changed else 'was up to date'}.")
