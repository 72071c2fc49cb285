"""Which errors mean that a server is away for now, which that a message is bad, and how long to wait in between.

Everything that is neither ends the process: restarting is the supervisor's work.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from confluent_kafka import KafkaException
from django.db import DatabaseError, DataError, IntegrityError, InterfaceError, OperationalError

# MySQL's and MariaDB's codes: connections refused, lost or killed, shutdown, lock waits and deadlocks, read-only
# servers. 1062: another writer inserted a row between our look and our insert; the second look finds it.
_MYSQL_AWAY: Final = frozenset(
    {1040, 1042, 1043, 1045, 1047, 1053, 1062, 1077, 1079, 1080, 1129, 1152, 1158, 1159, 1160, 1161, 1180, 1184, 1203}
    | {1205, 1213, 1226, 1290, 1317, 1836, 1927, 3024, 3100, 3101, 4031}
)
_MYSQL_CLIENT_ERRORS: Final = range(2000, 3000)
# SQLite's: busy, locked, read-only, interrupted, input/output error, disk full, cannot open.
_SQLITE_AWAY: Final = frozenset({5, 6, 8, 9, 10, 13, 14})
# Values that MySQL refuses under codes that its driver files as OperationalError: out of range, truncated, wrong text,
# too long, packet too large, JSON.
_MYSQL_BAD_VALUE: Final = frozenset({1118, 1153, 1264, 1265, 1292, 1366, 1406, 3140, 3141, 3157})


def is_outage(error: Exception) -> bool:
    """Tell whether waiting can help."""
    if isinstance(error, KafkaException):
        return not error.args[0].fatal()
    if isinstance(error, InterfaceError):
        return True
    return isinstance(error, OperationalError | IntegrityError) and _away(error)


def _away(error: DatabaseError) -> bool:
    sqlite_code = getattr(error.__cause__, "sqlite_errorcode", None)
    if sqlite_code is not None:
        return sqlite_code & 0xFF in _SQLITE_AWAY
    code = error.args[0] if error.args else None
    return code in _MYSQL_AWAY or code in _MYSQL_CLIENT_ERRORS


def is_bad_value(error: DatabaseError) -> bool:
    """Tell whether the database refuses what a message holds."""
    if isinstance(error, DataError | IntegrityError):
        return not is_outage(error)
    return isinstance(error, OperationalError) and bool(error.args) and error.args[0] in _MYSQL_BAD_VALUE


@dataclass(frozen=True, slots=True)
class BackOff:
    """Waits that double from `first_seconds` up to `longest_seconds`, each shortened by chance: a fleet spreads."""

    first_seconds: float = 0.2
    longest_seconds: float = 3.0

    def delays(self) -> Iterator[float]:
        """Yield the seconds to wait before each next attempt, without end."""
        ceiling = self.first_seconds
        while True:
            yield ceiling * random.uniform(0.5, 1.0)
            ceiling = min(self.longest_seconds, 2 * ceiling)
