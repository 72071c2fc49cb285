"""The doctor on MongoDB: the server and its members, what this account may do, and the outbox."""

import secrets
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from pymongo.write_concern import WriteConcern

from marketplace import mongo
from marketplace.checks import REPLICA_SET_HINT, replica_set_problem
from marketplace.doctor.registry import Finding, Visit, check, fault, ok, skipped, warning
from marketplace.events import outbox
from marketplace.events.lease import LEASES

# The first with snapshot reads outside of transactions, which the relay reads the outbox by.
OLDEST_VERSION: Final = (5, 0)
LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
# How far a member may be behind; what it takes to do our work.
BEHIND_SECONDS: Final = 60
RIGHTS: Final = {"find", "insert", "update", "remove", "createCollection", "createIndex", "changeStream"}
COUNT_LIMIT: Final = 10_000
OUTBOX_WARNING_SECONDS, OUTBOX_FAULT_SECONDS = 60, 600
_HEALTHY: Final = {"PRIMARY", "SECONDARY", "ARBITER"}


def is_mongos() -> bool:
    """Whether we talk to a router, which knows nothing of the members behind it. Raises PyMongoError."""
    return mongo.client().admin.command("hello").get("msg") == "isdbgrid"


@check("mongodb", "server", needs=["mongodb"])
def server(visit: Visit) -> Iterator[Finding]:  # noqa: ARG001  # every check's signature
    """Tell where it is, which version, and whether it has transactions."""
    hello = mongo.client().admin.command("hello")
    version = mongo.client().server_info()
    what = f"replica set {hello.get('setName')}" if "setName" in hello else str(hello.get("msg", "standalone"))
    found = f"MongoDB {version['version']}, {what} at {', '.join(hello.get('hosts', [_address()]))}"
    if problem := replica_set_problem():
        yield fault(problem, REPLICA_SET_HINT)
    elif tuple(version["versionArray"][:2]) < OLDEST_VERSION:
        yield fault(f"{found} is too old", f"Upgrade to {'.'.join(map(str, OLDEST_VERSION))} or newer, 8.0 best.")
    else:
        yield ok(found)


@check("mongodb", "database", needs=["mongodb"])
def database(visit: Visit) -> Iterator[Finding]:  # noqa: ARG001
    """Look whether there is anything in it: a wrong name shows as an empty one."""
    name = settings.DATABASE_NAME
    if collections := mongo.database().list_collection_names():
        yield ok(f"{name} has {len(collections)} collections")
    else:
        yield fault(
            f"{name} is empty: is DATABASE_NAME right?",
            "Correct it; only for a new installation: manage.py create_indexes",
        )


def _address() -> str:
    return ", ".join(f"{host}:{port}" for host, port in sorted(mongo.client().nodes))


@check("mongodb", "feature compatibility", needs=["mongodb"])
def feature_compatibility(visit: Visit) -> Iterator[Finding]:  # noqa: ARG001
    """Look whether an upgrade was finished."""
    if is_mongos():
        yield skipped("a mongos does not tell")
        return
    own = ".".join(map(str, mongo.client().server_info()["versionArray"][:2]))
    answer = mongo.client().admin.command({"getParameter": 1, "featureCompatibilityVersion": 1})
    level = answer["featureCompatibilityVersion"]["version"]
    if level == own:
        yield ok(level)
    else:
        yield warning(
            f"{level} on servers of {own}: their upgrade is not finished",
            f'db.adminCommand({{setFeatureCompatibilityVersion: "{own}"}}) once nobody wants to go back'
            f"{', with confirm: true' if float(own) >= 7 else ''}",  # noqa: PLR2004  # from 7.0 on it wants that
        )


@check("mongodb", "members", needs=["mongodb"])
def members(visit: Visit) -> Iterator[Finding]:  # noqa: ARG001
    """Look at each member of the replica set: its state, and how far it is behind."""
    if is_mongos():
        yield skipped("a mongos does not tell; ask each shard's replica set")
    elif "setName" not in mongo.client().admin.command("hello"):
        yield skipped("there is no replica set")
    else:
        yield from _members(mongo.client().admin.command("replSetGetStatus")["members"])


