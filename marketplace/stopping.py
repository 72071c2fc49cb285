"""How long-running commands stop: the first signal asks, a second one forces."""

import signal
import threading
from types import FrameType


def stop_on_signals() -> threading.Event:
    """Return an event that SIGTERM or SIGINT sets. A second signal ends the process at once."""
    stop = threading.Event()

    def ask(_number: int, _frame: FrameType | None) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        # Not here: this thread may be inside stop.wait() and hold the event's lock.
        threading.Thread(target=stop.set).start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask)
    return stop
