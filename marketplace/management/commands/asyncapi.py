"""manage.py asyncapi: the AsyncAPI document of the events, or the JSON Schema of one of them."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from marketplace.asyncapi.document import text
from marketplace.asyncapi.schemas import schema_of
from marketplace.events.catalogue import CATALOGUE


class Command(BaseCommand):
    help = (
        "Write the AsyncAPI 3.0 document of the events, as YAML, or with --schema the JSON Schema (draft 2020-12) of"
        " one event type. Both are derived from the event catalogue and the documents. Needs no server."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--file", type=Path, help="where to write it (default: the standard output)")
        parser.add_argument("--schema", choices=sorted(CATALOGUE), metavar="TYPE", help="an event type: order.created")

    def handle(self, *_args: Any, file: Path | None, schema: str | None, **_options: Any) -> None:
        found = f"{json.dumps(schema_of(CATALOGUE[schema]), indent=2)}\n" if schema else text()
        if file is None:
            self.stdout.write(found, ending="")
            return
        try:
            file.write_text(found)
        except OSError as error:
            raise CommandError(f"{file} cannot be written: {error.strerror}") from error
