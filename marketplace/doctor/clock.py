"""The doctor on clocks: this host's against those of the servers.

Clocks need not agree for anything to be right, but access tokens, measured delays, the ends of time-outs in documents
and times that people read are wrong by as much as they differ.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

from django.db import connection

from marketplace import mongo
from marketplace.auth import access
from marketplace.doctor.registry import Finding, Visit, check, fault, ok, skipped, warning

WARNING_SECONDS: Final = 1.0
# More between two API hosts, and each refuses the access tokens that the other has just made.
FAULT_SECONDS: Final = access.CLOCK_SKEW.total_seconds()
_REMEDY: Final = "Let NTP set both hosts' clocks: timedatectl set-ntp true, or chronyc tracking to see why it does not."


@check("clock", "MongoDB's clock", needs=["mongodb"])
def mongodb_clock(visit: Visit) -> Iterator[Finding]:
    """Compare with the primary's clock."""
    yield _compare(visit, _mongodb_time)


def _mongodb_time() -> datetime:
    answer = mongo.client().admin.command("hello", codec_options=mongo.client().codec_options)
    return cast(datetime, answer["localTime"])


@check("clock", "the SQL database's clock", needs=["sql"])
def sql_clock(visit: Visit) -> Iterator[Finding]:
    """Compare with the database server's clock."""
    if connection.vendor == "sqlite":
        yield skipped("SQLite has this host's clock")
        return
    connection.ensure_connection()
    yield _compare(visit, lambda: _selected("SELECT UTC_TIMESTAMP(6)").replace(tzinfo=UTC))


def _selected(sql: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


@check("clock", "Kafka's clock")
def kafka_clock(visit: Visit) -> Iterator[Finding]:  # noqa: ARG001  # every check's signature
    """Say why nothing is said."""
    yield skipped("brokers tell their time in no answer")


def _compare(visit: Visit, ask: Callable[[], datetime]) -> Finding:
    """Ask a server for its time, which is taken to be that of the middle between question and answer."""
    before = visit.now()
    theirs = ask()
    waited = visit.now() - before
    apart = (theirs - before - waited / 2) / timedelta(seconds=1)
    # What the answer's way leaves open, and MongoDB's milliseconds.
    unsure = waited / timedelta(seconds=2) + 0.001
    found = f"{abs(apart):.3f} s {'ahead of' if apart > 0 else 'behind'} this host's, +/- {unsure:.3f} s"
    if abs(apart) - unsure > FAULT_SECONDS:
        return fault(found, _REMEDY)
    return warning(found, _REMEDY) if abs(apart) - unsure > WARNING_SECONDS else ok(found)
