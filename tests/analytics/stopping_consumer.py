"""`manage.py consume_events` that stops itself (SIGSTOP), once, in the midst of a batch. Argument 1 says where.

Run as a module: `python -m tests.analytics.stopping_consumer "before the lock" consume_events --group g`.
"""

import os
import signal
import sys
from typing import Any

import django
from django.core.management import execute_from_command_line

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
        os.kill(os.getpid(), signal.SIGSTOP)
        return original(*arguments) if place == "before the lock" else None

    setattr(owner, name, stopping)


if __name__ == "__main__":
    django.setup()
    stop_once_at(sys.argv[1])
    execute_from_command_line(["manage.py", *sys.argv[2:]])
