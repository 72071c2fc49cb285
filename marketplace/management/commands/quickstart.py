"""manage.py quickstart: everything on this machine, in one terminal."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from marketplace.embedded import EmbeddedUnavailableError
from marketplace.embedded.quickstart import Quickstart, QuickstartError

MAX_PORT = 65535


def _port(text: str) -> int:
    number = int(text)
    if not 1 <= number <= MAX_PORT:
        raise ValueError
    return number


class Command(BaseCommand):
    help = (
        "Run the whole marketplace on this machine: MongoDB and a Kafka broker where MONGODB_URL and"
        " KAFKA_BOOTSTRAP_SERVERS name none, analytics in SQLite unless DATABASE_URL is set, demo data, API, relay and"
        f" consumer. Data is kept in {settings.DATA_DIR} between runs. Ctrl-C stops it all."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--port", type=_port, help="port of the API (default: 8000, or a free one if that is taken)"
        )
        parser.add_argument("--fresh", action="store_true", help="empty the data of the embedded servers first")
        parser.add_argument("--no-demo-data", action="store_false", dest="demo_data", help="begin with an empty shop")

    def _write(self, line: str) -> None:
        """Show a line at once, in a file or pipe as well."""
        self.stdout.write(line)
        self.stdout.flush()

    def handle(self, **options: Any) -> None:
        quickstart = Quickstart(
            self._write, port=options["port"], fresh=options["fresh"], demo_data=options["demo_data"]
        )
        try:
            quickstart.run()
        except KeyboardInterrupt:
            self.stdout.write("Stopped while preparing; the next start goes on.")
        except (QuickstartError, EmbeddedUnavailableError) as error:
            raise CommandError(str(error)) from error
