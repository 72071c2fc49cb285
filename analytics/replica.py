"""Reading from a replica of the SQL database (DATABASE_REPLICA_URL): which requests do, and which tables.

A request says so by `read_from_replica`; consumers, commands and whatever changes something never do. Numbers are then
as old as the replica, and "Data as of" says how old: consumers write that into the same database, behind the rows.
"""

from contextvars import ContextVar
from typing import Any, Final

from django.core.signals import request_finished, request_started
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Model
from django.dispatch import receiver

REPLICA: Final = "replica"
# What somebody looks at right after having changed it, and what only the consumer and commands look at.
_ON_PRIMARY: Final = frozenset(
    {"consumeroffset", "deadletter", "deadletteraction", "export", "rebuildposition", "tombstone"}
)

_reads: ContextVar[bool] = ContextVar("reads_from_replica", default=False)


def read_from_replica() -> None:
    """Read the analytics tables from the replica, if there is one, until the request has been answered to its end."""
    _reads.set(REPLICA in connections)


@receiver([request_started, request_finished])
def read_from_primary(**_kwargs: object) -> None:
    """Forget what the request before this one has said: threads serve one after the other."""
    _reads.set(False)


class ReplicaRouter:
    """Django's DATABASE_ROUTERS: https://docs.djangoproject.com/en/5.2/topics/db/multi-db/#database-routers."""

    def db_for_read(self, model: type[Model], **_hints: Any) -> str | None:
        """Return the replica for the tables that requests read there."""
        is_there = model._meta.app_label == "analytics" and model._meta.model_name not in _ON_PRIMARY
        return REPLICA if is_there and _reads.get() else None

    def db_for_write(self, _model: type[Model], **_hints: Any) -> str:
        """Return the primary. Django's own choice would be where the object was read."""
        return DEFAULT_DB_ALIAS

    def allow_relation(self, _one: Model, _other: Model, **_hints: Any) -> bool:
        """Return that rows of the two belong together: they are the same rows."""
        return True

    def allow_migrate(self, db: str, *_args: Any, **_hints: Any) -> bool | None:
        """Return that tables get to the replica by replication alone."""
        return False if db == REPLICA else None
