"""manage.py migrate: Django's own, one at a time for each database.

Two at once would both create the same table; one fails then, and what it had begun stays half done, because MySQL
rolls back no change of a table.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

# Of MySQL and MariaDB, for all clients of a server; the name takes 64 characters. SQLite locks its whole file.
LOCK = "SHA2(CONCAT('migrate ', DATABASE()), 224)"
LOCK_SECONDS = 900


class Command(migrate.Command):
    help = "Bring the tables up to date. One that is started beside another waits for it to end (MySQL, MariaDB)."

    def handle(self, *arguments: Any, **options: Any) -> None:
        with _alone(connections[options["database"]]):
            super().handle(*arguments, **options)


@contextmanager
def _alone(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Hold the lock, which ends with the connection at the latest. Raises CommandError when another one keeps it."""
    if connection.vendor != "mysql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT GET_LOCK({LOCK}, %s)", [LOCK_SECONDS])
        if cursor.fetchone() != (1,):
            raise CommandError(f"Another migrate has been running for {LOCK_SECONDS} s; nothing was done.")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT RELEASE_LOCK({LOCK})")
