"""manage.py relay_events: the relay process."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from marketplace.events.metrics import RelayCollector
from marketplace.events.relay import Relay
from marketplace.management.operators import open_port
from marketplace.stopping import stop_on_signals


class Command(BaseCommand):
    help = (
        "Publish the events of the outbox to Kafka until stopped. Several may run: one is active, the others take over"
        " within seconds. SIGTERM or Ctrl-C stops cleanly, a second one at once; nothing is lost either way."
        " Where METRICS_PORT is set, it answers /metrics, /live and /ready there."
    )

    # The checks import the whole API, which would double this process's memory; `manage.py check` runs them.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="stop when the outbox is empty")

    def handle(self, **options: Any) -> None:
        relay = Relay(stop_on_signals(), once=options["once"])
        open_port(RelayCollector(relay), live=relay.live, ready=relay.ready)
        relay.run()
        if options["once"] and relay.rejected:
            raise CommandError(f"Kafka rejects events of {len(relay.rejected)} entities; they are still in the outbox.")
        self.stdout.write(f"Published {relay.published} events, {relay.failed} attempts failed.")
