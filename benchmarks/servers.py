"""What the benchmarks run on: an embedded mongod and broker (or the configured ones), and granian with one worker."""

import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import django
import psutil
from django.db import connection

from marketplace import mongo
from marketplace.embedded.kafka import EmbeddedKafka
from marketplace.embedded.mongod import EmbeddedMongo, free_port
from tests.servers.mariadb import MariaDb

START_SECONDS = 30
ROOT = Path(__file__).parent.parent
MARIADB_OPTIONS = ("--innodb-buffer-pool-size=2G", "--innodb-log-file-size=512M")
# The same for every side: one worker. All WSGI sides get the number of threads that the marketplace is run with.
GRANIAN = ["--workers", "1", "--no-ws", "--log-level", "warning"]
WSGI = ["--interface", "wsgi", "--blocking-threads", "4"]
ASGI = ["--interface", "asgi", "--loop", "uvloop"]


@contextmanager
def platform(*, has_mariadb: bool = False) -> Iterator[Path]:
    """Start what is not configured, point the environment and Django at it; give a folder for scratch files.

    Where no SQL database is configured it is SQLite, or a MariaDB, with room in memory for a million orders.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="marketplace-bench-")))
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "marketplace.settings",
            "SECRET_KEY": "only-for-benchmarks",
            "DEBUG": "false",
            "ALLOWED_HOSTS": "127.0.0.1,testserver",  # the latter is what Django's test client asks for
            "CORS_ALLOWED_ORIGINS": "",
            "HTTPS_ONLY": "false",
            "TRUST_IDENTITY_HEADERS": "true",
            "RATE_LIMIT_DEFAULT": "1000000000",  # one caller sends it all: counted, never refused
            "DATABASE_NAME": f"bench_{os.getpid()}",
            "DATA_DIR": str(folder),
            "LOG_LEVEL": "WARNING",
        }
        if not os.environ.get("MONGODB_URL"):
            mongod = EmbeddedMongo(folder / "mongodb")
            os.environ["MONGODB_URL"] = mongod.start()
            stack.callback(mongod.stop)
        if not os.environ.get("KAFKA_BOOTSTRAP_SERVERS"):
            broker = EmbeddedKafka()
            os.environ["KAFKA_BOOTSTRAP_SERVERS"] = broker.start()
            stack.callback(broker.stop)
        if has_mariadb and not os.environ.get("DATABASE_URL"):
            database = stack.enter_context(MariaDb(folder / "sql", *MARIADB_OPTIONS))
            os.environ["DATABASE_URL"] = database.address
        django.setup()
        stack.enter_context(_databases())
        yield folder


@contextmanager
def _databases() -> Iterator[None]:
    """Use databases of our own for the length of the block, so that a configured server's others stay as they are."""
    name = os.environ["DATABASE_NAME"]
    if connection.vendor == "sqlite":
        yield
    else:
        original, quoted = connection.settings_dict["NAME"], connection.ops.quote_name(name)
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {quoted}")
        os.environ["DATABASE_URL"] = os.environ["DATABASE_URL"].removesuffix(original) + name
        connection.close()
        connection.settings_dict["NAME"] = name
        yield
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {quoted}")
    mongo.client().drop_database(name)


@dataclass(frozen=True, slots=True)
class Service:
    """A running API: where it answers, and its worker process."""

    url: str
    worker: psutil.Process


@contextmanager
def granian(target: str, flags: list[str]) -> Iterator[Service]:
    """Serve an application (`module:name`) for the length of the block."""
    port = free_port()
    command = [sys.executable, "-m", "granian", *GRANIAN, *flags, "--port", str(port), target]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_until_serving(url, process)
        yield Service(url, psutil.Process(process.pid).children()[-1])
    finally:
        process.terminate()
        process.wait(START_SECONDS)


def _wait_until_serving(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/products?limit=1", timeout=5):  # noqa: S310  # our own address
                return
        except urllib.error.HTTPError:
            raise
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"{process.args} does not serve {url}")
