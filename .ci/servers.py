"""Run a command beside real servers: `.venv/bin/python .ci/servers.py make test`.

Starts MariaDB, Apache Kafka (one KRaft node) and mongod in a temporary folder, on free ports of 127.0.0.1, puts their
addresses into the command's environment, and stops them when it ends. Needs mariadb-server, Java 17 and Maven.
"""

import getpass
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from marketplace.embedded.mongod import EmbeddedMongo, free_port  # noqa: E402  # found through the line above

START_SECONDS = 60
STOP_SECONDS = 20

# One node is broker and controller. The sizes leave room for a 2 MiB event; tests want no rebalance delay.
KAFKA_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{broker}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
num.partitions=4
message.max.bytes=3145728
replica.fetch.max.bytes=3145728
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
"""

# Rights on every database, because a test run creates its own.
MARIADB_ACCOUNT = """\
CREATE USER 'marketplace'@'127.0.0.1' IDENTIFIED BY 'marketplace';
GRANT ALL ON *.* TO 'marketplace'@'127.0.0.1';
CREATE DATABASE marketplace;
"""


@contextmanager
def server(name: str, command: Sequence[str | Path], port: int, log: Path) -> Iterator[None]:
    """Run a server for the length of the block, from the moment its port answers. Raises RuntimeError with its log."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{name} did not start:\n{log.read_text(errors='replace')[-4000:]}")
            time.sleep(0.2)
        yield
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


@contextmanager
def mariadb(folder: Path) -> Iterator[str]:
    """Run MariaDB in `folder`; give its DATABASE_URL."""
    data, account, port = folder / "mariadb", folder / "account.sql", free_port()
    account.write_text(MARIADB_ACCOUNT)
    place = ["--no-defaults", f"--datadir={data}", f"--user={getpass.getuser()}"]
    _run(["mariadb-install-db", *place, "--auth-root-authentication-method=normal", "--skip-test-db"])
    command = [
        "mariadbd",
        *place,
        f"--port={port}",
        f"--socket={folder / 'mariadb.sock'}",
        f"--pid-file={folder / 'mariadb.pid'}",
        f"--init-file={account}",
        "--bind-address=127.0.0.1",
        "--character-set-server=utf8mb4",
        "--skip-name-resolve",
    ]
    with server("MariaDB", command, port, folder / "mariadb.log"):
        yield f"mysql://marketplace:marketplace@127.0.0.1:{port}/marketplace"


@contextmanager
def kafka(folder: Path) -> Iterator[str]:
    """Run Apache Kafka in `folder`; give its bootstrap address. Maven keeps what it fetched for the next time."""
    pom, jars = ROOT / ".ci" / "pom.xml", folder / "jars"
    _run(["mvn", "-B", "-q", "-f", pom, "dependency:copy-dependencies", f"-DoutputDirectory={jars}"])
    broker, properties = free_port(), folder / "kafka.properties"
    properties.write_text(KAFKA_PROPERTIES.format(broker=broker, controller=free_port(), data=folder / "kafka"))
    java = ["java", "-Xmx512m", "-cp", f"{jars}/*"]
    _run([*java, "kafka.tools.StorageTool", "format", "-t", "bWFya2V0cGxhY2UtY2ktMQ", "-c", properties])
    with server("Kafka", [*java, "kafka.Kafka", properties], broker, folder / "kafka.log"):
        yield f"127.0.0.1:{broker}"


@contextmanager
def mongodb(folder: Path) -> Iterator[str]:
    """Run mongod as a replica set in `folder`; give its URL."""
    mongod = EmbeddedMongo(folder / "mongodb")
    url = mongod.start()
    try:
        yield url
    finally:
        mongod.stop()


def _run(command: Sequence[str | Path]) -> None:
    """Run a preparation step. Raises RuntimeError with its output when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def main(command: Sequence[str]) -> int:
    """Run `command` with the servers' addresses in its environment; return its exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="marketplace-servers-")))
        addresses = {
            "DATABASE_URL": stack.enter_context(mariadb(folder)),
            "KAFKA_BOOTSTRAP_SERVERS": stack.enter_context(kafka(folder)),
            "MONGODB_URL": stack.enter_context(mongodb(folder)),
        }
        for name, value in addresses.items():
            print(f"{name}={value}", flush=True)
        return subprocess.run(command, env=os.environ | addresses).returncode


if __name__ == "__main__":
    if not sys.argv[1:]:
        sys.exit(f"{__doc__}\nusage: servers.py COMMAND [ARGUMENT ...]")
    try:
        sys.exit(main(sys.argv[1:]))
    except (RuntimeError, FileNotFoundError) as error:
        sys.exit(f"servers.py: {error}")
