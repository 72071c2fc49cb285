"""Which errors mean that a server is away for now, which that a message is bad, and how long to wait in between.

Everything that is neither ends the process: restarting is the supervisor's work.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from confluent_kafka import KafkaException
from django.db import DatabaseError, DataError, IntegrityError, InterfaceError, OperationalError

# MySQL's and MariaDB's codes: connections refused, lost or killed, shutdown, lock waits, deadlocks, old snapshots,
# read-only servers and sessions, servers short of memory, disk or threads, group replication.
# 1062: another writer inserted a row between our look and our insert; the second look finds it.
# https://dev.mysql.com/doc/mysql-errors/9.7/en/server-error-reference.html, https://mariadb.com/kb/en/mariadb-error-codes/
_MYSQL_AWAY: Final = frozenset(
    {1015, 1020, 1021, 1030, 1037, 1040, 1041, 1042, 1043, 1045, 1047, 1053, 1062, 1077, 1079, 1080, 1114, 1129, 1135}
    | {1152, 1156, 1158, 1159, 1160, 1161, 1180, 1184, 1203, 1205, 1206, 1213, 1226, 1290, 1317, 1792, 1836, 1927, 1969}
    | {3024, 3032, 3100, 3101, 3168, 3169, 3572, 4031}
)
# The client's own errors: all are of the connection, but for commands out of order and a statement that is too long.
_MYSQL_CLIENT_AWAY: Final = frozenset(range(2000, 3000)) - {2014, 2020}
# SQLite's: busy, locked, read-only, interrupted, input/output error, disk full, cannot open.
_SQLITE_AWAY: Final = frozenset({5, 6, 8, 9, 10, 13, 14})
# Values that are refused as OperationalError. MySQL's codes: out of range, truncated, wrong text, too long, packet too
# large, JSON that is none or too deep. SQLite's text: https://sqlite.org/lang_aggfunc.html#sumunc.
_BAD_VALUE: Final = frozenset(
    {1118, 1153, 1264, 1265, 1292, 1300, 1366, 1406, 2020, 3140, 3141, 3157, 3854, "integer overflow"}
)


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
    return code in _MYSQL_AWAY or code in _MYSQL_CLIENT_AWAY


def is_bad_value(error: DatabaseError) -> bool:
    """Tell whether the database refuses what a message holds."""
    if isinstance(error, DataError | IntegrityError):
        return not is_outage(error)
    return isinstance(error, OperationalError) and bool(error.args) and error.args[0] in _BAD_VALUE


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
