"""`manage.py consume_events` that counts the messages it stores and, when argument 1 names a place, stops itself there.

Run as a module: `python -m tests.analytics.launched_consumer "before the lock" consume_events --group g`. It stops
(SIGSTOP) once, in the midst of its first batch.
"""

import signal
import sys
import threading
from typing import Any

import django
from django.core.management import execute_from_command_line

from tests.system.faults import counting

PLACES = ("before the lock", "before the commit")


def stop_once_at(place: str) -> None:
    """Have the process stop when it has decoded its first batch, or when all of that is written."""
    from analytics import batches, database_thread  # noqa: PLC0415  # needs the settings

    owner: Any = batches
    name = "_write"
    if place == "before the commit":
        owner, name = batches.OffsetStore, "move"
        database_thread.SILENCE_SECONDS = 5  # as in operation, only sooner
    original = getattr(owner, name)

    def stopping(*arguments: Any) -> Any:
        setattr(owner, name, original)
        if place == "before the commit":
            original(*arguments)
        # To this thread: one to the process may be taken by another thread, while this one runs on into its locks.
        signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)
        return original(*arguments) if place == "before the lock" else None

    setattr(owner, name, stopping)


if __name__ == "__main__":
    django.setup()
    counting.install()
    if sys.argv[1]:
        stop_once_at(sys.argv[1])
    execute_from_command_line(["manage.py", *sys.argv[2:]])
