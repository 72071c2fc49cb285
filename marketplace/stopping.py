"""How long-running commands stop: the first signal asks, a second one forces."""

import queue
import signal
import threading
from collections.abc import Callable
from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def interrupt_on_signals() -> Callable[[], None]:
    """Have SIGTERM and SIGINT raise KeyboardInterrupt, and return a function that raises it again after a signal.

    Call that between steps: Python drops what is raised in a finalizer or a weakref callback, and imports have many.
    """
    asked: list[int] = []

    def interrupt(number: int, _frame: FrameType | None) -> None:
        asked.append(number)
        raise KeyboardInterrupt

    def check() -> None:
        if asked:
            raise KeyboardInterrupt

    for number in _SIGNALS:  # both: a shell's background job inherits SIGINT as ignored
        signal.signal(number, interrupt)
    return check


def stop_on_signals() -> threading.Event:
    """Return an event that SIGTERM or SIGINT sets. A second signal ends the process at once."""
    stop = threading.Event()
    # The handler may interrupt stop.wait() or a thread's start and would wait for their locks for ever; put() has none.
    asked: queue.SimpleQueue[int] = queue.SimpleQueue()

    def wait() -> None:
        asked.get()
        stop.set()

    def ask(number: int, _frame: FrameType | None) -> None:
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_DFL)
        asked.put(number)

    threading.Thread(target=wait, daemon=True).start()
    for number in _SIGNALS:
        signal.signal(number, ask)
    return stop
