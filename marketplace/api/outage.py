"""What an API process knows of MongoDB being away: while it is, nobody waits for it.

A request that asks a MongoDB that hangs holds its thread until its deadline, and whoever stands in line behind it waits
as well. So after a connection has failed, requests answer 503 at once, and one in RETRY_SECONDS looks whether MongoDB
is back. Requests that run out of time otherwise, as buyers of one product may, are not taken for an outage.
"""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pymongo
from pymongo.errors import ConnectionFailure, PyMongoError, WaitQueueTimeoutError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace import mongo
from marketplace.errors import UnavailableError

PROBE_SECONDS = 0.5
RETRY_SECONDS = 1.0


class Outage:
    """Whether MongoDB is known to be away; one for all threads of a process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_on = False
        self._next_probe = 0.0

    def refuse(self) -> None:
        """Raise UnavailableError while MongoDB is away. Now and then, the caller is the one who looks."""
        if not self._is_on:
            return
        with self._lock:  # whoever comes while somebody looks waits for what they find
            if self._is_on:
                self._probe()

    def _probe(self) -> None:
        if time.monotonic() < self._next_probe:
            raise UnavailableError
        try:
            with pymongo.timeout(PROBE_SECONDS):
                mongo.client().admin.command("ping")
        except PyMongoError as error:
            self._next_probe = time.monotonic() + RETRY_SECONDS
            raise UnavailableError from error
        self._is_on = False

    def note(self, error: BaseException) -> None:
        """Take notice of a failed connection behind an error of a request."""
        if any(
            isinstance(one, ConnectionFailure) and not isinstance(one, WaitQueueTimeoutError) for one in _chain(error)
        ):
            self._is_on = True


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


_outage = Outage()


class MongoView(APIView):
    """Base of all views that need MongoDB."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse at once what would only wait. Raises UnavailableError."""
        _outage.refuse()
        super().initial(request, *args, **kwargs)

    def handle_exception(self, exc: Exception) -> Response:
        """Answer an error, having taken notice of what it says of MongoDB."""
        _outage.note(exc)
        return super().handle_exception(exc)
