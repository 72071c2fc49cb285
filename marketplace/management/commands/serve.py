"""manage.py serve: the API process."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from marketplace import checks
from marketplace.serving import ApiServer


class Command(BaseCommand):
    help = (
        "Serve the API until stopped. SIGTERM or Ctrl-C lets running requests end, for 5 seconds at most. A worker that"
        " ends by itself is replaced. Where METRICS_PORT is set, it answers /metrics (of all workers), /live and /ready"
        " there."
    )

    # They import the whole API, which only the workers need; `manage.py check` runs them.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
        parser.add_argument("--port", type=int, default=8000, help="port to listen on (default: 8000)")
        parser.add_argument("--workers", type=int, default=1, help="processes; about one for each core (default: 1)")
        parser.add_argument(
            "--threads", type=int, default=4, help="requests that one of them answers at a time (default: 4)"
        )

    def handle(self, **options: Any) -> None:
        if problems := checks.serving_problems():
            raise CommandError("\n".join(problems))
        api = ApiServer(options["host"], options["port"], workers=options["workers"], threads=options["threads"])
        try:
            api.run()
        except OSError as error:
            raise CommandError(f"A port cannot be used: {error}") from error
