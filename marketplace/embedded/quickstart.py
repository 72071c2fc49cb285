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
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command, get_commands

from marketplace import mongo
from marketplace.embedded import EmbeddedUnavailableError, replay
from marketplace.embedded.kafka import EmbeddedKafka
from marketplace.embedded.mongod import EmbeddedMongo, free_port, wait_until_unused
from marketplace.embedded.processes import Children

DEFAULT_PORT = 8000
READY_SECONDS = 60
DRAIN_SECONDS = 15
STAFF_NAME = "admin"
STAFF_PASSWORD = "admin-password"  # noqa: S105  # of a demo that only this machine reaches
DEMO_EMAIL = "john@example.com"
DEMO_PASSWORD = "password123"  # noqa: S105
SEEDING = ("seed", "generate_products", "generate_posts", "generate_orders")


class QuickstartError(Exception):
    """It cannot go on; the message says why and what to do."""


@dataclass(frozen=True)
class Quickstart:
    """One run. `write` gets every line of output."""

    write: Callable[[str], object]
    port: int | None = None
    fresh: bool = False

    def run(self, stop: threading.Event) -> None:
        """Start everything and stay until `stop` is set. Raises QuickstartError when a part does not come up or ends."""
        with ExitStack() as running:
            running.enter_context(self._only_one())
            port = self._port()
            self._start_servers(running)
            self._prepare()
            children = Children(self.write, on_end=stop.set)
            running.callback(children.stop_all)
            self._start_children(children, port)
            self._wait_until_ready(children, port, stop)
            if not stop.is_set():
                self._print_addresses(port)
            stop.wait()
            self._check(children)
            self._drain(children)
            self.write("Stopping.")
        self.write("Stopped. The data is kept; --fresh empties it.")

    # --- Servers --------------------------------------------------------------------------------------------------

    @contextmanager
    def _only_one(self) -> Iterator[None]:
        """Hold the data folder for this run, emptied if that is asked for."""
        settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
        with (settings.DATA_DIR / "quickstart.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise QuickstartError(f"Another quickstart is running in {settings.DATA_DIR}.") from error
            if self.fresh:
                self._empty()
            yield

    def _empty(self) -> None:
        wait_until_unused(_mongod_folder())
        shutil.rmtree(_mongod_folder(), ignore_errors=True)
        for path in settings.DATA_DIR.glob("analytics.sqlite3*"):
            path.unlink()

    def _start_servers(self, running: ExitStack) -> None:
        if not settings.MONGODB_URL:
            with self._step("MongoDB"):
                mongod = EmbeddedMongo(_mongod_folder())
                running.callback(mongod.stop)
                settings.MONGODB_URL = mongod.start()
            mongo.connect()
        if not settings.KAFKA_BOOTSTRAP_SERVERS:
            with self._step("Kafka broker"):
                kafka = EmbeddedKafka()
                running.callback(kafka.stop)
                settings.KAFKA_BOOTSTRAP_SERVERS = kafka.start()
            running.callback(setattr, settings, "KAFKA_BOOTSTRAP_SERVERS", "")

    # --- Preparation ----------------------------------------------------------------------------------------------

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        started = time.monotonic()
        self.write(f"{name} ...")
        yield
        self.write(f"{name}: ready after {time.monotonic() - started:.1f} s")

    def _prepare(self) -> None:
        for name, command, options in (
            ("Analytics tables", "migrate", {"interactive": False}),
            ("Indexes", "create_indexes", {}),
            ("Topics", "create_topics", {}),
            ("Static files", "collectstatic", {"interactive": False}),
        ):
            with self._step(name):
                call_command(command, verbosity=0, **options)
        self._create_staff()
        for command in SEEDING:
            if command in get_commands():
                with self._step(f"Demo data: {command}"):
                    call_command(command)
        self._make_analytics_whole()

    def _create_staff(self) -> None:
        accounts = get_user_model()._default_manager
        if not accounts.filter(username=STAFF_NAME).exists():
            accounts.create_superuser(STAFF_NAME, "admin@example.com", STAFF_PASSWORD)
