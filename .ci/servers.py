"""Run a command beside real servers: `.venv/bin/python .ci/servers.py make test`.

Starts MariaDB (or MySQL), Apache Kafka (one KRaft node) and mongod in a temporary folder, on free ports of 127.0.0.1,
puts their addresses into the command's environment, and stops them when it ends. Exits with the command's code.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

# Found through the line above.
from tests.servers.kafka import Kafka  # noqa: E402
from tests.servers.mariadb import MariaDb  # noqa: E402
from tests.servers.mongod import Mongod  # noqa: E402
from tests.servers.mysql import MySql  # noqa: E402
from tests.servers.server import Server  # noqa: E402
from tests.servers.sql import SqlServer  # noqa: E402

SQL: dict[str, type[SqlServer]] = {"mariadb": MariaDb, "mysql": MySql}


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the options and the command."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Needs requirements/mysql.txt, Java 17, Maven, and Debian's mariadb-server-core and mariadb-client;"
        " for MySQL root and debootstrap, which prepares it in a minute at the first time.",
    )
    parser.add_argument("--sql", choices=SQL, default="mariadb", help="the SQL database (default: %(default)s)")
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="COMMAND", help="what to run, with its arguments")
    found = parser.parse_args(arguments)
    if not found.command:
        parser.error("there is no command to run")
    return found


def main(command: Sequence[str], sql: type[SqlServer]) -> int:
    """Run `command` with the servers' addresses in its environment; return its exit code."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="marketplace-servers-")))
        servers: list[Server] = [sql(folder / "sql"), Kafka(folder / "kafka"), Mongod(folder / "mongod")]
        for server in servers:
            stack.enter_context(server)
            print(f"{server.variable}={server.address}", flush=True)
        return subprocess.run(command, env=os.environ | {one.variable: one.address for one in servers}).returncode


if __name__ == "__main__":
    options = parse(sys.argv[1:])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        sys.exit(main(options.command, SQL[options.sql]))
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    except (RuntimeError, FileNotFoundError) as error:
        sys.exit(f"servers.py: {error}")
