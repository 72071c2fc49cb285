"""The doctor on the SQL database: server, session, migrations, whether it takes writes. Its tables are the apps'."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from django.apps import apps
from django.conf import settings
from django.db import InternalError, OperationalError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

from marketplace.doctor.host import room
from marketplace.doctor.registry import Finding, Visit, check, fault, ok, skipped, warning

OLDEST_MYSQL, OLDEST_MARIADB = (8, 0, 11), (10, 6)
# The largest event as a dead letter, in a statement in which each of its bytes may take two.
PACKET_BYTES: Final = 2 * settings.KAFKA_MAX_MESSAGE_BYTES + (1 << 16)
MIB: Final = 1 << 20
NAMED: Final = 3
REPLICA: Final = "replica"  # its name in DATABASES


@check("sql", "server", needs=["sql"])
def server(visit: Visit) -> Iterator[Finding]:  # noqa: ARG001  # every check's signature
    """Tell where it is and which version."""
    connection.ensure_connection()  # Django itself refuses one that is far too old
    if connection.vendor == "sqlite":
        yield from _sqlite(connection.settings_dict["NAME"])
        return
    mysql: Any = connection
    oldest, name = (OLDEST_MARIADB, "MariaDB") if mysql.mysql_is_mariadb else (OLDEST_MYSQL, "MySQL")
    version = mysql.mysql_version
    found = f"{name} {'.'.join(map(str, version))}, {_place()}"
    if version < oldest:
        yield fault(f"{found} is too old", f"Upgrade to {name} {'.'.join(map(str, oldest))} or newer.")
    else:
        yield ok(found)


def _place() -> str:
    place = connection.settings_dict
    return f"{place['NAME']} as {place['USER']} at {place['HOST']}:{place['PORT'] or 3306}"


def _sqlite(name: object) -> Iterator[Finding]:
    mode = _value("PRAGMA journal_mode")
    version = ".".join(map(str, connection.Database.sqlite_version_info))  # type: ignore[attr-defined]
    found = f"SQLite {version}, {name}, journal mode {mode}"
    if mode == "wal":
        yield ok(f"{found}; for one machine")
    else:
        remedy = "PRAGMA journal_mode=WAL on it, on a local disk: network file systems have none"
        yield warning(f"{found}: readers and the consumer wait for each other", remedy)


@check("sql", "migrations", needs=["sql"])
def migrations(visit: Visit) -> Iterator[Finding]:  # noqa: ARG001
    """Hold the migrations of this version against those that the database has had."""
    executor = MigrationExecutor(connection)
    applied, known = set(executor.loader.applied_migrations), set(executor.loader.disk_migrations)
    pending = [str(step) for step, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]
    labels = {app.label for app in apps.get_app_configs()}
    unknown = sorted(".".join(one) for one in applied - known if one[0] in labels)
    if pending:
        yield fault(f"not applied: {_some(pending)}", "manage.py migrate")
    if unknown:
        remedy = "Deploy that version here, too; going back needs its `manage.py migrate APP NAME` first."
        yield warning(f"of a version that this code does not know: {_some(unknown)}", remedy)
    if not pending and not unknown:
        yield ok(f"all {len(applied & known)} are applied")


def _some(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


@check("sql", "write", needs=["sql"])
def write(visit: Visit) -> Iterator[Finding]:  # noqa: ARG001
    """Write a row and roll it back."""
    recorder = MigrationRecorder(connection)
    if not recorder.has_table():
        yield skipped("there is no table yet")
        return
    try:
        with transaction.atomic():
            recorder.record_applied("doctor", "rolled back")
            transaction.set_rollback(True)  # noqa: FBT003  # Django's signature
    except (OperationalError, InternalError) as error:
        remedy = f"GRANT SELECT, INSERT, UPDATE, DELETE ON {connection.settings_dict['NAME']}.* to it, or connect to"
        yield fault(f"cannot be written: {error.args[-1]}", f"{remedy} the primary: this may be a replica, or full.")
    else:
        yield ok("a row was written and rolled back")


@check("sql", "session", needs=["sql"])
def session(visit: Visit) -> Iterator[Finding]:  # noqa: ARG001
    """Look at what a connection of ours is set to."""
    if connection.vendor == "sqlite":
        yield skipped("SQLite has no such settings")
        return
    findings = list(_session())
    yield from findings
    if not findings:
        yield ok("UTC, READ COMMITTED, strict, utf8mb4")


def _session() -> Iterator[Finding]:
    remedy = "Take the option out of DATABASE_URL that sets it; marketplace/settings.py has the right one."
    if away := _value("SELECT TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(), NOW())"):
        yield fault(f"its time zone is {away} s away from UTC", remedy)
    isolation = _value(f"SELECT @@{_isolation()}")
    if isolation != "READ-COMMITTED":
        yield fault(f"it is {isolation}: consumers block each other, at worst for ever", remedy)
    if not {"STRICT_TRANS_TABLES", "STRICT_ALL_TABLES"} & set(str(_value("SELECT @@sql_mode")).split(",")):
        yield fault("sql_mode is not strict: values that do not fit are cut off", remedy)
    if (charset := _value("SELECT @@character_set_connection")) != "utf8mb4":
        yield fault(f"it speaks {charset}: most of Unicode gets lost", remedy)


def _isolation() -> str:
    """Return the variable's name: MariaDB before 11.1 knows the old one only."""
    mysql: Any = connection
    old = mysql.mysql_is_mariadb and mysql.mysql_version < (11, 1)
    return "tx_isolation" if old else "transaction_isolation"


@check("sql", "packet size", needs=["sql"])
def packet_size(visit: Visit) -> Iterator[Finding]:  # noqa: ARG001
    """Look whether the largest statement fits."""
    if connection.vendor == "sqlite":
        yield skipped("SQLite has no packets")
        return
    size = int(_value("SELECT @@max_allowed_packet"))
    if size >= PACKET_BYTES:
        yield ok(f"{size / MIB:.0f} MiB")
    else:
        remedy = f"SET GLOBAL max_allowed_packet = {16 * MIB}, and max_allowed_packet=16M in the server's options"
        yield fault(f"{size / MIB:.0f} MiB: the largest events stop the consumer", remedy)


@check("sql", "engine", needs=["sql"])
def engine(visit: Visit) -> Iterator[Finding]:  # noqa: ARG001
    """Look for tables without transactions."""
    if connection.vendor == "sqlite":
        yield skipped("SQLite has one engine")
        return
    tables = {model._meta.db_table for model in apps.get_models() if model._meta.managed}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, engine FROM information_schema.tables WHERE table_schema = DATABASE()"
            " AND engine <> 'InnoDB'"
        )
        others = [(name, kind) for name, kind in cursor.fetchall() if name in tables]
    for name, kind in others:
        yield fault(f"{name} is {kind}: it has no transactions", f"ALTER TABLE {name} ENGINE=InnoDB")
    if not others:
        yield ok("InnoDB everywhere")


@check("sql", "disk", needs=["sql"])
def disk(visit: Visit) -> Iterator[Finding]:  # noqa: ARG001
    """Look how much room there is, where that can be known."""
    if connection.vendor != "sqlite":
        yield skipped("the server does not tell; watch the disk of its data folder")
        return
    file = Path(str(connection.settings_dict["NAME"]))
    if not file.is_absolute():
        yield skipped("the database is in memory")
        return
    usage = shutil.disk_usage(file.parent)
    yield room(usage.free, usage.total, str(file.parent), f"Make room on the disk of {file.parent}.")


def _value(sql: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]
