"""Metrics of MongoDB's commands, as the driver tells about them. Only where METRICS_PORT is set."""

from django.conf import settings
from prometheus_client import Histogram
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

# A look-up takes less than 1 ms, a majority commit 3 to 30; 1.5 s is all that a request has (MONGODB_TIMEOUT_MS).
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.5, 10)

DURATION = Histogram(
    "marketplace_mongodb_command_duration_seconds",
    "Time from sending a command to MongoDB to its answer.",
    ("command", "outcome"),
    buckets=SECONDS,
)


class Recorder(CommandListener):
    """Records each command by its name and by how it ended. A write that breaks a rule of the data is `ok`."""

    def started(self, event: CommandStartedEvent) -> None:
        """Wait for the end."""

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Record a command that was answered."""
        DURATION.labels(event.command_name, "ok").observe(event.duration_micros / 1e6)

    def failed(self, event: CommandFailedEvent) -> None:
        """Record a command that MongoDB refused, or that got no answer."""
        DURATION.labels(event.command_name, "failed").observe(event.duration_micros / 1e6)


def listeners() -> list[CommandListener]:
    """Return whom the driver should tell about its commands."""
    found: list[CommandListener] = [Recorder()] if settings.METRICS_PORT else []
    if settings.TRACES_ENDPOINT:
        from marketplace.observability.traces import CommandSpans  # noqa: PLC0415  # only where they are wanted

        found.append(CommandSpans())
    return found
