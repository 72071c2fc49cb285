"""Which servers a process has heard of lately: what its readiness is about."""

import math
import time

from marketplace.observability.pulse import Clock

# Whoever uses this hears from each of its servers more often, also when there is nothing to do.
LATELY_SECONDS = 60.0


class Answers:
    """Remembers what each server has answered last. Any thread may tell and ask."""

    def __init__(self, *servers: str, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._last: dict[str, tuple[float, str]] = dict.fromkeys(servers, (-math.inf, "it has not answered yet"))

    def heard(self, server: str) -> None:
        """Note that a server has answered."""
        self._last[server] = self._clock(), ""

    def failed(self, server: str, why: object) -> None:
        """Note that a server has not answered, or that it cannot do its work."""
        self._last[server] = self._clock(), str(why)

    def problems(self) -> list[str]:
        """Return one sentence for each server that is away, or has not been heard of lately."""
        now = self._clock()
        last = sorted(self._last.copy().items())
        return [
            f"{server} is away: {why or f'no answer for {now - at:.0f} s'}"
            for server, (at, why) in last
            if why or now - at > LATELY_SECONDS
        ]
