"""What probes are told of a consumer: whether it or a single partition is stuck, and which servers are away.

A partition is stuck that has something to read of which nothing was stored for STUCK_SECONDS, or that waits for its
place for so long. Time that was spent waiting for a server does not count, so an outage of any length is no fault.
Nor does much of the time in which more events are in memory than are stored at once: partitions take turns then.
"""

import time
from collections.abc import Mapping
from typing import Final

from analytics import metrics
from analytics.observer import Standing
from analytics.offsets import Partition
from analytics.progress import Progress
from analytics.reader import Reader
from marketplace.observability.answers import Answers
from marketplace.observability.ends import Answer, Ends
from marketplace.observability.pulse import Clock, Pulse, WorkingTime

STUCK_SECONDS: Final = 60.0
# Several times the longest that the loop does without looking up: a few questions to a broker, 4 s each.
LOOP_SECONDS: Final = 30.0
LOOK_SECONDS: Final = 1.0
# What is read ahead is 256 KiB of each of maybe 20 partitions, compressed: up to some minutes of a slow database.
BUSY_SHARE: Final = 0.1


class Watch:
    """Looks at one consumer. The consumer's loop calls `look` wherever it is; probes call `live` and `ready`."""

    def __init__(self, reader: Reader, clock: Clock = time.monotonic) -> None:
        self.pulse = Pulse(clock)
        self.answers = Answers("Kafka", "SQL", clock=clock)
        self.working = WorkingTime(clock)
        self._clock = clock
        self._reader = reader
        self._partitions = Pulse(self.working)
        self._ends = Ends(clock)
        self._known: Mapping[Partition, int] = {}
        self._heard_at = self._looked_at = self.working()
        self._seen: dict[Partition, int] = {}
        self._next = clock()

    def live(self) -> list[str]:
        """Return what only a restart would mend."""
        return self.pulse.problems() + self._partitions.problems()

    def ready(self) -> list[str]:
        """Return why no events are projected now."""
        joining = [] if self._reader.progress.assigned else ["the group has given no partitions yet"]
        return joining + self.answers.problems()

    def look(self) -> None:
        """See how far everything is."""
        self.pulse.beat("the loop", LOOP_SECONDS)
        if self._clock() < self._next:
            return
        self._next = self._clock() + LOOK_SECONDS
        self._count_busy_time()
        progress = self._reader.progress
        ours = progress.waiting | progress.positions.keys()
        if answer := self._ends.look(ours or [("user", 0)]):
            self._hear(answer)
        self._look_at(ours, progress)
        standings = self._reader.standings()
        metrics.LAGS.now = {partition: self._lag(partition, at) for partition, at in standings.items()}
        metrics.LAGS.stored = {partition: at.next_offset for partition, at in standings.items()}

    def waited(self, since: float) -> None:
        """Look, and do not count the time since a moment of `working`: a server was waited for."""
        self.working.turn_back(since)
        self.look()

    def _count_busy_time(self) -> None:
        """Count a share only of the time since the last look if all of it went into full batches."""
        if not self._reader.has_drained:
            self.working.turn_back(self._looked_at + BUSY_SHARE * (self.working() - self._looked_at))
        self._reader.has_drained, self._looked_at = False, self.working()

    def _hear(self, answer: Answer) -> None:
        if answer.failure:
            self.answers.failed("Kafka", answer.failure)
            self.working.turn_back(self._heard_at)
        else:
            self.answers.heard("Kafka")
            self._known = answer.ends
        self._heard_at = self.working()

    def _look_at(self, ours: set[Partition], progress: Progress) -> None:
        reached = progress.reached()
        unfinished = {message.partition for message in progress.pending}
        for partition in self._seen.keys() - ours:
            del self._seen[partition]
            self._partitions.forget(_name(partition))
        for partition in ours:
            at = reached.get(partition)  # None while it waits for its place
            # Read, and in a batch that is being stored in parts, which this look comes in between of.
            gets_on = partition not in self._seen or partition in unfinished
            if at is not None:
                gets_on |= at != self._seen.get(partition) or at >= self._known.get(partition, 0)
                self._seen[partition] = at
            self._seen.setdefault(partition, -1)
            if gets_on:
                self._partitions.beat(_name(partition), STUCK_SECONDS)

    def _lag(self, partition: Partition, at: Standing) -> int:
        return max(at.end_offset, self._known.get(partition, 0)) - at.next_offset


def _name(partition: Partition) -> str:
    return f"partition {partition[0]}/{partition[1]}"
