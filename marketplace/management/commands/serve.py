"""manage.py serve: the API process."""

from argparse import ArgumentTypeError
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from marketplace import checks
from marketplace.serving import ApiServer

MOST = 1000  # workers, and threads of each: more is a slip of the fingers


def _within(low: int, high: int) -> Callable[[str], int]:
    """Return what reads an option that is a whole number from `low` to `high`."""

    def read(text: str) -> int:
        if not text.isdecimal() or not low <= int(text) <= high:
            raise ArgumentTypeError(f"{text!r} is no whole number from {low} to {high}")
        return int(text)

    return read


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
        parser.add_argument("--port", type=_within(1, 65_535), default=8000, help="port to listen on (default: 8000)")
        parser.add_argument(
            "--workers", type=_within(1, MOST), default=1, help="processes, one for each core (default: 1)"
        )
        parser.add_argument(
            "--threads",
            type=_within(1, MOST),
            default=4,
            help="requests that each answers at a time (default: 4)",
        )

    def handle(self, **options: Any) -> None:
        if problems := checks.serving_problems():
            raise CommandError("\n".join(problems))
        api = ApiServer(options["host"], options["port"], workers=options["workers"], threads=options["threads"])
        try:
            api.run()
        except OSError as error:
            raise CommandError(f"A port cannot be used: {error}") from error
