"""manage.py create_topics: the event topics on the Kafka broker."""

from typing import Any

from confluent_kafka import KafkaException
from django.core.management.base import BaseCommand, CommandError, CommandParser

from marketplace.events import topics


class Command(BaseCommand):
    help = (
        "Create the event topics on the broker, with room for the largest event. Topics that exist are left as they"
        " are. Run it once before the relay starts."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--partitions", type=int, default=6, help="partitions of each new topic (default: 6)")
        parser.add_argument(
            "--replication-factor", type=int, default=1, help="copies of each partition, at most the number of brokers"
        )

    def handle(self, **options: Any) -> None:
        try:
            for topic, is_new in topics.create(options["partitions"], options["replication_factor"]):
                if options["verbosity"]:
                    self.stdout.write(f"{topic}: {'created' if is_new else 'exists already'}")
        except KafkaException as error:
            raise CommandError(f"The topics could not be created: {error.args[0].str()}") from error
