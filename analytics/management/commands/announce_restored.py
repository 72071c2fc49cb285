"""manage.py announce_restored: tell all consumers what a MongoDB has that was restored to an older moment."""

from typing import Any

from analytics.announcing import announce
from analytics.decoding import EntityDecoder
from analytics.management.table_command import Progress, TableCommand

NAMED = 5


class Command(TableCommand):
    help = (
        "After MongoDB was restored to an older moment: write each document anew that the analytics tables know in a"
        " later version, with a version behind that one, and announce the deletion of each that is lost. Consumers"
        " would otherwise drop later writes as repeats of versions that they have seen before. The tables must have"
        " all that Kafka has, so run consume_events --once first; then start relay and consumers, and run"
        " rebuild_analytics. Safe to repeat, and after Ctrl-C the next run does the rest. Exits with 2 when a server"
        " fails, or when MongoDB has no documents for a table that has rows (see --allow-empty)."
    )

    def writes(self, _options: dict[str, Any]) -> bool:
        return True

    def go_through(self, decoder: EntityDecoder, progress: Progress, options: dict[str, Any]) -> tuple[int, str]:
        done = announce(decoder, batch_size=options["batch_size"], progress=progress)
        said = [f"{done.states:,} announced anew", f"{done.deletions:,} lost ones announced as deleted"]
        if done.unannounced:
            more = ", ..." if len(done.unannounced) > NAMED else ""
            named = ", ".join(done.unannounced[:NAMED]) + more
            said.append(f"{len(done.unannounced):,} for rebuild_analytics only, as no event can tell of them ({named})")
        return done.documents, ", ".join(said)