def _members(found: list[dict[str, Any]]) -> Iterator[Finding]:
    newest = max(member["optimeDate"] for member in found if "optimeDate" in member)
    problems = [problem for member in found for problem in _problems(member, newest)]
    for problem in problems:
        yield warning(problem, "See its host and mongod's log there, and rs.status() on the primary.")
    if len(found) == 1:
        yield warning("a single member: what its disk loses is lost", 'rs.add("host:27017") for two more')
    elif not problems:
        yield ok(f"all {len(found)} are well")


def _problems(member: dict[str, Any], newest: datetime) -> Iterator[str]:
    if member["stateStr"] not in _HEALTHY:
        yield f"{member['name']} is {member['stateStr']}"
    elif "optimeDate" in member and (behind := (newest - member["optimeDate"]).total_seconds()) > BEHIND_SECONDS:
        yield f"{member['name']} is {behind:.0f} s behind"


@check("mongodb", "transaction", needs=["mongodb"])
def transaction(visit: Visit) -> Iterator[Finding]:  # noqa: ARG001
    """Commit a write to a majority, in a collection that is dropped again."""
    name = f"doctor_{secrets.token_hex(6)}"
    begun = time.monotonic()
    try:
        _commit(name)
    finally:
        mongo.database().get_collection(name, write_concern=WriteConcern("majority")).drop()
    yield ok(f"a majority has committed one within {1000 * (time.monotonic() - begun):.0f} ms")


@mongo.transaction
def _commit(name: str) -> None:
    mongo.database()[name].insert_one({"at": mongo.now()})


@check("mongodb", "account", needs=["mongodb"])
def account(visit: Visit) -> Iterator[Finding]:  # noqa: ARG001
    """Look what this account may do with our database."""
    status = mongo.client().admin.command({"connectionStatus": 1, "showPrivileges": True})["authInfo"]
    users = [f"{user['user']}@{user['db']}" for user in status["authenticatedUsers"]]
    if users:
        yield _rights(users[0], status["authenticatedUserPrivileges"])
    elif all(host in LOOPBACK for host, _ in mongo.client().nodes):
        yield ok("no account: the server is on this host")
    else:
        yield warning(
            "no account: whoever reaches the server can read and change everything, unless it refuses what follows",
            "Start mongod with --auth (and a key file), and put an account with readWrite into MONGODB_URL.",
        )


def _rights(user: str, privileges: list[dict[str, Any]]) -> Finding:
    database = settings.DATABASE_NAME
    granted = {action for one in privileges if _covers(one["resource"], database) for action in one["actions"]}
    if lacking := sorted(RIGHTS - granted):
        name, _, origin = user.rpartition("@")
        return fault(
            f"{user} may not {', '.join(lacking)} in {database}",
            f'In the database {origin}: db.grantRolesToUser("{name}", [{{role: "readWrite", db: "{database}"}}])',
        )
    return ok(f"{user} may do all that it has to in {database}")


def _covers(resource: dict[str, Any], database: str) -> bool:
    """Whether a privilege is for all collections of a database."""
    return bool(resource.get("anyResource")) or (
        resource.get("db") in ("", database) and resource.get("collection") == ""
    )


@check("mongodb", "relay", needs=["mongodb"])
def relay(visit: Visit) -> Iterator[Finding]:  # noqa: ARG001
    """Look who holds the relay's lease, by the server's clock as its holders do."""
    alive = {"$expr": {"$gt": ["$expires_at", "$$NOW"]}}
    leases = mongo.database()[LEASES]
    lease = leases.find_one({"_id": "relay", **alive})
    if lease:
        yield ok(f"{lease['holder'].rpartition(':')[0]} is at work (lease {lease['token']})")
    else:
        yield warning("no relay is at work: events wait in the outbox", "manage.py relay_events")


@check("mongodb", "outbox", needs=["mongodb"])
def waiting(visit: Visit) -> Iterator[Finding]:
    """Look how many events wait to be published, and for how long."""
    backlog = outbox.backlog(COUNT_LIMIT, visit.seconds)
    if backlog.oldest is None:
        yield ok("nothing waits to be published")
        return
    age = max(0.0, (visit.now() - backlog.oldest).total_seconds())
    found = f"{backlog.events:,}{' or more' * (backlog.events == COUNT_LIMIT)} events wait, the oldest for {age:.0f} s"
    remedy = "See the relay's log: whether it runs, what Kafka refuses, and how far it gets."
    if age < OUTBOX_WARNING_SECONDS:
        yield ok(found)
    else:
        yield (fault if age >= OUTBOX_FAULT_SECONDS else warning)(found, remedy)
