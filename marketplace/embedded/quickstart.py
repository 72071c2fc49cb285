"""The whole marketplace in one terminal: servers that are not configured, demo data, then API, relay and consumer.

For one machine and one developer; a real installation runs the same processes under its own supervisor.
"""

import fcntl
import os
import shutil
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.core.management import call_command
from django.db import connection

from analytics import mending
from analytics.bookkeeping import ConsumerOffset
from analytics.decoding import DECODERS
from marketplace import mongo
from marketplace.embedded.kafka import EmbeddedKafka
from marketplace.embedded.mongod import EmbeddedMongo, free_port, wait_until_unused
from marketplace.embedded.processes import Children
from marketplace.embedded.welcome import STAFF_EMAIL, STAFF_NAME, STAFF_PASSWORD, welcome
from marketplace.stopping import interrupt_on_signals, stop_on_signals

HOST = "127.0.0.1"
DEFAULT_PORT = 8000
READY_SECONDS = 60
MENDING_BATCH = 500
SEEDING = ("seed", "generate_products", "generate_posts", "generate_orders")


class QuickstartError(Exception):
    """It cannot go on; the message says why and what to do."""


class Quickstart:
    """One run in settings.DATA_DIR.

    `write` gets every line of output. Without `port` a free one is taken; `fresh` empties the embedded servers' data
    first; without `demo_data` the marketplace has only what is already in it.
    """

    def __init__(
        self, write: Callable[[str], object], *, port: int | None = None, fresh: bool = False, demo_data: bool = True
    ) -> None:
        self._write = write
        self._port = port
        self._fresh = fresh
        self._seeding = SEEDING if demo_data else ()
        self._has_own_broker = not settings.KAFKA_BOOTSTRAP_SERVERS

    def run(self) -> None:
        """Start everything and stay until SIGTERM or SIGINT. Call it from the main thread.

        Raises QuickstartError when a part does not come up or ends, EmbeddedUnavailableError without a mongod,
        KeyboardInterrupt for a signal while it still prepares.
        """
        self._check_interrupt = interrupt_on_signals()
        with ExitStack() as running:
            running.enter_context(self._only_one())
            self._start_servers(running)
            self._prepare()
            stop = stop_on_signals()
            children = Children(self._write, on_end=stop.set)
            running.callback(children.stop_all)
            # Looked for last: the API shares its port with whatever else takes it in between (SO_REUSEPORT).
            port = _usable_port(self._port)
            if port not in (self._port, DEFAULT_PORT):
                self._write(f"Port {DEFAULT_PORT} is taken; the API gets {port}.")
            metrics_ports = self._start_children(children, port)
            self._wait_for_api(port, children, stop)
            if not stop.is_set():
                self._write(welcome(HOST, port, metrics_ports))
            stop.wait()
            self._check_running(children)
            self._write("Stopping ...")
            children.stop_all()
            self._complete_analytics()
        self._write("Stopped. The data is kept for the next run; --fresh would empty it.")

    # --- Servers ----------------------------------------------------------------------------------------------------

    @contextmanager
    def _only_one(self) -> Iterator[None]:
        """Hold the data folder for this run, emptied if that is asked for."""
        settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
        with (settings.DATA_DIR / "quickstart.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise QuickstartError(f"Another quickstart is running in {settings.DATA_DIR}.") from error
            if self._fresh:
                _empty_data()
            yield

    def _start_servers(self, running: ExitStack) -> None:
        if not settings.MONGODB_URL:
            with self._step("MongoDB"):
                mongod = EmbeddedMongo(_mongod_folder())
                running.callback(mongod.stop)
                settings.MONGODB_URL = mongod.start()
                mongo.connect()
        if self._has_own_broker:
            with self._step("Kafka broker"):
                broker = EmbeddedKafka()
                running.callback(broker.stop)
                settings.KAFKA_BOOTSTRAP_SERVERS = broker.start()

    # --- Preparation ------------------------------------------------------------------------------------------------

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        self._check_interrupt()
        self._write(f"{name}: ready after {time.monotonic() - started:.1f} s")

    def _prepare(self) -> None:
        with self._step("Tables, indexes, topics, static files"):
            call_command("migrate", interactive=False, verbosity=0)
            call_command("create_indexes", verbosity=0)
            call_command("create_topics", verbosity=0)
            call_command("collectstatic", interactive=False, verbosity=0)
        _create_staff()
        for command in self._seeding:
            with self._step(f"Demo data, {command}"):
                call_command(command)
        with self._step("Analytics"):
            self._complete_analytics()
        self._check_interrupt()
        # The children open their own; this process is only here to watch them.
        connection.close()

    def _start_children(self, children: Children, port: int) -> dict[str, int]:
        """Return the operators' port of each child by its name."""
        commands = {
            "consumer": ["consume_events"],
            "relay": ["relay_events"],
            "api": ["serve", "--host", HOST, "--port", str(port)],
        }
        ports = {name: free_port() for name in commands}
        for name, arguments in commands.items():
            command = [sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments]
            children.start(name, command, _environment() | {"METRICS_PORT": str(ports[name])})
        return ports

    def _wait_for_api(self, port: int, children: Children, stop: threading.Event) -> None:
        """Raises KeyboardInterrupt when asked to stop before it answers: nothing has been written yet."""
        deadline = time.monotonic() + READY_SECONDS
        with self._step("API"):
            while not _answers(port):
                if time.monotonic() > deadline:
                    raise QuickstartError(f"The API did not become ready within {READY_SECONDS} s.")
                if stop.wait(0.2):
                    self._check_running(children)
                    raise KeyboardInterrupt

    def _check_running(self, children: Children) -> None:
        if ended := children.ended():
            raise QuickstartError(f"No longer running: {_codes(ended)}. Their last lines above may say why.")

    # --- Analytics --------------------------------------------------------------------------------------------------

    def _complete_analytics(self) -> None:
        """Make the tables right from MongoDB: what the embedded broker has not passed on, it forgets when it ends.

        No consumer runs meanwhile. A new broker can have the id of an old one, which is made of a memory address.
        """
        if not self._has_own_broker:
            return
        ConsumerOffset.objects.all().delete()
        mended = 0
        for decoder in DECODERS:
            mending.restart(decoder)
            mended += mending.rebuild(decoder, batch_size=MENDING_BATCH).mended
        if mended:
            self._write(f"Analytics: {mended} documents filled in from MongoDB.")


def _mongod_folder() -> Path:
    return Path(settings.DATA_DIR, "mongod")


def _empty_data() -> None:
    """Remove the data of the embedded servers. Data of configured servers stays."""
    wait_until_unused(_mongod_folder())
    shutil.rmtree(_mongod_folder(), ignore_errors=True)
    for path in settings.DATA_DIR.glob("analytics.sqlite3*"):
        path.unlink()


def _usable_port(wanted: int | None) -> int:
    with socket.socket() as probe:
        # As the server will: connections of the last run that are not forgotten yet are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, wanted or DEFAULT_PORT))
        except OSError as error:
            if wanted:
                raise QuickstartError(f"Port {wanted} cannot be used: {error.strerror}.") from error
            return free_port()
    return wanted or DEFAULT_PORT


def _create_staff() -> None:
    accounts = get_user_model()._default_manager
    if not accounts.filter(username=STAFF_NAME).exists():
        accounts.create(
            username=STAFF_NAME,
            email=STAFF_EMAIL,
            password=make_password(STAFF_PASSWORD),
            is_staff=True,
            is_superuser=True,
        )


def _environment() -> dict[str, str]:
    """Return the environment of the children: ours, and what was found out here."""
    return os.environ | {
        "SECRET_KEY": settings.SECRET_KEY,
        "DEBUG": "false",
        "LOG_FORMAT": settings.LOG_FORMAT,
        "CORS_ALLOWED_ORIGINS": ",".join(settings.CORS_ALLOWED_ORIGINS),
        "HTTPS_ONLY": "false",
        "METRICS_HOST": HOST,
        "ALLOWED_HOSTS": f"localhost,{HOST}",
        "MONGODB_URL": settings.MONGODB_URL,
        "KAFKA_BOOTSTRAP_SERVERS": settings.KAFKA_BOOTSTRAP_SERVERS,
        "DATA_DIR": str(settings.DATA_DIR),
        "PYTHONUNBUFFERED": "1",
    }


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/health", timeout=2) as response:  # noqa: S310
            return bool(response.status == HTTPStatus.OK)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def _codes(ended: dict[str, int]) -> str:
    return ", ".join(f"{name} ({_end(code)})" for name, code in ended.items())


def _end(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"killed by signal {-code} from outside"
