"""The thread that does the consumer's database work, so that a statement that hangs keeps nobody from polling Kafka.

A thread of its own instead of concurrent.futures' pool: the interpreter waits at its exit for threads of a pool, and
nothing ends a statement that a server does not answer. This one is left behind; the server rolls back what it was in.
"""

import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from django.db import close_old_connections, connection

from analytics import metrics
from analytics.outages import is_outage
from marketplace.observability.answers import Answers
from marketplace.observability.pulse import Pulse

logger = logging.getLogger("analytics.database")

# A server that does not answer a statement for so long is away: its host has gone, or the network between.
ANSWER_SECONDS = 90
# The server ends a transaction whose client says nothing for so long. A consumer that is stopped in the midst of a
# batch holds locks on its offsets, and whoever has taken its partitions over waits for them.
SILENCE_SECONDS = 20
# Between two statements, or in one, nothing takes longer, unless this thread is in an endless loop.
STUCK_SECONDS = ANSWER_SECONDS + 30
NAME = "the database's thread"

Result = TypeVar("Result")
Task = tuple["Future[Any]", Callable[[], Any]]


class DatabaseThread:
    """Runs operations one after the other in a thread that owns its database connection.

    Tells `answers` how the database (SQL) is, counts each operation that found it away, and beats in `pulse` while it
    has something to do.
    """

    def __init__(self, pulse: Pulse | None = None, answers: Answers | None = None) -> None:
        self._pulse = pulse or Pulse()
        self._answers = answers or Answers("SQL")
        self._tasks: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="database", daemon=True)
        self._thread.start()

    def submit(self, operation: Callable[[], Result]) -> "Future[Result]":
        """Have the operation run; the future has its result or exception."""
        future: Future[Result] = Future()
        self._tasks.put((future, operation))
        return future

    def end(self, seconds: float) -> None:
        """Close the connection and end the thread; leave it to itself when it takes longer than that."""
        self._tasks.put(None)
        self._thread.join(seconds)

    def _work(self) -> None:
        _limit_waiting()
        with connection.execute_wrapper(self._beat_and_execute):
            while task := self._tasks.get():
                self._beat()
                self._run(*task)
                self._pulse.forget(NAME)
        _close()

    def _beat(self) -> None:
        self._pulse.beat(NAME, STUCK_SECONDS)

    def _beat_and_execute(self, execute: Callable[..., Any], *arguments: Any) -> Any:
        self._beat()
        try:
            return execute(*arguments)
        finally:
            self._beat()

    def _run(self, future: "Future[Any]", operation: Callable[[], Any]) -> None:
        """Run one operation. Whatever happens, its future ends: somebody waits for that without a limit."""
        try:
            close_old_connections()
            result = operation()
            self._answers.heard("SQL")
            future.set_result(result)
        except BaseException as error:  # noqa: BLE001  # it is raised again where the result is asked for
            future.set_exception(error)
            if isinstance(error, Exception) and is_outage(error):
                metrics.SQL_OUTAGES.inc()
                self._answers.failed("SQL", error)
                _close()  # the next one may lead to another server


def _close() -> None:
    """Close the connection. Django forgets one that cannot even be closed, too, so that is worth only a line."""
    try:
        connection.close()
    except Exception as error:  # noqa: BLE001  # nobody waits for the outcome
        logger.warning("closing the database connection: %s", error)


def _limit_waiting() -> None:
    """Limit how long this thread's connection waits for the server, and the server for it (see the constants)."""
    if connection.vendor == "mysql":
        options = connection.settings_dict["OPTIONS"]
        start = f"{options['init_command']}, wait_timeout={SILENCE_SECONDS}"
        limits = {"read_timeout": ANSWER_SECONDS, "write_timeout": ANSWER_SECONDS, "init_command": start}
        connection.settings_dict = connection.settings_dict | {"OPTIONS": options | limits}
