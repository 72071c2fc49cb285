"""Runs checks one after the other. A server that does not answer costs its time once; the rest goes on."""

import threading
from collections.abc import Collection, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Final

import pymongo
from confluent_kafka import KafkaException
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, InterfaceError, connections
from pymongo.errors import PyMongoError

from marketplace.doctor.failures import explain
from marketplace.doctor.registry import CHECKS, GROUPS, SERVERS, Check, Finding, Visit, skipped

# The drivers' own limits end first, and say more.
GRACE_SECONDS: Final = 1.0
_FAILURES: Final = (
    PyMongoError,
    KafkaException,
    DatabaseError,
    InterfaceError,
    ImproperlyConfigured,
    TimeoutError,
)


@dataclass
class Examination:
    """One run of the checks of some groups."""

    visit: Visit
    groups: Collection[str] = GROUPS
    _away: set[str] = field(default_factory=set)

    def findings(self) -> Iterator[Finding]:
        """Yield what each check finds, as soon as it does."""
        for check in sorted(CHECKS, key=lambda one: GROUPS.index(one.group)):
            if check.group in self.groups:
                for finding in self._findings(check):
                    yield replace(finding, group=check.group, name=finding.name or check.name)

    def _findings(self, check: Check) -> list[Finding]:
        if away := [SERVERS[server] for server in check.needs if server in self._away]:
            return [skipped(f"{' and '.join(away)} cannot be asked")]
        try:
            return self._look(check)
        except _FAILURES as error:
            failure = explain(error)
            if failure.is_away:
                self._away |= {server for server in check.needs if _is_of(error, server)}
            return [failure.finding]

    def _look(self, check: Check) -> list[Finding]:
        """Run a check; one that asks a server in a thread of its own, which is left behind when no answer comes."""
        if not check.needs:
            return list(check.look(self.visit))
        outcome: Future[list[Finding]] = Future()
        threading.Thread(target=_work, args=(check, self.visit, outcome), name=check.name, daemon=True).start()
        try:
            return outcome.result(self.visit.seconds + GRACE_SECONDS)
        except TimeoutError as error:
            raise TimeoutError(f"no answer within {self.visit.seconds:g} s") from error


def _work(check: Check, visit: Visit, outcome: "Future[list[Finding]]") -> None:
    try:
        with pymongo.timeout(visit.seconds):
            outcome.set_result(list(check.look(visit)))
    except Exception as error:  # noqa: BLE001  # raised again where the outcome is waited for
        outcome.set_exception(error)
    finally:
        connections.close_all()


def _is_of(error: Exception, server: str) -> bool:
    """Whether an error can have come from a server, as far as its class tells."""
    if isinstance(error, PyMongoError):
        return server == "mongodb"
    if isinstance(error, KafkaException):
        return server == "kafka"
    return server == "sql" or not isinstance(error, DatabaseError | InterfaceError)
