"""Whether the loop of a process is alive: each part of it that must not stand still says so, and how long it may."""

import time
from collections.abc import Callable

Clock = Callable[[], float]


class Pulse:
    """Remembers when each part of a loop was last seen alive. Any thread may ask; only a part itself beats.

    A part is alive as long as it is seen within its own seconds: those of its longest wait, and some more.
    """

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._until: dict[str, float] = {}

    def beat(self, part: str, seconds: float) -> None:
        """Say that a part is alive, and that it will say so again within so many seconds."""
        self._until[part] = self._clock() + seconds

    def forget(self, part: str) -> None:
        """Expect nothing of a part any more."""
        self._until.pop(part, None)

    def problems(self) -> list[str]:
        """Return one sentence for each part that has not been seen in time; none means alive."""
        now = self._clock()
        return [
            f"{part} has stood still for {now - until:.0f} s longer than it may"
            for part, until in sorted(self._until.copy().items())
            if now > until
        ]


class WorkingTime:
    """A clock that does not count the time that was spent waiting for a server. Any thread may ask; one turns it."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._lost = 0.0

    def __call__(self) -> float:
        """Return the seconds on this clock."""
        return self._clock() - self._lost

    def turn_back(self, moment: float) -> None:
        """Have it be this moment again: nothing that was since then counts. It never goes forward by that."""
        self._lost = max(self._lost, self._clock() - moment)
