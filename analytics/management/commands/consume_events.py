"""manage.py consume_events: the consumer process."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from analytics.batches import TooManyBadMessagesError
from analytics.consumer import BAD_LIMIT, EventConsumer
from marketplace.management.operators import open_port
from marketplace.stopping import stop_on_signals


class Command(BaseCommand):
    help = (
        "Project domain events from Kafka into the analytics tables until stopped. SIGTERM or Ctrl-C ends it after the"
        " batch it is at, a second one at once; it may be killed at any point and run any number of times: offsets move"
        " together with the rows. Exits with 1 when too many messages in a row are bad. Where METRICS_PORT is set, it"
        " answers /metrics, /live and /ready there."
    )

    # The checks import the whole API, which would double this process's memory; `manage.py check` runs them.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--group", default=settings.KAFKA_GROUP_ID, help="consumer group; a new one reads all events again"
        )
        parser.add_argument("--batch-size", type=int, default=500, help="most events in one transaction (default 500)")
        parser.add_argument(
            "--bad-limit",
            type=int,
            default=BAD_LIMIT,
            help=f"most bad messages in a row that become dead letters; with one more it stops (default {BAD_LIMIT})",
        )
        parser.add_argument("--once", action="store_true", help="stop where the topics ended when it started")

    def handle(self, **options: Any) -> None:
        if options["batch_size"] < 1:
            raise CommandError("--batch-size must be at least 1")
        if options["bad_limit"] < 1:
            raise CommandError("--bad-limit must be at least 1")
        if not options["group"]:
            raise CommandError("--group must not be empty")
        consumer = EventConsumer(
            options["group"],
            batch_size=options["batch_size"],
            bad_limit=options["bad_limit"],
            stop=stop_on_signals(),
        )
        open_port(live=consumer.live, ready=consumer.ready)
        try:
            consumer.run(once=options["once"])
        except TooManyBadMessagesError as error:
            raise CommandError(
                f"{error}. That batch is not stored; the next start reads it again (--bad-limit)."
            ) from error
        finally:
            self.stdout.write(f"consume_events: {consumer.counts}")
