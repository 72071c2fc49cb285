"""MariaDB, from Debian's mariadb-server-core and mariadb-client-core."""

from tests.servers.server import run
from tests.servers.sql import SqlServer


class MariaDb(SqlServer):
    """One `mariadbd`."""

    name = "MariaDB"
    programs = ("mariadbd", "mariadb-install-db")
    powers = "SUPER, READ_ONLY ADMIN"

    def set_read_only(self, read_only: bool) -> None:
        self.execute_as_root(f"SET GLOBAL read_only = {int(read_only)}")

    def _prepare(self) -> None:
        run(["mariadb-install-db", *self._place(), "--auth-root-authentication-method=normal", "--skip-test-db"])

    def _command(self) -> list[str]:
        return ["mariadbd", *self._place(), *self._options()]
