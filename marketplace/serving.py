"""The API process: granian with its workers, and beside them the operators' port, which gathers what they all count.

Workers are spawned, not forked: this process has threads, and a fork in the midst of one would copy its locks as held.
"""

import http.client
import json
import multiprocessing
import os
import signal
import socket
import time
from http import HTTPStatus
from importlib import import_module
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

from django.conf import settings
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from marketplace.observability import metrics, server
from marketplace.observability.workers import ProcessesCollector, WorkersCollector

APPLICATION = "marketplace.wsgi:application"
KILL_SECONDS = 5  # for requests that are running when the process is asked to stop
RESPAWN_SECONDS = 30  # a worker is up within a few; granian itself gives up on one that ends again and again
READY_SECONDS = 5  # more than the dependencies' own limits together
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104


class ApiServer:
    """One run of the API on an address, with so many worker processes of so many threads each."""

    def __init__(self, host: str, port: int, *, workers: int, threads: int) -> None:
        self._bound = (host, port)
        self._address = (_ANY.get(host, host), port)
        self._workers = workers
        self._missing_since: float | None = None
        self._granian = Granian(
            APPLICATION,
            host,
            port,
            interface=Interfaces.WSGI,
            workers=workers,
            blocking_threads=threads,
            websockets=False,
            workers_kill_timeout=KILL_SECONDS,
            respawn_failed_workers=True,
            log_dictconfig=settings.LOGGING,
            log_level=LogLevels(settings.LOGGING["root"]["level"].lower()),
        )

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT; requests that are running get their answers. Call it from the main thread.

        Raises OSError when a port cannot be used, and SystemExit when workers end again and again.
        """
        _check_free(*self._bound)
        multiprocessing.set_start_method("spawn", force=True)
        with TemporaryDirectory(prefix="marketplace-metrics-") as folder:
            if settings.METRICS_PORT:
                os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder  # for the workers, which inherit it
                collectors = (WorkersCollector(folder, self._alive), ProcessesCollector(self._alive))
                server.start(metrics.registry(*collectors), live=self.live, ready=self.ready)
            self._granian.serve(target_loader=_load, wrap_loader=False)

    def live(self) -> list[str]:
        """Return what only a restart would mend: workers that are missing for longer than one takes to come up."""
        alive = len(self._alive())
        self._missing_since = None if alive >= self._workers else self._missing_since or time.monotonic()
        if self._missing_since is None or time.monotonic() < self._missing_since + RESPAWN_SECONDS:
            return []
        return [f"{alive} of {self._workers} workers are up"]

    def ready(self) -> list[str]:
        """Return why requests cannot be served, as GET /health/ready says: by asking a worker, as a client would."""
        connection = http.client.HTTPConnection(*self._address, timeout=READY_SECONDS)
        try:
            connection.request("GET", "/health/ready", headers={"Host": _known_host()})
            answer = connection.getresponse()
            body = answer.read().decode()
        except (OSError, http.client.HTTPException) as error:
            return [f"the API does not answer: {error}"]
        finally:
            connection.close()
        return problems(answer.status, body)

    def _alive(self) -> dict[str, int]:
        """Return the process ids of the workers, by the names that granian's log has for them, too."""
        workers: list[Any] = list(self._granian.wrks)
        return {f"worker-{each.idx + 1}": each.inner.pid for each in workers if each.is_alive()}


def problems(status: int, body: str) -> list[str]:
    """Return what an answer of /health/ready says is wrong, in sentences."""
    if status == HTTPStatus.OK:
        return []
    try:
        states = json.loads(body)["dependencies"]
    except (ValueError, KeyError):  # not from that view: 400 for a host that is not allowed
        return [f"the API answers {status}: {body}"]
    return [f"{name} is unavailable" for name, state in states.items() if state != "ok"]


def _check_free(host: str, port: int) -> None:
    """Raise OSError when the port cannot be used. granian would share it with whatever else shares its own."""
    socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()


def _load() -> Any:
    """Return the application, in a worker. Ctrl-C reaches workers, too; they leave it to the process that started them.

    A second signal at the same moment as the first has been seen to keep granian's worker from stopping.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    Thread(target=_end_with_the_main_process, name="main process", daemon=True).start()
    return import_module("marketplace.wsgi").application


def _end_with_the_main_process() -> None:
    """Stop this worker when the main process is gone without a word: it would keep the port from a successor."""
    if main := multiprocessing.parent_process():
        main.join()
        os.kill(os.getpid(), signal.SIGTERM)


def _known_host() -> str:
    """Return a name that requests may ask for."""
    named = [host.removeprefix(".") for host in settings.ALLOWED_HOSTS if host != "*"]
    return next(iter(named), "localhost")
