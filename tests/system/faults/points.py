"""Named points of the code at which a process kills itself (SIGKILL), or stops until somebody wakes it (SIGSTOP).

The production code knows nothing of them: a function is wrapped from outside, in a process that the bench starts for
it. Before it strikes, a process says so in its log; a process that ends without that line has ended of something else.
"""

import functools
import importlib
import itertools
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

ROLES = ("api", "relay", "consumer")


@dataclass(frozen=True)
class Point:
    """Before or after a call of `target`, written `module:function` or `module:Class.method`."""

    role: Literal["api", "relay", "consumer"]
    says: str
    when: Literal["before", "after"]
    target: str
    # The kill comes at one of the first so many calls.
    calls: int = 20


_SESSION = "pymongo.client_session:ClientSession"
_CONNECTION = "django.db.backends.base.base:BaseDatabaseWrapper"

POINTS = {
    "api-half-written": Point(
        "api", "document written, event not", "before", "marketplace.mongo:Transaction.finish", 60
    ),
    "api-before-commit": Point("api", "before the commit", "before", f"{_SESSION}.commit_transaction", 60),
    "api-after-commit": Point("api", "committed, not answered", "after", f"{_SESSION}.commit_transaction", 60),
    "relay-opened": Point("relay", "producer opened", "after", "marketplace.events.delivery:Delivery.open", 1),
    "relay-read": Point("relay", "batch read", "before", "marketplace.events.delivery:Delivery.publish"),
    "relay-acknowledged": Point(
        "relay", "an event acknowledged", "after", "marketplace.events.delivery:Reports.take", 100
    ),
    "relay-produced": Point(
        "relay",
        "batch produced, before the Kafka commit",
        "after",
        "marketplace.events.delivery:Delivery._wait_for_reports",
    ),
    "relay-committed": Point(
        "relay", "after the Kafka commit", "after", "marketplace.events.delivery:Delivery.publish"
    ),
    "relay-before-delete": Point("relay", "before delete", "before", "marketplace.events.relay:runs"),
    "relay-after-delete": Point(
        "relay", "after delete, if there was any", "after", "marketplace.events.relay:Relay._delete_published"
    ),
    "consumer-decoded": Point("consumer", "decoded", "before", "analytics.offsets:OffsetStore.lock", 5),
    "consumer-locked": Point("consumer", "locked", "after", "analytics.offsets:OffsetStore.lock", 5),
    "consumer-mid-upsert": Point("consumer", "mid-upsert", "after", "analytics.tables:Table.insert", 10),
    "consumer-before-commit": Point("consumer", "before the SQL commit", "before", f"{_CONNECTION}.commit", 5),
    "consumer-after-commit": Point("consumer", "after the SQL commit", "after", f"{_CONNECTION}.commit", 5),
    "consumer-assign": Point("consumer", "partitions assigned", "after", "analytics.reader:Reader._on_assign", 1),
    "consumer-revoke": Point("consumer", "partitions revoked", "before", "analytics.reader:Reader._on_revoke", 1),
}


def install(order: str) -> None:
    """Have this process kill itself at a point's call (`NAME:COUNT`), or only stop itself (`NAME:COUNT:STOP`).

    Raises LookupError when there is no such point, or its function does not exist any more.
    """
    name, count, *stop = order.split(":")
    number = signal.SIGSTOP if stop else signal.SIGKILL
    if name not in POINTS:
        raise LookupError(f"no such point: {name}; there are {', '.join(POINTS)}")
    point = POINTS[name]
    owner, attribute = find(point.target)
    calls = itertools.count(1)

    def kill() -> None:
        if next(calls) == int(count):
            os.write(sys.stderr.fileno(), f"{struck(order)}\n".encode())  # no buffer, which would die along
            os.kill(os.getpid(), number)

    _replace(owner, attribute, _wrapped(getattr(owner, attribute), point.when, kill))


def struck(order: str) -> str:
    """Return the line by which a process tells that it is at its point."""
    return f"fault point {order}"


def find(target: str) -> tuple[Any, str]:
    """Return what holds a point's function, and the function's name in it. Raises LookupError."""
    module, _, path = target.partition(":")
    *parents, attribute = path.split(".")
    try:
        owner = functools.reduce(getattr, parents, importlib.import_module(module))
        if callable(getattr(owner, attribute)):
            return owner, attribute
    except (ImportError, AttributeError) as error:
        raise LookupError(f"the point's function is gone: {target} ({error})") from error
    raise LookupError(f"the point is no function: {target}")


def _wrapped(original: Callable[..., Any], when: str, kill: Callable[[], None]) -> Callable[..., Any]:
    @functools.wraps(original)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if when == "before":
            kill()
        result = original(*args, **kwargs)
        if when == "after":
            kill()
        return result

    return wrapped


def _replace(owner: Any, attribute: str, wrapped: Callable[..., Any]) -> None:
    setattr(owner, attribute, wrapped)
