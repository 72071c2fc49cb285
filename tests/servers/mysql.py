"""MySQL itself, which Debian has in its unstable suite only: a whole minimal system of it in a folder of the cache.

Its mysqld runs here with the libraries from there, as an ordinary process. Preparing that folder needs root, Debian's
debootstrap and a minute; remove it to have a newer MySQL.
"""

import shutil
import subprocess
from pathlib import Path

from tests.servers.cache import cached
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
        system = cached(f"mysql-{SUITE}", _bootstrap) / "usr"
        libraries = system / "lib" / "x86_64-linux-gnu"
        loader = [str(system / "lib64" / "ld-linux-x86-64.so.2"), "--library-path", f"{libraries}"]
        return [*loader, str(system / "sbin" / "mysqld"), *self._place(), f"--basedir={system}"]


def _bootstrap(folder: Path) -> None:
    """Install a minimal Debian with MySQL. In a mount namespace: what debootstrap mounts there ends with it."""
    bootstrap = ["debootstrap", "--variant=minbase", "--include=mysql-server-core", SUITE, str(folder), _mirror()]
    run(["unshare", "--mount", *bootstrap])
    shutil.rmtree(folder / "var" / "cache" / "apt")


def _mirror() -> str:
    """Return where this machine gets its Debian packages from. Raises RuntimeError when apt does not know."""
    targets = ["Created-By: Packages", "Origin: Debian", "Label: Debian", "Component: main"]
    command = ["apt-get", "indextargets", "--format", "$(REPO_URI)", *targets]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    if not found:
        raise RuntimeError("apt has no Debian mirror that MySQL could come from; run apt-get update")
    return found[0]
