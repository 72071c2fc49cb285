"""What the tests of the doctor share: running it, and picking findings."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import mongoengine
from django.conf import settings
from django.utils.module_loading import autodiscover_modules

from marketplace import mongo
from marketplace.doctor.examination import Examination
from marketplace.doctor.registry import Finding, State, Visit


def examine(*groups: str, seconds: float = 20, ahead: float = 0) -> list[Finding]:
    """Return what the doctor finds; with `ahead` on a host whose clock is so many seconds ahead."""
    autodiscover_modules("doctor")
    visit = Visit(seconds, lambda: datetime.now(UTC) + timedelta(seconds=ahead))
    return list(Examination(visit, groups).findings())


def named(findings: list[Finding], name: str) -> list[Finding]:
    """Return the findings of one check."""
    found = [finding for finding in findings if finding.name == name]
    assert found, f"no check is called {name}"
    return found


def the(findings: list[Finding], name: str) -> Finding:
    """Return the only finding of a check."""
    (found,) = named(findings, name)
    return found


def faults(findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.state == State.FAULT]


@contextmanager
def connected_to(url: str) -> Iterator[None]:
    """Be connected to another MongoDB for the time of the block, and to the one before afterwards."""
    before = settings.MONGODB_URL
    _connect(url)
    try:
        yield
    finally:
        _connect(before)


def _connect(url: str) -> None:
    mongoengine.disconnect_all()
    settings.MONGODB_URL = url
    if url:
        mongo.connect()
    for document in mongo.document_classes():
        document._collection = None  # of the connection that it was first used with
