"""What MariaDB and MySQL have in common: an account without an administrator's rights, and one with them."""

import getpass
import importlib
import importlib.util
from abc import abstractmethod
from pathlib import Path
from typing import Any, ClassVar

from tests.servers.server import ProcessServer

# Run at each start, one statement a line. Rights on every database, because a test run creates its own; but none that
# lets an account write to a read-only server. Names are of 127.0.0.1, so that nothing depends on a socket's path.
ACCOUNTS = """\
CREATE USER IF NOT EXISTS 'marketplace'@'127.0.0.1' IDENTIFIED BY 'marketplace';
GRANT ALL ON *.* TO 'marketplace'@'127.0.0.1';
REVOKE {powers} ON *.* FROM 'marketplace'@'127.0.0.1';
CREATE USER IF NOT EXISTS 'administrator'@'127.0.0.1' IDENTIFIED BY 'administrator';
GRANT ALL ON *.* TO 'administrator'@'127.0.0.1' WITH GRANT OPTION;
CREATE DATABASE IF NOT EXISTS marketplace;
"""


# Imported when it is needed: tests that are skipped without it import this module, too.
DRIVER = "MySQLdb"


class SqlServer(ProcessServer):
    """A server that keeps what it has committed, whatever ends its process. Takes options of its own, `--name=value`.

    It has no binary log, with which an account without SUPER could create no trigger.
    """

    variable = "DATABASE_URL"
    powers: ClassVar[str]  # privileges that a read-only server lets write

    def __init__(self, folder: Path, *options: str) -> None:
        super().__init__(folder)
        self._own_options = options

    @classmethod
    def missing(cls) -> list[str]:
        """Return what this machine lacks to run it and to connect to it."""
        return super().missing() + ([] if importlib.util.find_spec(DRIVER) else [DRIVER])

    @property
    def address(self) -> str:
        return f"mysql://marketplace:marketplace@127.0.0.1:{self.port}/marketplace"

    def connect(self, user: str = "marketplace", **options: Any) -> Any:
        """Return a MySQLdb connection to no database. Raises MySQLdb.OperationalError."""
        return importlib.import_module(DRIVER).connect(
            host="127.0.0.1", port=self.port, user=user, password=user, **options
        )

    def execute_as_root(self, sql: str) -> list[tuple[Any, ...]]:
        """Run a statement with all rights, committed at once, and return its rows."""
        connection = self.connect("administrator", autocommit=True)
        try:
            cursor = connection.cursor()
            cursor.execute(sql)
            return list(cursor.fetchall())
        finally:
            connection.close()

    @abstractmethod
    def set_read_only(self, read_only: bool) -> None:
        """Refuse writes of all accounts but the administrator's, or take them again."""

    def _options(self) -> list[str]:
        """Return the options of `mysqld` that both have."""
        accounts = self.folder / "accounts.sql"
        accounts.write_text(ACCOUNTS.format(powers=self.powers))
        return [
            f"--port={self.port}",
            "--socket=mysql.sock",  # in the data folder
            f"--pid-file={self.folder / 'server.pid'}",
            f"--init-file={accounts}",
            "--bind-address=127.0.0.1",
            "--character-set-server=utf8mb4",
            "--skip-name-resolve",
            "--skip-log-bin",
            "--innodb-flush-log-at-trx-commit=1",
            *self._own_options,
        ]

    def _place(self) -> list[str]:
        """Return the options that say where the data are, and whose.

        Temporary tables, too: a server that starts deletes what it finds of them, also those of others.
        """
        data, temporary = self.folder / "data", self.folder
        return ["--no-defaults", f"--datadir={data}", f"--tmpdir={temporary}", f"--user={getpass.getuser()}"]

    def _answers(self) -> bool:
        try:
            self.execute_as_root("SELECT 1")
            self.connect().close()
        except importlib.import_module(DRIVER).OperationalError:
            return False
        return True
