"""A lease in MongoDB: one process at a time does a job, another takes over when it goes away."""

import os
import secrets
import socket
import time
from datetime import UTC, datetime

import pymongo
from pymongo import ReturnDocument
from pymongo.write_concern import WriteConcern

from marketplace import mongo

LEASES = "leases"
RELEASE_SECONDS = 1.0
_NEVER = datetime.fromtimestamp(0, UTC)


class Lease:
    """The right to do the job `name` for `seconds`, kept by calling `keep` more often than that.

    Expiry is decided on the server's clock alone, and `held` on this process's monotonic clock from before the request:
    no two clocks are compared. `token` rises by one whenever the lease passes to another holder.
    """

    def __init__(self, name: str, seconds: float = 5.0) -> None:
        self.name = name
        self.seconds = seconds
        self.holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self.token = 0
        self._until = 0.0

    @property
    def held(self) -> bool:
        """Whether the lease is certainly still ours."""
        return time.monotonic() < self._until

    def keep(self) -> bool:
        """Take or renew the lease when it is time to, and return whether it is ours. Raises PyMongoError."""
        if self._until - time.monotonic() < self.seconds * 2 / 3:
            self._renew()
        return self.held

    def release(self) -> None:
        """Give the lease up, so that another process need not wait. Raises PyMongoError."""
        self._until = 0.0
        # Not worth waiting for: it runs out by itself.
        with pymongo.timeout(RELEASE_SECONDS):
            self._leases().update_one({"_id": self.name, "holder": self.holder}, {"$set": {"expires_at": _NEVER}})

    def _renew(self) -> None:
        asked = time.monotonic()
        with pymongo.timeout(self.seconds / 2):
            found = self._leases().find_one_and_update(
                {"_id": self.name}, [{"$replaceWith": self._next()}], upsert=True, return_document=ReturnDocument.AFTER
            )
        if found and found["holder"] == self.holder:
            self.token = found["token"]
            # A tenth less than the server grants: what this process still does then ends within the lease.
            self._until = asked + self.seconds * 0.9

    def _next(self) -> mongo.Stored:
        """Return the aggregation expression of the lease after this request: ours if it was ours or has run out."""
        is_ours = {"$eq": ["$holder", self.holder]}
        is_free = {"$lte": [{"$ifNull": ["$expires_at", _NEVER]}, "$$NOW"]}
        ours = {
            "_id": self.name,
            "holder": self.holder,
            "token": {"$add": [{"$ifNull": ["$token", 0]}, {"$cond": [is_ours, 0, 1]}]},
            "expires_at": {"$add": ["$$NOW", int(self.seconds * 1000)]},
        }
        return {"$cond": [{"$or": [is_ours, is_free]}, ours, "$$ROOT"]}

    def _leases(self) -> "pymongo.collection.Collection[mongo.Stored]":
        return mongo.database()[LEASES].with_options(write_concern=WriteConcern("majority"))
