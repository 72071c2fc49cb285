"""The doctor on what MongoDB keeps and for how long: the oplog, transactions that nobody ends, its disk."""

import math
from collections.abc import Iterator
from typing import Any, Final

from django.conf import settings

from marketplace import mongo
from marketplace.doctor.host import room
from marketplace.doctor.mongodb import is_mongos
from marketplace.doctor.registry import Finding, Visit, check, fault, ok, skipped, warning

# A member or a backup that was away for longer than the oplog reaches back has to begin anew.
OPLOG_FAULT_HOURS, OPLOG_WARNING_HOURS = 1.0, 24.0
# Before it is that full, the oplog still grows: it reaches back to the beginning, which says nothing.
OPLOG_FULL_SHARE: Final = 0.9
# What a killed API process has locked stays so for this long.
LIFETIME_WARNING_SECONDS: Final = 15
MIB: Final = 1 << 20
_SMALLEST_RESIZE_MIB: Final = 990  # https://www.mongodb.com/docs/manual/reference/command/replSetResizeOplog/


@check("mongodb", "oplog", needs=["mongodb"])
def oplog(visit: Visit) -> Iterator[Finding]:  # noqa: ARG001  # every check's signature
    """Look how far the oplog reaches back."""
    if "setName" not in mongo.client().admin.command("hello"):
        yield skipped("there is none here: a mongos, or no replica set")
        return
    entries = mongo.client().local["oplog.rs"]
    stats = next(iter(entries.aggregate([{"$collStats": {"storageStats": {}}}])))["storageStats"]
    ends = [entries.find_one({}, {"ts": 1}, sort=[("$natural", way)]) for way in (1, -1)]
    first, last = (end["ts"].time for end in ends if end)
    yield _reach((last - first) / 3600, stats)


def _reach(hours: float, stats: dict[str, Any]) -> Finding:
    full = min(1, stats["size"] / stats["maxSize"])  # it is cut back now and then only
    found = f"reaches back {hours:.1f} h, {full:.0%} of {stats['maxSize'] / MIB:,.0f} MiB used"
    if full < OPLOG_FULL_SHARE:
        return ok(f"{found}: it still grows")
    wanted = stats["maxSize"] / MIB * OPLOG_WARNING_HOURS / max(hours, 0.1)
    size = max(_SMALLEST_RESIZE_MIB, math.ceil(wanted))
    remedy = f"On each member: db.adminCommand({{replSetResizeOplog: 1, size: {size}}}), if its disk has the room."
    if hours < OPLOG_FAULT_HOURS:
        return fault(f"{found}: members and backups that were away for longer begin anew", remedy)
    return warning(found, remedy) if hours < OPLOG_WARNING_HOURS else ok(found)


@check("mongodb", "transaction lifetime", needs=["mongodb"])
def transaction_lifetime(visit: Visit) -> Iterator[Finding]:  # noqa: ARG001
    """Look for how long a killed process leaves documents locked."""
    if is_mongos():
        yield skipped("each member of the shards has its own")
        return
    parameter = "transactionLifetimeLimitSeconds"
    seconds = mongo.client().admin.command({"getParameter": 1, parameter: 1})[parameter]
    if seconds <= LIFETIME_WARNING_SECONDS:
        yield ok(f"{seconds} s")
    else:
        yield warning(
            f"{seconds} s: for so long after an API process was killed, orders of what it has locked answer 503",
            f"On each member: db.adminCommand({{setParameter: 1, {parameter}: 5}}), and --setParameter {parameter}=5",
        )


@check("mongodb", "disk", needs=["mongodb"])
def disk(visit: Visit) -> Iterator[Finding]:  # noqa: ARG001
    """Look how much room the primary's disk has."""
    stats = mongo.database().command("dbStats")
    if "fsTotalSize" not in stats:
        yield skipped("a mongos does not tell; ask each shard's members")
        return
    free = stats["fsTotalSize"] - stats["fsUsedSize"]
    place = f"the primary ({settings.DATABASE_NAME} takes {stats['totalSize'] / MIB:,.0f} MiB)"
    yield room(free, stats["fsTotalSize"], place, "Make room on the disk of the primary's data, or a larger one.")
