"""How much the relay does at once, and how long it waits for what."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RelayPolicy:
    """Limits and times of the relay."""

    # An event has up to 2 MiB, so it is bytes that bound the memory.
    batch_events: int = 500
    batch_bytes: int = 8 << 20
    lease_seconds: float = 5.0
    idle_wait_ms: int = 1000
    # No database work takes longer.
    mongodb_seconds: float = 3.0
    # After a stop, a batch that waits for Kafka is given up after so long, and so is the clearing up in MongoDB.
    stop_seconds: float = 1.0
    # A rejected event holds back its entity: this long at first, doubled up to the maximum.
    hold_seconds: float = 1.0
    max_hold_seconds: float = 60.0
    # More rejected entities of a topic are no accident: nothing else is read of it until some of them have passed.
    max_held: int = 200
    # How long to leave events alone that a majority does not have yet.
    majority_wait_seconds: float = 0.02
    back_off_seconds: float = 0.2
    max_back_off_seconds: float = 5.0
    report_seconds: float = 10.0
