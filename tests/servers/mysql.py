"""MySQL itself, which Debian has in its unstable suite only: a whole minimal system of it in a folder of the cache.

Its mysqld runs here with the libraries from there, as an ordinary process. Preparing that folder needs root, Debian's
debootstrap and a minute; remove it to have a newer MySQL.
"""

from pathlib import Path

from tests.servers.cache import cached
from tests.servers.debian import bootstrap
from tests.servers.server import run
from tests.servers.sql import SqlServer

SUITE = "sid"


class MySql(SqlServer):
    """One `mysqld`."""

    name = "MySQL"
    programs = ("debootstrap", "unshare")
    powers = "SUPER, CONNECTION_ADMIN"

    def set_read_only(self, read_only: bool) -> None:
        # Each of the two sets the other along.
        self.execute_as_root("SET GLOBAL super_read_only = 1" if read_only else "SET GLOBAL read_only = 0")

    def _prepare(self) -> None:
        run([*self._mysqld(), "--initialize-insecure"])

    def _command(self) -> list[str]:
        return [*self._mysqld(), *self._options(), "--secure-file-priv=NULL", "--mysqlx=OFF"]

    def _mysqld(self) -> list[str]:
        programs = system() / "usr"
        libraries = programs / "lib" / "x86_64-linux-gnu"
        loader = [str(programs / "lib64" / "ld-linux-x86-64.so.2"), "--library-path", f"{libraries}"]
        return [*loader, str(programs / "sbin" / "mysqld"), *self._place(), f"--basedir={programs}"]


def system() -> Path:
    """Return the folder of a minimal Debian with MySQL, which is made once."""
    return cached(f"mysql-{SUITE}", lambda folder: bootstrap(folder, SUITE, "mysql-server-core"))
