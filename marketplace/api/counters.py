"""Counts per window of time that all API processes share, in MongoDB. What is counted, and how far, says limits.py.

A window is a stretch of the clock (RATE_LIMIT_SECONDS long), the same for everybody. A count is one document per
policy, key and window; keys are stored as a keyed hash, for they are addresses and emails.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from django.conf import settings
from django.utils.crypto import salted_hmac
from pymongo import ReturnDocument
from pymongo.collection import Collection
from pymongo.write_concern import WriteConcern

from marketplace import mongo

COLLECTION = "rate_limits"
# A process takes its next hits of a key in blocks: so many at once, but at most one percent of what is left.
MAX_BLOCK = 50
BLOCKS_LEFT = 100
# Keys whose blocks a process remembers.
MAX_LEASES = 10_000

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Window:
    """A window of time by its number, and the whole seconds until it ends."""

    number: int
    seconds_left: int

    @classmethod
    def at(cls, moment: float) -> "Window":
        """Return the window that a moment (seconds since 1970) lies in."""
        number, passed = divmod(moment, settings.RATE_LIMIT_SECONDS)
        return cls(int(number), max(1, round(settings.RATE_LIMIT_SECONDS - passed)))


@dataclass(frozen=True, slots=True)
class Standing:
    """How a caller stands: may this request pass, how many more may, and the seconds until the count begins anew."""

    allowed: bool
    remaining: int
    seconds: int


class SharedCount:
    """The counts of one policy."""

    def __init__(self, policy: str) -> None:
        self.policy = policy

    def add(self, key: str, window: Window, amount: int = 1) -> int:
        """Add to a count and return it."""
        # Kept for one more window: clocks differ, and MongoDB's must not be the one that forgets first.
        expires_at = datetime.fromtimestamp((window.number + 2) * settings.RATE_LIMIT_SECONDS, UTC)
        found = self._collection().find_one_and_update(  # never None, with upsert
            {"_id": self._id(key, window)},
            {"$inc": {"count": amount}, "$setOnInsert": {"expires_at": expires_at}},
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        return cast(int, cast(mongo.Stored, found)["count"])

    def highest(self, keys: Sequence[str], window: Window) -> int:
        """Return the highest count of the keys."""
        found = self._collection().find({"_id": {"$in": [self._id(key, window) for key in keys]}})
        return max((one["count"] for one in found), default=0)

    def _id(self, key: str, window: Window) -> str:
        return f"{self.policy}:{salted_hmac(COLLECTION, key, algorithm='sha256').hexdigest()}:{window.number}"

    def _collection(self) -> Collection[mongo.Stored]:
        # A count that a failover loses is worth less than waiting for the journal and a second node on each request.
        return mongo.database().get_collection(COLLECTION, write_concern=WriteConcern(w=1, j=False))


class _Lease:
    """The rest of a key's block, and the shared count as last heard."""

    __slots__ = ("count", "free")

    def __init__(self) -> None:
        self.count = 0
        self.free = 0


class Leases:
    """One process's hold on the counts of a policy: all processes together never let more pass than the limit.

    Hits come out of a leased block without MongoDB. What a process leased and has not used when the window ends is
    lost to the others: up to one percent of the limit, so below 100 the limit is exact. A used up limit costs nothing.
    """

    def __init__(self, policy: str, clock: Clock = time.time) -> None:
        self._shared = SharedCount(policy)
        self._clock = clock
        self._lock = threading.Lock()
        self._window = -1
        self._leases: dict[str, _Lease] = {}

    def take(self, key: str, limit: int) -> Standing:
        """Count one hit of a key against the limit."""
        window = Window.at(self._clock())
        with self._lock:
            lease = self._lease(key, window.number)
            if lease.free or lease.count >= limit:
                return _stand(lease, limit, window)
            block = min(MAX_BLOCK, max(1, (limit - lease.count) // BLOCKS_LEFT))
        count = self._shared.add(key, window, block)
        with self._lock:
            lease.count = max(lease.count, count)
            lease.free += max(0, min(block, limit - count + block))
            return _stand(lease, limit, window)

    def _lease(self, key: str, window: int) -> _Lease:
        """Return the lease of a key; those of an earlier window are forgotten, and the oldest when there are many."""
        if window != self._window:
            self._window = window
            self._leases.clear()
        if key not in self._leases:
            if len(self._leases) >= MAX_LEASES:
                del self._leases[next(iter(self._leases))]
            self._leases[key] = _Lease()
        return self._leases[key]


def _stand(lease: _Lease, limit: int, window: Window) -> Standing:
    """Take one hit out of the lease, if it has one."""
    allowed = lease.free > 0
    lease.free -= allowed
    return Standing(allowed, max(0, limit - lease.count) + lease.free, window.seconds_left)


def create_indexes() -> None:
    """Create the index by which MongoDB removes counts of past windows."""
    mongo.database()[COLLECTION].create_index("expires_at", expireAfterSeconds=0)
