"""What the doctor's checks are and what they find. A check registers itself; an app's are in its `doctor.py`."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

# In this order; what a later group asks of a server that an earlier one has found away is skipped.
GROUPS: Final = ("settings", "host", "mongodb", "kafka", "sql", "pipeline", "clock")
# The servers that a check may need, as people call them.
SERVERS: Final = {"mongodb": "MongoDB", "kafka": "Kafka", "sql": "the SQL database"}


class State(StrEnum):
    """How it stands: `skipped` is what could not be looked at."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """One answer of a check: what was found, or why nothing could be, and what to do about it.

    No text has a secret in it: servers are named by host and port, never by their URL.
    """

    state: State
    found: str
    remedy: str = ""
    group: str = ""
    name: str = ""  # that of the check unless it says another


def ok(found: str) -> Finding:
    """Return that all is well."""
    return Finding(State.OK, found)


def warning(found: str, remedy: str) -> Finding:
    """Return what works today, but should not stay so."""
    return Finding(State.WARNING, found, remedy)


def fault(found: str, remedy: str) -> Finding:
    """Return what does not work, or loses something."""
    return Finding(State.FAULT, found, remedy)


def skipped(why: str, remedy: str = "") -> Finding:
    """Return why nothing could be found out."""
    return Finding(State.SKIPPED, why, remedy)


@dataclass(frozen=True, slots=True)
class Visit:
    """What a check is given: how many seconds a server may take, and this host's clock."""

    seconds: float
    now: Callable[[], datetime]


Look = Callable[[Visit], Iterable[Finding]]


@dataclass(frozen=True, slots=True)
class Check:
    """A check of a group, and the servers that it asks. It may raise their drivers' errors."""

    group: str
    name: str
    needs: tuple[str, ...]
    look: Look


CHECKS: Final[list[Check]] = []


def check(group: str, name: str, *, needs: Iterable[str] = ()) -> Callable[[Look], Look]:
    """Register a function as a check. Raises ValueError for a group or server that does not exist."""
    if group not in GROUPS or not set(needs) <= set(SERVERS):
        raise ValueError(f"the check {name!r} names no group or server of the doctor's")

    def register(look: Look) -> Look:
        CHECKS.append(Check(group, name, tuple(needs), look))
        return look

    return register
