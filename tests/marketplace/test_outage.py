"""A process that knows MongoDB to be away lets nobody wait for it, and finds out by itself when it is back."""

import time
from collections.abc import Iterator
from typing import Any

import mongoengine
import pytest
from pymongo.errors import (
    AutoReconnect,
    ExecutionTimeout,
    NetworkTimeout,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
)

from marketplace import mongo
from marketplace.api import outage
from marketplace.api.outage import Outage
from marketplace.embedded.mongod import free_port
from marketplace.errors import NotFoundError, UnavailableError
from tests.api import ANYONE, answered


@pytest.fixture
def gone(mongodb: str, settings: Any) -> Iterator[None]:
    """A MongoDB that nobody reaches."""
    settings.MONGODB_URL = f"mongodb://127.0.0.1:{free_port()}/?replicaSet=rs0"
    mongo.connect(for_requests=True)
    yield
    settings.MONGODB_URL = mongodb
    mongoengine.disconnect_all()
    mongo.connect()


def wrapped(cause: Exception) -> Exception:
    """Return what a transaction makes of an error."""
    error = UnavailableError()
    error.__cause__ = cause
    return error


LOST = [AutoReconnect("x"), NetworkTimeout("x"), ServerSelectionTimeoutError("x")]


@pytest.mark.parametrize("error", [*LOST, *map(wrapped, LOST)], ids=repr)
def test_after_a_lost_connection_one_looks_and_the_others_do_not_wait(gone: None, error: Exception) -> None:
    known = Outage()
    known.note(error)
    started = time.monotonic()
    with pytest.raises(UnavailableError):
        known.refuse()
    assert time.monotonic() - started < outage.PROBE_SECONDS + 1
    started = time.monotonic()
    for _ in range(100):
        with pytest.raises(UnavailableError):
            known.refuse()
    assert time.monotonic() - started < outage.PROBE_SECONDS


@pytest.mark.parametrize(
    "error",
    [ExecutionTimeout("contention"), WaitQueueTimeoutError("x"), NotFoundError(), ValueError(), UnavailableError()],
    ids=repr,
)
def test_other_errors_are_no_outage(gone: None, error: Exception) -> None:
    known = Outage()
    known.note(error)
    known.refuse()


def test_who_looks_ends_it_when_mongodb_answers(mongodb: str) -> None:
    known = Outage()
    known.note(AutoReconnect("a connection that broke"))
    known.refuse()
    assert not known._is_on


def test_views_take_notice(gone: None, monkeypatch: pytest.MonkeyPatch) -> None:
    known = Outage()
    monkeypatch.setattr(outage, "_outage", known)
    answered(ANYONE("GET", "/products"), 503)
    assert known._is_on
    known._next_probe = time.monotonic() + 60
    monkeypatch.setattr(mongo, "client", None)  # whoever asks for it fails
    refused = ANYONE("GET", "/products")
    assert answered(refused, 503)["code"] == "INTERNAL_ERROR"
    assert int(refused["Retry-After"]) > 0
    answered(ANYONE("GET", "/health"), 200)
