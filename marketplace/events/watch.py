"""What probes are told of a relay: whether its loop is stuck, and why nothing can be published.

There is no partition that gets stuck alone: a batch is one transaction, so a partition whose broker does not answer
fails every batch that has an event of it, and everything waits. That is an outage; readiness and the log name it.
"""

import functools
import time
from typing import Final

from pymongo.errors import PyMongoError

from marketplace.events import metrics
from marketplace.events.delivery import BrokenError, RejectedError, UnreachableError
from marketplace.observability.answers import Answers
from marketplace.observability.ends import Ends
from marketplace.observability.pulse import Clock, Pulse

# The loop looks up before each question to MongoDB and twice a second while it waits for Kafka; a pause after errors
# and a question to MongoDB together take 8 s.
LOOP_SECONDS: Final = 30.0
# Any partition will do: what counts is whether Kafka answers. A standby has nothing else to do with it.
_ASKED: Final = [("user", 0)]
_REASONS: Final = {
    PyMongoError: "mongodb",
    UnreachableError: "unreachable",
    RejectedError: "rejected",
    BrokenError: "broken",
}


class Watch:
    """Looks at one relay, whose loop calls `look` wherever it is; probes call `live` and `ready`."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._pulse = Pulse(clock)
        self._answers = Answers("Kafka", "MongoDB", clock=clock)
        self._trouble = ""

    @functools.cached_property
    def _ends(self) -> Ends:
        return Ends(self._clock)

    def live(self) -> list[str]:
        """Return what only a restart would mend."""
        return self._pulse.problems()

    def ready(self) -> list[str]:
        """Return why nothing can be published now. A standby is ready when it could take over."""
        return self._answers.problems() + ([f"the last batch failed: {self._trouble}"] if self._trouble else [])

    def look(self) -> None:
        """See whether Kafka answers. Raises ImproperlyConfigured when its address is not set."""
        self._pulse.beat("the loop", LOOP_SECONDS)
        if answer := self._ends.look(_ASKED):
            if answer.failure:
                self._answers.failed("Kafka", answer.failure)
            else:
                self._answers.heard("Kafka")

    def heard_of_mongodb(self) -> None:
        """Note that MongoDB has answered."""
        self._answers.heard("MongoDB")

    def failed(self, error: Exception) -> None:
        """Count an error of the loop, and remember what it is about. Rejected events are no trouble for the others."""
        metrics.ERRORS.labels(next(reason for kind, reason in _REASONS.items() if isinstance(error, kind))).inc()
        if isinstance(error, PyMongoError):
            self._answers.failed("MongoDB", error)
        elif not isinstance(error, RejectedError):
            self._trouble = str(error)

    def gets_on(self) -> None:
        """Forget what the last batch has failed of: one was published since, or that is another relay's work now."""
        self._trouble = ""
