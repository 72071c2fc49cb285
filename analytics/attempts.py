"""Does a whole transaction anew when the database was away, or gave way to another writer: for what people start."""

import logging
import time
from collections.abc import Callable
from itertools import islice
from typing import Final, TypeVar

from django.db import DatabaseError, InterfaceError, connection

from analytics.outages import BackOff, is_outage

logger = logging.getLogger("analytics.attempts")

# Waits of 0.2 to 3 s in between, some 5 s in all: over deadlocks and lost connections; a person waits, too.
ATTEMPTS: Final = 6

Result = TypeVar("Result")


def persist(work: Callable[[], Result]) -> Result:
    """Return what `work` returns; do it anew after an outage. It must be a transaction, or have no effect.

    Raises what `work` raised at last, or at once where waiting does not help.
    """
    if connection.in_atomic_block:  # only the outermost can be done anew
        return work()
    for delay in islice(BackOff().delays(), ATTEMPTS - 1):
        try:
            return work()
        except (DatabaseError, InterfaceError) as error:
            if not is_outage(error):
                raise
            logger.warning("the database is away or busy, trying again in %.1f s: %s", delay, error)
        connection.close()  # the next one may lead to another server
        time.sleep(delay)
    return work()
